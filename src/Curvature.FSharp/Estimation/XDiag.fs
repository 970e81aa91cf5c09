namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What XDiag knows of an operator so far.
[<Sealed>]
type internal XDiagGrowth<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator, sketch: RangeSketch) =
    inherit Growing<'T>()
    let nothing = Tensor.zeros DType.Float64 [ goal.Length ] |> Tensor.toDevice operator.Device
    let mutable result = struct (nothing, nothing)
    let mutable spread = infinity
    let mutable isSettled = false

    /// Row i corrects diag(QQᵀA) by what leaves the basis with ωᵢ, and by ωᵢ∘(I − Q₍ᵢ₎Q₍ᵢ₎ᵀ)Aωᵢ.
    let leaveOneOut (h: Matrix<float>) (samples: DiagonalSamples<'T>) =
        let triangle = sketch.Triangle
        let s = RangeSketch.Directions triangle
        let removed = SmallMatrices.columnDots s (h * s)
        let sR = SmallMatrices.columnDots s triangle

        for struct (first, omega) in sketch.LiveVectors do
            let count = Rows.count omega
            let directions = s.SubMatrix(0, s.RowCount, first, count).Transpose()
            let out = Rows.combineAll directions sketch.Basis
            let images = Rows.combineAll directions sketch.Images
            let weights = Rows.column omega sR[first .. first + count - 1]
            samples.AddCorrections(out * (weights * omega - images))
            samples.AddSampled(out * weights * omega)
            samples.AddMissed(Tensor.square out, removed[first .. first + count - 1])

    let settle () =
        if sketch.Live = 0 && not sketch.IsComplete then sketch.DrawOutsider()
        let samples = DiagonalSamples(goal, operator)

        for rows in sketch.DiagonalInside do
            samples.AddBase rows

        let h = sketch.Projected

        if sketch.IsSaturated || sketch.Live = 0 then
            sketch.DiagonalOutside |> ValueOption.iter samples.AddCorrections
        else
            leaveOneOut h samples

        spread <- samples.Spread
        samples.Combine(LeaveOneOutError.traceFactor, h.RowCount, 1.0, 0.0)

    /// The length of the standard deviations of one sample of what the vectors so far have missed.
    member _.Spread = spread

    /// The length of the standard deviations of one sample ω∘Aω.
    member _.PlainSpread: float =
        let moments = RunningVectorMoments(goal.Length, operator.Device)
        sketch.Weighted |> Seq.iter (goal.Reduce >> moments.AddRows)
        moments.Deviation

    /// An operator, and a measurement of which each sample is an independent estimate of the whole diagonal, as in UDiag++.
    member _.Outside() : struct (LinearOperator * Measurement<Estimate<Tensor>>) =
        let sum (rows: Tensor) = Tensor.sumAxes [ 0 ] (Tensor.convert DType.Float64 rows)
        let known = sketch.DiagonalInside |> Seq.map sum |> Seq.reduce (+)
        struct (Deflation.left sketch.Basis operator, Deflation.diagonal operator.DType known)

    override _.Cost = 2
    override _.Spent = sketch.Spent
    override _.Samples = if sketch.IsSaturated then max 1 sketch.Outsiders else max 1 sketch.Live
    override _.IsExact = sketch.IsComplete

    override _.Grow count =
        sketch.Grow count |> ignore
        isSettled <- false

    override _.Settle() =
        if not isSettled then
            result <- settle ()
            isSettled <- true

    override this.Summary =
        let struct (value, error) = DiagonalSamples<'T>.Norms result
        struct (value, (if this.Samples < 2 && not sketch.IsComplete then infinity else error))

    override _.Finish ledger =
        let struct (value, error) = result
        goal.Finish value error ledger

/// XDiag (Epperly, Tropp & Webber 2024, section 2.5): the diagonal by the idea of XTrace. It needs products with the transpose, and
/// an error bar comes with each entry.
///
/// m products give k = ⌊m/2⌋ vectors. Beside them it costs O(nk²) operations and the memory of m vectors.
[<RequireQualifiedAccess>]
module XDiag =

    let private run goal options probe stop key (operator: LinearOperator) =
        OperatorParts.requireSquare "XDiag" operator
        Growth.requireProducts "XDiag" (min 2 operator.Columns) stop

        Checkpoint.keeping options operator (fun options operator ->
            let goal = goal operator
            let sketch = RangeSketch("XDiag", operator, operator.Transposed, probe, key)
            let growing = XDiagGrowth(goal, operator, sketch)
            Growth(options, stop, operator, growing, goal.Exact options).Run())

    /// XDiag with another probe, and options for cancellation, progress and block size.
    let estimateWith (options: SamplingOptions) probe stop key (operator: LinearOperator) : Estimate<Tensor> =
        run DiagonalGoal.entries options probe stop key operator

    /// The diagonal of a square operator with a known transpose, Float64 [n], from signs. Unbiased. Standard errors are enlarged as for XTrace.
    /// An operator whose rank the basis exhausts gives an exact result, as does a rule that allows as many products as there are columns.
    /// Raises OperatorException for an operator that is not square, has no known transpose, or claims a symmetry that its
    /// products do not have, and ArgumentRangeException for fewer than 2 products.
    let estimate stop key (operator: LinearOperator) : Estimate<Tensor> =
        estimateWith SamplingOptions.Default Probe.rademacher stop key operator

    /// The traces of the diagonal blocks of ranges, at the cost of the diagonal, with error bars of their own.
    let blockTracesWith
        (options: SamplingOptions)
        probe
        stop
        key
        (blocks: ParameterBlock seq)
        (operator: LinearOperator)
        =
        run (DiagonalGoal.blockTraces "XDiag.blockTraces" blocks) options probe stop key operator

    /// The traces of the diagonal blocks of ranges, from signs; see `estimate`.
    let blockTraces stop key (blocks: ParameterBlock seq) (operator: LinearOperator) : BlockTrace[] =
        blockTracesWith SamplingOptions.Default Probe.rademacher stop key blocks operator
