namespace Curvature.FSharp

open System
open System.Collections.Concurrent
open Curvature

/// A square matrix of second-order information that varies with a point θ: how to multiply by it, and how to take quadratic forms.
/// Both functions are given θ, and give the value of the loss, which may be followed by its gradient, and a function of v.
[<NoEquality; NoComparison>]
type internal SecondOrder =
    {
        Name: string
        Properties: OperatorProperties
        /// What is differentiated, for a check that it gives the same result twice.
        Function: Tensor -> Tensor
        /// The loss as a function of θ, for a search where NaN begins.
        Loss: Tensor -> Tensor
        Products: Tensor -> Tensor list * (Tensor -> Tensor)
        Forms: Tensor -> Tensor list * (Tensor -> Tensor)
    }

/// Derivatives that second-order operators are made of.
module internal SecondOrder =

    let checkPoint name (theta: Tensor) =
        if theta.DType = DType.Int32 then
            raise (DTypeException $"{name}: the point is Int32; derivatives need Float32 or Float64")

        if theta.Size = 0 then
            raise (ShapeException $"{name}: the point has no elements; its shape is {Shape.show theta.Signature.Shape}")

    let private checkLoss name (x: Tensor) (value: Tensor) =
        if value.Rank <> 0 then
            raise (
                ShapeException $"{name}: the loss must be a scalar, and it has shape {Shape.show value.Signature.Shape}"
            )

        if value.DType <> x.DType then
            raise (DTypeException $"{name}: the loss is {value.DType}, and what it depends on {x.DType}")

    /// The value of f at x and its derivative as a program, which must depend on x.
    let linearize name what (f: Tensor -> Tensor) (x: Tensor) : Tensor * Program =
        let values, program = Reverse.linearize (fun xs -> [| f xs[0] |]) [| x |]

        match program.Outputs[0] with
        | Atom.Constant _ ->
            raise (DifferentiationException $"{name}: the {what} does not depend on the point that it was given")
        | Atom.Variable _ -> values[0], program

    /// Jᵀu for the program of a derivative.
    let pull (x: Tensor) (program: Program) (u: Tensor) : Tensor =
        (Reverse.transpose program [| ValueSome u |])[0] |> Tangent.orZeros x

    /// The loss at x, its gradient, and v ↦ Hv, by linearizing the gradient.
    let hessian name (loss: Tensor -> Tensor) (x: Tensor) : Tensor list * (Tensor -> Tensor) =
        let lossAndGradient (xs: Tensor[]) =
            let value, slope = linearize name "loss" loss xs[0]
            checkLoss name x value
            [| value; pull xs[0] slope (value.FillLike 1.0) |]

        let values, program = Reverse.linearize lossAndGradient [| x |]
        List.ofArray values, (fun v -> (program.Interpret [| v |])[1])

    /// The loss at x and v ↦ vᵀHv, without the product.
    let hessianForm (loss: Tensor -> Tensor) (x: Tensor) : Tensor list * (Tensor -> Tensor) =
        let value, form = QuadraticForm.at loss x
        [ value ], form

    /// Raises where a function does not give the same bits twice: dropout with a source of randomness of its own, say.
    let requireDeterministic name (f: Tensor -> Tensor) (x: Tensor) =
        let bits () = (f x).ToArray() |> Array.map BitConverter.DoubleToInt64Bits

        if bits () <> bits () then
            raise (
                DifferentiationException
                    $"{name}: the function gives different results for the same point; fix the key of its randomness"
            )

    let private fail name (loss: Tensor -> Tensor) theta (what: string) (value: Tensor) =
        match Finite.describe value with
        | ValueSome where -> raise (NonFiniteException $"{name}: the {what} is {where}; {Finite.trace loss theta}")
        | ValueNone -> ()

    /// Checks the loss and its gradient, as far as a spec gives them.
    let checkFinite (spec: SecondOrder) theta (values: Tensor list) =
        List.iter2 (fail spec.Name spec.Loss theta) (List.truncate values.Length [ "loss"; "gradient" ]) values

    /// The operator of a spec at any point of one shape, with the loss and, where the spec has it, the gradient there.
    let family (spec: SecondOrder) : Tensor -> Tensor list * LinearOperator =
        let product, form = Compile.family spec.Products, Compile.family spec.Forms
        let checkedShapes = ConcurrentDictionary<string, unit>()

        fun theta ->
            checkPoint spec.Name theta
            let shape, n = List.ofArray theta.Signature.Shape, theta.Size
            let memory = new HeldMemory()
            let map = memory.Hold(product theta)
            checkFinite spec theta map.Values

            checkedShapes.GetOrAdd(
                $"{theta.DType} {Shape.show theta.Signature.Shape}",
                fun _ -> requireDeterministic spec.Name spec.Function theta
            )

            let quadratic = lazy (memory.Hold(form theta))
            let shaped (block: Tensor) = Tensor.reshape (block.Signature.Shape[0] :: shape) block
            let flat (block: Tensor) = Tensor.reshape [ block.Signature.Shape[0]; n ] block

            let operator =
                new LinearOperator(
                    { OperatorParts.define
                          spec.Name
                          theta.DType
                          n
                          n
                          {
                              Single = fun v -> map.Apply(Tensor.reshape shape v) |> Tensor.flatten
                              Block = fun block -> map.ApplyBlock(shaped block) |> flat
                          } with
                        Device = theta.Device
                        Properties = spec.Properties
                        Forms = ValueSome(fun block -> quadratic.Value.ApplyBlock(shaped block))
                    },
                    memory
                )

            map.Values, operator
