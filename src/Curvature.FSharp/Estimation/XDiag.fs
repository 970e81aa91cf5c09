namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What XDiag knows of an operator so far.
[<Sealed>]
type internal XDiagIncremental<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator, sketch: RangeSketch) =
    inherit SketchIncremental<'T>()
    let mutable spread = infinity

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

    override _.Samples = if sketch.IsSaturated then max 1 sketch.Outsiders else max 1 sketch.Live
    override _.CostOfVector = 2
    override _.Spent = Cost.products sketch.Spent
    override _.IsExact = sketch.IsComplete
    override _.Extend count = sketch.Grow count |> ignore

    override this.Analyse() =
        let result = settle ()
        Found.diagonal goal this.Samples sketch.IsComplete result

/// XDiag (Epperly, Tropp & Webber 2024, section 2.5): the diagonal by the idea of XTrace. It needs products with the transpose, and
/// an error bar comes with each entry.
///
/// m products give k = ⌊m/2⌋ vectors. Beside them it costs O(nk²) operations and the memory of m vectors.
[<RequireQualifiedAccess>]
module XDiag =

    let private ofGoal (goal: LinearOperator -> DiagonalGoal<'T>) exact probe : Estimator<'T> =
        Estimator.keepingVectors "XDiag" OperatorNeed.Square 2 exact (fun key operator ->
            let sketch = RangeSketch("XDiag", operator, operator.Transposed, probe, key)
            XDiagIncremental(goal operator, operator, sketch))

    /// XDiag from vectors of a probe.
    let withProbe probe : Estimator<Estimate<Tensor>> = ofGoal DiagonalGoal.entries Measurement.diagonal.Exact probe

    /// XDiag from signs.
    let estimator = withProbe Probe.rademacher

    /// The traces of the diagonal blocks of ranges, from vectors of a probe.
    let blockTracesWithProbe probe (blocks: ParameterBlock seq) : Estimator<BlockTrace[]> =
        let goal = DiagonalGoal.blockTraces "XDiag.blockTraces" blocks
        ofGoal goal (Measurement.blockTraces blocks).Exact probe

    /// The diagonal of a square operator with a known transpose, Float64 [n], from signs. Unbiased. Standard errors are enlarged as for XTrace.
    /// An operator whose rank the basis exhausts gives an exact result, as does a rule that allows as many products as there are columns.
    /// Raises OperatorException for an operator that is not square, has no known transpose, or claims a symmetry that its
    /// products do not have, and ArgumentRangeException for fewer than 2 products.
    let estimate stop key (operator: LinearOperator) : Estimate<Tensor> = Estimate.run estimator stop key operator

    /// The traces of the diagonal blocks of ranges, from signs, at the cost of the diagonal, with error bars of their own; see `estimate`.
    let blockTraces stop key (blocks: ParameterBlock seq) (operator: LinearOperator) : BlockTrace[] =
        Estimate.run (blockTracesWithProbe Probe.rademacher blocks) stop key operator
