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
        Compute(fun emitter sources targets ->
            let source, target = sources[0], targets[0]

            let reduction =
                Reduction(source.DType, ReductionKind.Sum, source.Shape, axes, source.Operand, target.Operand)

            emitter.Emit(emitter.Device.Reduce reduction, [ source ], [ target ]))

    override this.Jvp(_, _, tangents) = [| ValueSome(Interpreter.Bind(this, tangents[0].Value)[0]) |]

    override _.Transpose(cotangents, operands) =
        let shape = operands[0].Signature.Shape

        let kept = Shape.otherAxes axes shape.Length
        [| cotangents[0] |> ValueOption.map (fun c -> Interpreter.Bind(Broadcast(shape, kept), c)[0]) |]

    override _.Batch(_, operands, _) = Interpreter.Bind(Sum(axes |> Array.map ((+) 1)), operands)
