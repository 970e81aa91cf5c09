namespace Curvature

open Curvature.Kernels

/// The sum over axes, which disappear. Float32 sums accumulate in Float64 or pairwise.
[<Sealed>]
type internal Sum(axes: int[]) =
    inherit Primitive("Sum", List.ofArray axes)

    member _.Axes = axes

    override _.Infer operands =
        operands[0].RequireNumbers "sum"

        [| { operands[0] with Shape = Shape.without axes operands[0].Shape } |]

    override _.Evaluation =
        Compute(fun emitter sources targets -> emitter.Reduce(ReductionKind.Sum, sources[0], axes, targets[0]))

    override this.Jvp(_, _, tangents) = [| ValueSome(Tensor.Of(this, tangents[0].Value)) |]

    override _.Transpose(cotangents, operands) =
        let shape = operands[0].Signature.Shape

        let kept = Shape.otherAxes axes shape.Length
        [| cotangents[0] |> ValueOption.map (fun c -> Tensor.Of(Broadcast(shape, kept), c)) |]

    override _.Batch(_, operands, _) = Interpreter.Bind(Sum(axes |> Array.map ((+) 1)), operands)
