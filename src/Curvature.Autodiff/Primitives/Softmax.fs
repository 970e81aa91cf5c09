namespace Curvature

open Curvature.Kernels

/// Functions of the softmax of the last axis that are primitives of their own, because their compositions cancel in
/// float32. Each row is shifted by its own maximum.
module internal Softmax =

    let private lastAxis (shape: int[]) = shape.Length - 1
    let private rows (shape: int[]) = shape[.. shape.Length - 2]

    /// Repeats a value per row along the last axis of a shape.
    let private perRow (shape: int[]) (value: Tensor) : Tensor =
        Interpreter.Bind(Broadcast(shape, [| 0 .. shape.Length - 2 |]), value)[0]

    let private perRowView (shape: int[]) (view: View) = View.broadcast shape [| 0 .. shape.Length - 2 |] view

    let private overRows (value: Tensor) : Tensor = value.SumOver [| value.Rank - 1 |]

    let private checkRows name (operand: Signature) =
        if operand.Shape.Length = 0 || operand.Shape[lastAxis operand.Shape] = 0 then
            raise (ShapeException $"{name}: the last axis of shape {Shape.show operand.Shape} has no elements")

        if operand.DType = DType.Int32 then
            raise (DTypeException $"{name}: arithmetic needs Float32 or Float64, and got Int32")

    /// Emits the maximum of each row; rows of −∞ give the lowest finite number, so that shifting by it is defined.
    let private rowMaximum (emitter: Emitter) (source: View) =
        let signature: Signature = { Shape = rows source.Shape; DType = source.DType }

        let maximum = emitter.Temporary signature
        let axes = [| lastAxis source.Shape |]

        let reduction =
            Reduction(source.DType, ReductionKind.Maximum, source.Shape, axes, source.Operand, maximum.Operand)

        emitter.Emit(emitter.Device.Reduce reduction, [ source ], [ maximum ])

        let lowest =
            if source.DType = DType.Float32 then
                -float System.Single.MaxValue
            else
                -System.Double.MaxValue

        let clamp =
            Tape(
                source.DType,
                signature.Shape,
                [| maximum.Operand |],
                [| lowest |],
                [| Instruction(OpCode.Maximum, 0, 1) |],
                [| TapeOutput(2, maximum.Operand) |]
            )

        emitter.Emit(emitter.Device.Map clamp, [ maximum ], [ maximum ])
        maximum

    /// ln Σ eˣ over the last axis; its derivative is the softmax p, and D²[t, t] the variance of t under p.
    [<Sealed>]
    type LogSumExp() =
        inherit Primitive("LogSumExp", box ())

        static member Of(x: Tensor) : Tensor = Interpreter.Bind(LogSumExp(), x)[0]

        /// p = exp(x − logsumexp x).
        static member Softmax(x: Tensor, logSumExp: Tensor) : Tensor =
            Tensor.Exp(x - perRow x.Signature.Shape logSumExp)

        /// Σ p(t − Σ p t)² for each row, which does not cancel as Σ p t² − (Σ p t)² does.
        static member Variance(p: Tensor, t: Tensor) : Tensor =
            let deviation = t - perRow t.Signature.Shape (overRows (p * t))
            overRows (p * (deviation * deviation))

        override _.Infer operands =
            checkRows "logsumexp" operands[0]
            [| { operands[0] with Shape = rows operands[0].Shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let x, target = sources[0], targets[0]
                let maximum = rowMaximum emitter x
                let total = emitter.Temporary target.Signature

                let sum =
                    Tape(
                        x.DType,
                        x.Shape,
                        [| x.Operand; (perRowView x.Shape maximum).Operand |],
                        [||],
                        [| Instruction(OpCode.Subtract, 0, 1); Instruction(OpCode.Exp, 2) |],
                        [| TapeOutput(3, total.Operand, 1) |]
                    )

                emitter.Emit(emitter.Device.Map sum, [ x; maximum ], [ total ])

                let finish =
                    Tape(
                        x.DType,
                        target.Shape,
                        [| maximum.Operand; total.Operand |],
                        [||],
                        [| Instruction(OpCode.Log, 1); Instruction(OpCode.Add, 0, 2) |],
                        [| TapeOutput(3, target.Operand) |]
                    )

                emitter.Emit(emitter.Device.Map finish, [ maximum; total ], [ target ]))

        override _.Jvp(primals, results, tangents) =
            [| tangents[0] |> Tangent.map (fun t -> overRows (LogSumExp.Softmax(primals[0], results[0]) * t)) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

        override _.QuadraticForm(cotangents, primals, results, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t ->
                ValueSome((c * LogSumExp.Variance(LogSumExp.Softmax(primals[0], results[0]), t)).SumAll())
            | _ -> ValueNone

    /// −Σ q·log softmax(x) over the last axis, for logits x and target distributions q.
    [<Sealed>]
    type CrossEntropy() =
        inherit Primitive("SoftmaxCrossEntropy", box ())

        override _.Infer operands =
            let x, q = operands[0], operands[1]
            checkRows "softmaxCrossEntropy" x

            if x.Shape <> q.Shape then
                raise (
                    ShapeException
                        $"softmaxCrossEntropy: logits have shape {Shape.show x.Shape} and targets {Shape.show q.Shape}"
                )

            if x.DType <> q.DType then
                raise (
                    DTypeException
                        $"softmaxCrossEntropy: logits are {x.DType} and targets {q.DType}; convert one of them"
                )

            [| { x with Shape = rows x.Shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let x, q, target = sources[0], sources[1], targets[0]
                let maximum = rowMaximum emitter x
                let exponentials = emitter.Temporary target.Signature
                let weighted = emitter.Temporary target.Signature
                let mass = emitter.Temporary target.Signature

                let sums =
                    Tape(
                        x.DType,
                        x.Shape,
                        [| x.Operand; (perRowView x.Shape maximum).Operand; q.Operand |],
                        [||],
                        [|
                            Instruction(OpCode.Subtract, 0, 1)
                            Instruction(OpCode.Exp, 3)
                            Instruction(OpCode.Multiply, 2, 3)
                        |],
                        [|
                            TapeOutput(4, exponentials.Operand, 1)
                            TapeOutput(5, weighted.Operand, 1)
                            TapeOutput(2, mass.Operand, 1)
                        |]
                    )

                emitter.Emit(emitter.Device.Map sums, [ x; maximum; q ], [ exponentials; weighted; mass ])

                let finish =
                    Tape(
                        x.DType,
                        target.Shape,
                        [| exponentials.Operand; weighted.Operand; mass.Operand |],
                        [||],
                        [|
                            Instruction(OpCode.Log, 0)
                            Instruction(OpCode.Multiply, 2, 3)
                            Instruction(OpCode.Subtract, 4, 1)
                        |],
                        [| TapeOutput(5, target.Operand) |]
                    )

                emitter.Emit(emitter.Device.Map finish, [ exponentials; weighted; mass ], [ target ]))

        override _.Jvp(primals, _, tangents) =
            let x, q = primals[0], primals[1]
            let logSumExp = LogSumExp.Of x

            let alongLogits =
                tangents[0]
                |> Tangent.map (fun t ->
                    let mass = perRow x.Signature.Shape (overRows q)
                    overRows ((mass * LogSumExp.Softmax(x, logSumExp) - q) * t))

            let alongTargets =
                tangents[1] |> Tangent.map (fun t -> overRows ((perRow x.Signature.Shape logSumExp - x) * t))

            [| Tangent.add alongLogits alongTargets |]

        override this.Batch(size, operands, batched) = Interpreter.Bind(this, Batched.align size operands batched)

        override _.QuadraticForm(cotangents, primals, _, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t ->
                let x, q = primals[0], primals[1]
                let p = LogSumExp.Softmax(x, LogSumExp.Of x)
                let curvature = (c * overRows q * LogSumExp.Variance(p, t)).SumAll()

                let cross =
                    tangents[1]
                    |> Tangent.map (fun u ->
                        let mean = perRow t.Signature.Shape (overRows (p * t))
                        2.0 * (c * overRows (u * (mean - t))).SumAll())

                Tangent.add (ValueSome curvature) cross
            | _ -> ValueNone
