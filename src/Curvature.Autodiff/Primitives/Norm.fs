namespace Curvature

open Curvature.Kernels

/// The Euclidean norm over all axes but the first `kept`. It is a primitive because the square root of a sum of squares
/// overflows, underflows, and has no derivative at 0. With y = ‖x‖ and u = x/y, Dy[t] = ⟨u, t⟩ and
/// D²y[t, t] = ⟨t, t − u⟨u, t⟩⟩/y. At 0 every derivative is 0: that is the subgradient of least norm.
[<Sealed>]
type internal Norm(kept: int) =
    inherit Primitive("Norm", kept)

    static let powerOfTwo (exponent: int) = System.Math.ScaleB(1.0, exponent)

    /// Bounds of the largest element, from large to small. Each has a factor that brings elements beyond it to a size
    /// whose squares neither overflow nor lose digits. They are powers of two, so that they change no digit.
    static let scales dtype =
        if dtype = DType.Float32 then
            struct (struct (powerOfTwo 50, powerOfTwo -75),
                    struct (powerOfTwo -40, powerOfTwo 75),
                    struct (powerOfTwo -100, powerOfTwo 120))
        else
            struct (struct (powerOfTwo 480, powerOfTwo -560),
                    struct (powerOfTwo -400, powerOfTwo 560),
                    struct (powerOfTwo -900, powerOfTwo 1000))

    let trailing (shape: int[]) = [| kept .. shape.Length - 1 |]

    /// A value for each entry of the axes that are kept, repeated over the others.
    let spread (shape: int[]) (value: Tensor) : Tensor = Tensor.Of(Broadcast(shape, [| 0 .. kept - 1 |]), value)

    /// t/y, and 0 where y is 0, without a division by 0 that reverse mode could meet.
    let divide (t: Tensor) (y: Tensor) : Tensor =
        let zero = t.FillLike 0.0
        Tensor.Apply(OpCode.Select, y, t / Tensor.Apply(OpCode.Select, y, y, y.FillLike 1.0), zero)

    /// ⟨u, t⟩ for each entry that is kept.
    let along (u: Tensor) (t: Tensor) : Tensor = (u * t).SumOver(trailing t.Signature.Shape)

    /// Factors by which the elements are multiplied before they are squared, from the largest of them.
    let factors (emitter: Emitter) (largest: View) =
        let struct (struct (high, down), struct (low, up), struct (lowest, farUp)) = scales largest.DType
        let factor = emitter.Temporary largest.Signature

        emitter.Map(
            [ largest ],
            [| high; low; lowest; down; up; farUp; 1.0 |],
            [|
                Instruction(OpCode.Greater, 0, 1)
                Instruction(OpCode.Greater, 2, 0)
                Instruction(OpCode.Greater, 3, 0)
                Instruction(OpCode.Select, 10, 6, 5)
                Instruction(OpCode.Select, 9, 11, 7)
                Instruction(OpCode.Select, 8, 4, 12)
            |],
            [ 13, factor ]
        )

        factor

    override _.Infer operands =
        operands[0].RequireNumbers "norm"

        [| { operands[0] with Shape = operands[0].Shape[.. kept - 1] } |]

    override _.Evaluation =
        Compute(fun emitter sources targets ->
            let x, target = sources[0], targets[0]
            let axes = trailing x.Shape

            if Shape.size x.Shape = 0 then
                Structure.clear emitter target
            else
                let absolute, largest = emitter.Temporary x.Signature, emitter.Temporary target.Signature
                emitter.Map([ x ], [||], [| Instruction(OpCode.Abs, 0) |], [ 1, absolute ])
                emitter.Reduce(ReductionKind.Maximum, absolute, axes, largest)
                let factor, squares = factors emitter largest, emitter.Temporary target.Signature
                let repeated = View.broadcast x.Shape [| 0 .. kept - 1 |] factor

                let square = [| Instruction(OpCode.Multiply, 0, 1); Instruction(OpCode.Multiply, 2, 2) |]
                emitter.Map([ x; repeated ], [||], square, [ 3, squares ])
                let root = [| Instruction(OpCode.Sqrt, 0); Instruction(OpCode.Divide, 2, 1) |]
                emitter.Map([ squares; factor ], [||], root, [ 3, target ]))

    override _.Jvp(primals, results, tangents) =
        let x = primals[0]
        [| tangents[0] |> Tangent.map (along (divide x (spread x.Signature.Shape results[0]))) |]

    override _.Batch(_, operands, _) = Interpreter.Bind(Norm(kept + 1), operands)

    override _.QuadraticForm(cotangents, primals, results, tangents) =
        match cotangents[0], tangents[0] with
        | ValueSome c, ValueSome t ->
            let shape = t.Signature.Shape
            let y = spread shape results[0]
            let u = divide primals[0] y
            let outside = t - u * spread shape (along u t)
            ValueSome((c * (t * divide outside y).SumOver(trailing shape)).SumAll())
        | _ -> ValueNone

    interface ITaylorRule with
        member this.Series(primals, results, coefficients) = Jets.byDerivative this primals results coefficients
