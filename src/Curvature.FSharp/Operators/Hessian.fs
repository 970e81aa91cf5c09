namespace Curvature

/// A loss at a point: its value, its gradient, and its second derivative.
[<Sealed; NoEquality; NoComparison>]
type LossPoint internal (loss: float, gradient: Tensor, hessian: LinearOperator) =
    /// The value of the loss.
    member _.Loss = loss

    /// The gradient, in the shape of the point.
    member _.Gradient = gradient

    /// The Hessian, of size n×n for a point of n elements in row-major order.
    member _.Hessian = hessian

namespace Curvature.FSharp

open System
open Curvature

/// The Hessian of a scalar function, known by its products and its quadratic forms.
[<RequireQualifiedAccess>]
module Hessian =

    let private checkPoint (theta: Tensor) =
        if theta.DType = DType.Int32 then
            raise (DTypeException "Hessian: the point is Int32; derivatives need Float32 or Float64")

        if theta.Size = 0 then
            raise (
                ShapeException $"Hessian: the point has no elements; its shape is {Shape.show theta.Signature.Shape}"
            )

    let private checkLoss (theta: Tensor) (value: Tensor) =
        if value.Rank <> 0 then
            raise (
                ShapeException
                    $"Hessian: the loss must be a scalar, and it has shape {Shape.show value.Signature.Shape}"
            )

        if value.DType <> theta.DType then
            raise (DTypeException $"Hessian: the loss is {value.DType}, and the point {theta.DType}")

    /// The loss, its gradient, and v ↦ Hv, by linearizing the gradient.
    let private products (loss: Tensor -> Tensor) (theta: Tensor) =
        let lossAndGradient (xs: Tensor[]) =
            let values, slope = Reverse.linearize (fun xs -> [| loss xs[0] |]) xs
            checkLoss theta values[0]

            match slope.Outputs[0] with
            | Atom.Constant _ ->
                raise (DifferentiationException "Hessian: the loss does not depend on the point that it was given")
            | Atom.Variable _ -> ()

            let gradient = Reverse.transpose slope [| ValueSome(values[0].FillLike 1.0) |]
            [| values[0]; Tangent.orZeros xs[0] gradient[0] |]

        let values, program = Reverse.linearize lossAndGradient [| theta |]
        List.ofArray values, (fun (v: Tensor) -> (program.Interpret [| v |])[1])

    let private forms (loss: Tensor -> Tensor) (theta: Tensor) =
        let value, form = QuadraticForm.at loss theta
        [ value ], form

    let private checkFinite (loss: Tensor -> Tensor) (theta: Tensor) (value: Tensor) (gradient: Tensor) =
        let fail what = raise (NonFiniteException $"Hessian: {what}; {Finite.trace loss theta}")

        match Finite.describe value, Finite.describe gradient with
        | ValueSome where, _ -> fail $"the loss is {where}"
        | _, ValueSome where -> fail $"the gradient is {where}"
        | _ -> ()

    /// The loss, gradient and Hessian at any point of one shape. The function is recorded and compiled at the first point,
    /// so its control flow must not depend on values; moving on to another point costs one gradient and a linearization.
    let family (loss: Tensor -> Tensor) : Tensor -> LossPoint =
        let product = Compile.family (products loss)
        let form = Compile.family (forms loss)

        fun theta ->
            checkPoint theta
            let shape, n = List.ofArray theta.Signature.Shape, theta.Size
            let map = product theta
            let value, gradient = map.Values[0], map.Values[1]
            checkFinite loss theta value gradient
            let quadratic = lazy (form theta)
            let shaped (v: Tensor) = Tensor.reshape shape v
            let shapedBlock (block: Tensor) = Tensor.reshape (block.Signature.Shape[0] :: shape) block

            let hessian =
                LinearOperator
                    {
                        Name = "Hessian"
                        Rows = n
                        Columns = n
                        DType = theta.DType
                        Properties = OperatorProperties.Symmetric
                        Product =
                            {
                                Single = fun v -> map.Apply(shaped v) |> Tensor.flatten
                                Block =
                                    fun block ->
                                        map.ApplyBlock(shapedBlock block)
                                        |> Tensor.reshape [ block.Signature.Shape[0]; n ]
                            }
                        Adjoint = ValueNone
                        Forms = ValueSome(fun block -> quadratic.Value.ApplyBlock(shapedBlock block))
                        Gradients = 0
                    }

            LossPoint(value.ToScalar(), gradient, hessian)

    /// The loss, its gradient and its Hessian at a point of any shape: one gradient and one linearization.
    /// A product Hv then costs about two gradients, and a quadratic form vᵀHv less than one.
    /// Raises ShapeException for a loss that is not scalar, DTypeException for an Int32 point, NonFiniteException where the
    /// loss or its gradient is NaN or infinite (saying where that began), and DifferentiationException where the loss does not depend
    /// on the point. (Pearlmutter 1994, "Fast exact multiplication by the Hessian", for the products.)
    let evaluate (loss: Tensor -> Tensor) (theta: Tensor) : LossPoint = family loss theta

    /// The Hessian of a scalar function at a point; see `evaluate` for its cost and the errors it raises.
    let at (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator = (evaluate loss theta).Hessian
