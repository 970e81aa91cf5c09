namespace Curvature

open System

/// Places operand axis i at axis dims[i], ascending, of a larger shape. Axes of length 1, and axes without a source,
/// are repeated.
[<Sealed>]
type internal Broadcast(shape: int[], dims: int[]) =
    inherit Primitive("Broadcast", (List.ofArray shape, List.ofArray dims))

    member _.Shape = shape
    member _.Dims = dims

    override _.Infer operands =
        let source = operands[0].Shape

        for i in 0 .. source.Length - 1 do
            if source[i] <> shape[dims[i]] && source[i] <> 1 then
                Fail.shape $"broadcast: shape {Shape.show source} does not fit into {Shape.show shape}"

        [| { operands[0] with Shape = shape } |]

    override _.Evaluation = Reinterpret(fun view -> ValueSome [| View.broadcast shape dims view |])

    override this.Jvp(_, _, tangents) = [| ValueSome(Tensor.Of(this, tangents[0].Value)) |]

    override _.Transpose(cotangents, operands) =
        let source = operands[0].Signature.Shape

        let back (cotangent: Tensor) =
            let repeated =
                [|
                    for axis in 0 .. shape.Length - 1 do
                        match Array.IndexOf(dims, axis) with
                        | -1 -> axis
                        | i when source[i] <> shape[axis] -> axis
                        | _ -> ()
                |]

            let sum = cotangent.SumOver repeated
            // The axes of length 1 were summed away; put them back.
            let kept = Array.init source.Length id |> Array.filter (fun i -> not (Array.contains dims[i] repeated))

            if kept.Length = source.Length then
                sum
            else
                Tensor.Of(Broadcast(source, kept), sum)

        [| cotangents[0] |> ValueOption.map back |]

    override _.Batch(size, operands, _) =
        Interpreter.Bind(
            Broadcast(Array.append [| size |] shape, Array.append [| 0 |] (dims |> Array.map ((+) 1))),
            operands
        )

/// What batching rules share.
module internal Batched =

    /// Gives every operand a leading batch axis.
    let align size (operands: Tensor[]) (batched: bool[]) =
        Array.map2
            (fun (operand: Tensor) isBatched ->
                if isBatched then
                    operand
                else
                    let shape = operand.Signature.Shape
                    Tensor.Of(Broadcast(Array.append [| size |] shape, [| 1 .. shape.Length |]), operand))
            operands
            batched
