namespace Curvature.FSharp

open Curvature

/// Derivatives at a point in two steps. What depends on the point is computed first; the function that is returned is
/// then applied to any number of vectors.
[<RequireQualifiedAccess>]
module Linearized =

    /// The value and gradient of a scalar function at x, and v ↦ H·v: the derivative of the gradient, linearized once.
    let gradient (f: Tensor -> Tensor) (x: Tensor) : (Tensor * Tensor) * (Tensor -> Tensor) =
        let values, program = Reverse.linearize (valueAndGradient f) [| x |]
        (values[0], values[1]), fun v -> (program.Interpret [| v |])[1]

    /// The value of a scalar function at x, and v ↦ vᵀHv without the product H·v.
    let quadraticForm (f: Tensor -> Tensor) (x: Tensor) : Tensor * (Tensor -> Tensor) = QuadraticForm.at f x
