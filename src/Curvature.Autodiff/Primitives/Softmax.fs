namespace Curvature

open Curvature.Kernels

/// Softmax of the last axis, and functions of it. They are primitives because their compositions lose digits in
/// Float32. Each row is shifted by its maximum.
module internal Softmax =

    let private lastAxis (shape: int[]) = shape.Length - 1
    let private rows (shape: int[]) = shape[.. shape.Length - 2]

    /// Repeats a value per row along the last axis of a shape.
    let private perRow (shape: int[]) (value: Tensor) : Tensor =
        Tensor.Of(Broadcast(shape, [| 0 .. shape.Length - 2 |]), value)

    let private perRowView (shape: int[]) (view: View) = View.broadcast shape [| 0 .. shape.Length - 2 |] view

    let private overRows (value: Tensor) : Tensor = value.SumOver [| value.Rank - 1 |]

    let private checkRows name (operand: Signature) =
        if operand.Shape.Length = 0 || operand.Shape[lastAxis operand.Shape] = 0 then
            Fail.shape $"{name}: the last axis of shape {Shape.show operand.Shape} has no elements"

        operand.RequireNumbers name

    /// e^(x − maximum): register 3 of a tape on x and the maximum of its row.
    let private shiftedExp = [| Instruction(OpCode.Subtract, 0, 1); Instruction(OpCode.Exp, 2) |]

    /// Emits the maximum of each row, clamped to finite numbers, so that shifting rows of infinities by it is defined.
    let private rowMaximum (emitter: Emitter) (source: View) =
        let signature: Signature = { Shape = rows source.Shape; DType = source.DType }

        let maximum = emitter.Temporary signature
        emitter.Reduce(ReductionKind.Maximum, source, [| lastAxis source.Shape |], maximum)

        let largest =
            if source.DType = DType.Float32 then
                float System.Single.MaxValue
            else
                System.Double.MaxValue

        let clamp = [| Instruction(OpCode.Maximum, 0, 1); Instruction(OpCode.Minimum, 3, 2) |]
        emitter.Map([ maximum ], [| -largest; largest |], clamp, [ 4, maximum ])
        maximum

    /// p = eˣ / Σ eˣ over the last axis. It is computed from shifted exponentials: exp(x − logsumexp x) has few digits
    /// left for large x. D²p[t, t] = p·((t − t̄)² − Σ p(t − t̄)²) with t̄ = Σ p t.
    [<Sealed>]
    type Probabilities() =
        inherit Primitive("Softmax", null)

        static member Of(x: Tensor) : Tensor = Tensor.Of(Probabilities(), x)

        /// t − Σ p t for each row.
        static member Deviation(p: Tensor, t: Tensor) : Tensor = t - perRow t.Signature.Shape (overRows (p * t))

        /// Σ p(t − Σ p t)² for each row, which does not cancel as Σ p t² − (Σ p t)² does.
        static member Variance(p: Tensor, t: Tensor) : Tensor =
            let deviation = Probabilities.Deviation(p, t)
            overRows (p * (deviation * deviation))

        override _.Infer operands =
            checkRows "softmax" operands[0]
            operands

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let x, target = sources[0], targets[0]
                let maximum = rowMaximum emitter x

                let total = emitter.Temporary { Shape = rows x.Shape; DType = x.DType }

                emitter.Map([ x; perRowView x.Shape maximum ], [||], shiftedExp, [ 3, target; 3, total ])
                let divide = [| Instruction(OpCode.Divide, 0, 1) |]
                emitter.Map([ target; perRowView x.Shape total ], [||], divide, [ 2, target ]))

        override _.Jvp(_, results, tangents) =
            [| tangents[0] |> Tangent.map (fun t -> results[0] * Probabilities.Deviation(results[0], t)) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

        override _.QuadraticForm(cotangents, _, results, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t ->
                let p = results[0]
                let deviation = Probabilities.Deviation(p, t)
                let variance = perRow t.Signature.Shape (overRows (p * (deviation * deviation)))
                ValueSome((c * p * (deviation * deviation - variance)).SumAll())
            | _ -> ValueNone

        interface ITaylorRule with
            member this.Series(primals, results, coefficients) = Jets.byDerivative this primals results coefficients

    /// ln Σ eˣ over the last axis; its derivative is the softmax p, and D²[t, t] the variance of t under p.
    [<Sealed>]
    type LogSumExp() =
        inherit Primitive("LogSumExp", null)

        static member Of(x: Tensor) : Tensor = Tensor.Of(LogSumExp(), x)

        override _.Infer operands =
            checkRows "logsumexp" operands[0]
            [| { operands[0] with Shape = rows operands[0].Shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let x, target = sources[0], targets[0]
                let maximum = rowMaximum emitter x
                let total = emitter.Temporary target.Signature
                emitter.Map([ x; perRowView x.Shape maximum ], [||], shiftedExp, [ 3, total ])
                let unshift = [| Instruction(OpCode.Log, 1); Instruction(OpCode.Add, 0, 2) |]
                emitter.Map([ maximum; total ], [||], unshift, [ 3, target ]))

        override _.Jvp(primals, _, tangents) =
            [| tangents[0] |> Tangent.map (fun t -> overRows (Probabilities.Of primals[0] * t)) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

        override _.QuadraticForm(cotangents, primals, _, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t ->
                ValueSome((c * Probabilities.Variance(Probabilities.Of primals[0], t)).SumAll())
            | _ -> ValueNone

        interface ITaylorRule with
            member this.Series(primals, results, coefficients) = Jets.byDerivative this primals results coefficients

    /// −Σ q·log softmax(x) over the last axis, for logits x and target distributions q.
    [<Sealed>]
    type CrossEntropy() =
        inherit Primitive("SoftmaxCrossEntropy", null)

        override _.Infer operands =
            let x, q = operands[0], operands[1]
            checkRows "softmaxCrossEntropy" x

            if x.Shape <> q.Shape then
                Fail.shape
                    $"softmaxCrossEntropy: logits have shape {Shape.show x.Shape} and targets {Shape.show q.Shape}"

            if x.DType <> q.DType then
                Fail.dtype $"softmaxCrossEntropy: logits are {x.DType} and targets {q.DType}; convert one of them"

            [| { x with Shape = rows x.Shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let x, q, target = sources[0], sources[1], targets[0]
                let maximum = rowMaximum emitter x
                let exponentials = emitter.Temporary target.Signature
                let weighted = emitter.Temporary target.Signature
                let mass = emitter.Temporary target.Signature

                emitter.Map(
                    [ x; perRowView x.Shape maximum; q ],
                    [| 0.0 |],
                    // A class of weight 0 adds 0, even where its logit is −∞.
                    [|
                        Instruction(OpCode.Subtract, 0, 1)
                        Instruction(OpCode.Exp, 4)
                        Instruction(OpCode.Multiply, 2, 4)
                        Instruction(OpCode.Select, 2, 6, 3)
                    |],
                    [ 5, exponentials; 7, weighted; 2, mass ]
                )

                emitter.Map(
                    [ exponentials; weighted; mass ],
                    [||],
                    [|
                        Instruction(OpCode.Log, 0)
                        Instruction(OpCode.Multiply, 2, 3)
                        Instruction(OpCode.Subtract, 4, 1)
                    |],
                    [ 5, target ]
                ))

        override _.Jvp(primals, _, tangents) =
            let x, q = primals[0], primals[1]

            let alongLogits =
                tangents[0]
                |> Tangent.map (fun t ->
                    let mass = perRow x.Signature.Shape (overRows q)
                    overRows ((mass * Probabilities.Of x - q) * t))

            let alongTargets =
                tangents[1] |> Tangent.map (fun t -> overRows ((perRow x.Signature.Shape (LogSumExp.Of x) - x) * t))

            [| Tangent.add alongLogits alongTargets |]

        override this.Batch(size, operands, batched) = Interpreter.Bind(this, Batched.align size operands batched)

        override _.QuadraticForm(cotangents, primals, _, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t ->
                let x, q = primals[0], primals[1]
                let p = Probabilities.Of x
                let curvature = (c * overRows q * Probabilities.Variance(p, t)).SumAll()

                let cross =
                    tangents[1]
                    |> Tangent.map (fun u -> -2.0 * (c * overRows (u * Probabilities.Deviation(p, t))).SumAll())

                Tangent.add (ValueSome curvature) cross
            | _ -> ValueNone

        interface ITaylorRule with
            member this.Series(primals, results, coefficients) = Jets.byDerivative this primals results coefficients
