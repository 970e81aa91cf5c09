namespace Curvature.FSharp

open Curvature

/// A loss at a point, its gradient where that was made on the way, and a linear or quadratic map of vectors there.
[<NoEquality; NoComparison>]
type internal Linearization = { Loss: Tensor; Gradient: Tensor voption; Apply: Tensor -> Tensor }

module internal Linearization =

    let checkPoint name (theta: Tensor) =
        if theta.DType = DType.Int32 then
            Fail.dtype $"{name}: the point is Int32; derivatives need Float32 or Float64"

        if theta.Size = 0 then
            Fail.shape $"{name}: the point has no elements; its shape is {Shape.show theta.Signature.Shape}"

    /// A loss is a scalar of the type of what it depends on.
    let checkLoss name (x: Tensor) (value: Tensor) : Tensor =
        if value.Rank <> 0 then
            Fail.shape $"{name}: the loss must be a scalar, and it has shape {Shape.show value.Signature.Shape}"

        if value.DType <> x.DType then
            Fail.dtype $"{name}: the loss is {value.DType}, and what it depends on {x.DType}"

        value

    /// The value of f at x and its derivative as a program, which must depend on x.
    let derivative name what (f: Tensor -> Tensor) (x: Tensor) : Tensor * Program =
        let values, program = Reverse.linearize (fun xs -> [| f xs[0] |]) [| x |]

        match program.Outputs[0] with
        | Atom.Constant _ -> Fail.differentiation $"{name}: the {what} does not depend on the point that it was given"
        | Atom.Variable _ -> values[0], program

    /// Jᵀu for the program of a derivative.
    let pull (x: Tensor) (program: Program) (u: Tensor) : Tensor =
        (Reverse.transpose program [| ValueSome u |])[0] |> Tangent.orZeros x

    /// The loss at x and its gradient.
    let gradient name (loss: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        let value, slope = derivative name "loss" loss x
        checkLoss name x value |> ignore
        value, pull x slope (value.FillLike 1.0)

    /// The loss at x, its gradient, and v ↦ Hv, by linearizing the gradient.
    let hessian name (loss: Tensor -> Tensor) (x: Tensor) : Linearization =
        let lossAndGradient (xs: Tensor[]) =
            let value, slope = gradient name loss xs[0]
            [| value; slope |]

        let values, program = Reverse.linearize lossAndGradient [| x |]

        {
            Loss = values[0]
            Gradient = ValueSome values[1]
            Apply = fun v -> (program.Interpret [| v |])[1]
        }

    /// The loss at x and v ↦ vᵀHv, without the product.
    let hessianForm (loss: Tensor -> Tensor) (x: Tensor) : Linearization =
        let value, form = QuadraticForm.at loss x
        { Loss = value; Gradient = ValueNone; Apply = form }

    /// As the compiler takes it.
    let toValues (linearization: Linearization) : Tensor list * (Tensor -> Tensor) =
        linearization.Loss :: ValueOption.toList linearization.Gradient, linearization.Apply

/// A square matrix of second-order information of a loss that varies with a point θ: how to multiply by it, and how
/// to take quadratic forms.
[<NoEquality; NoComparison>]
type internal SecondOrder =
    {
        Name: string
        /// What is differentiated, for a check that it gives the same result twice.
        Function: Tensor -> Tensor
        /// The loss as a function of θ, for a search where NaN begins.
        Loss: Tensor -> Tensor
        Matvec: Tensor -> Linearization
        Form: Tensor -> Linearization
    }

module internal SecondOrder =

    let private fail name (loss: Tensor -> Tensor) theta (what: string) (value: Tensor) =
        match Finite.describe value with
        | ValueSome where -> Fail.nonFinite $"{name}: the {what} is {where}; {Finite.trace loss theta}"
        | ValueNone -> ()

    /// Checks the loss and, where there is one, the gradient of a point.
    let checkFinite (matrix: SecondOrder) suffix theta (values: Tensor list) =
        let name = $"{matrix.Name}{suffix}"
        List.iter2 (fail name matrix.Loss theta) (List.truncate values.Length [ "loss"; "gradient" ]) values
