namespace Curvature

open System
open Curvature.Kernels

/// The elementwise functions. Their calculus is in ScalarFunction; here it is carried over to tensors.
[<Sealed>]
type internal Elementwise private (op: OpCode) =
    inherit Primitive(string op, null)

    static let all = Enum.GetValues<OpCode>() |> Array.map Elementwise

    let name = string op

    /// The value of a scalar expression, given the tensors in the places of its arguments and result.
    let rec value (arguments: int -> Tensor) (result: unit -> Tensor) expression : Tensor =
        match expression with
        | Number number -> (result ()).FillLike number
        | Argument i -> arguments i
        | Result -> result ()
        | Apply(inner, operands) -> Tensor.Apply(inner, operands |> List.map (value arguments result) |> List.toArray)

    /// coefficient·t. A selection of t or 0 is made without a product, since 0·∞ is not 0.
    let scale arguments result coefficient (t: Tensor) : Tensor =
        match coefficient with
        | Number 1.0 -> t
        | Number -1.0 -> -t
        | Apply(OpCode.Select, [ mask; Number 1.0; Number 0.0 ]) ->
            Tensor.Apply(OpCode.Select, value arguments result mask, t, t.FillLike 0.0)
        | Apply(OpCode.Select, [ mask; Number 0.0; Number 1.0 ]) ->
            Tensor.Apply(OpCode.Select, value arguments result mask, t.FillLike 0.0, t)
        | _ -> value arguments result coefficient * t

    /// The sum over pairs of operands i ≤ j that have tangents and a second derivative.
    let secondOrder (term: int -> int -> Scalar -> Tensor -> Tensor -> Tensor) (tangents: Tensor voption[]) =
        let second = ScalarFunction.secondPartials op
        let mutable sum = ValueNone

        for i in 0 .. tangents.Length - 1 do
            for j in i .. tangents.Length - 1 do
                match tangents[i], tangents[j], second[i, j] with
                | ValueSome t, ValueSome u, curvature when curvature <> Number 0.0 ->
                    sum <- Tangent.add sum (ValueSome(term i j curvature t u))
                | _ -> ()

        sum

    member _.Op = op

    /// The primitive of an operation.
    static member Of(op: OpCode) : Elementwise = all[int op]

    override _.Infer operands =
        let first = operands[0]

        first.RequireNumbers name

        for operand in operands do
            if operand.DType <> first.DType then
                Fail.dtype (
                    $"{name}: operands have different element types, {first.DType} and {operand.DType}; "
                    + "convert one of them"
                )

            if operand.Shape <> first.Shape then
                Fail.shape $"{name}: operands have shapes {Shape.show first.Shape} and {Shape.show operand.Shape}"

        [| first |]

    override _.Evaluation = Evaluation.Elementwise op

    override _.Jvp(primals, results, tangents) =
        let mutable sum = ValueNone

        ScalarFunction.partials op
        |> List.iteri (fun i partial ->
            match tangents[i], partial with
            | ValueSome t, partial when partial <> Number 0.0 ->
                sum <- Tangent.add sum (ValueSome(scale (Array.get primals) (fun () -> results[0]) partial t))
            | _ -> ())

        [| sum |]

    override _.Transpose(cotangents, operands) =
        match cotangents[0] with
        | ValueNone -> operands |> Array.map (fun _ -> ValueNone)
        | ValueSome cotangent ->
            let coefficient i =
                match operands[i] with
                | Known tensor -> tensor
                | Unknown _ -> Fail.differentiation $"{name} is not linear in its operands together"

            operands
            |> Array.mapi (fun i operand ->
                match operand with
                | Known _ -> ValueNone
                | Unknown _ when ScalarFunction.isLinearIn op i ->
                    let partial = ScalarFunction.partials op |> List.item i
                    ValueSome(scale coefficient (fun () -> cotangent) partial cotangent)
                | Unknown _ -> Fail.differentiation $"{name} is not linear in operand {i}")

    override _.Batch(size, operands, batched) = Interpreter.Bind(Elementwise.Of op, Batched.align size operands batched)

    override _.QuadraticForm(cotangents, primals, results, tangents) =
        match cotangents[0] with
        | ValueNone -> ValueNone
        | ValueSome cotangent ->
            let form i j curvature (t: Tensor) (u: Tensor) =
                let weight = scale (Array.get primals) (fun () -> results[0]) curvature cotangent
                let weight = if i = j then weight else 2.0 * weight
                (weight * (t * u)).SumAll()

            secondOrder form tangents

    /// D²f[t, t]/2 for a sum of tangents over curves, from the sums of their products.
    member _.HalfOfSecond(primals: Tensor[], results: Tensor[], tangents: Coefficients, product) : Tensor voption =
        let term i j curvature (t: Tensor) (u: Tensor) =
            let moment: Tensor = product t u
            let term = scale (Array.get primals) (fun () -> results[0]) curvature moment
            if i = j then 0.5 * term else term

        secondOrder term tangents

    interface ITaylorRule with
        member _.Series(primals, results, coefficients) =
            [| ScalarSeries(op, primals, results[0], coefficients).Coefficients |]
