namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What XDiag knows of an operator so far.
[<Sealed>]
type internal XDiagIncremental<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator, sketch: RangeSketch) =
    inherit RangeIncremental<'T>(sketch)
    let mutable spread = infinity

    /// Let AΩ = QR, Z = AᵀQ, and sᵢ the columns of R⁻ᵀ with length 1, so that Q₍ᵢ₎Q₍ᵢ₎ᵀ = Q(I − sᵢsᵢᵀ)Qᵀ; see XTrace.
    /// Then
    ///   diag(Q₍ᵢ₎Q₍ᵢ₎ᵀA) = diag(QQᵀA) − Qsᵢ∘Zsᵢ  and  ωᵢ∘(I − Q₍ᵢ₎Q₍ᵢ₎ᵀ)Aωᵢ = (sᵢᵀrᵢ)·ωᵢ∘Qsᵢ,
    /// since Aωᵢ = Qrᵢ. Their sum is what vector i says of the diagonal; diag(QQᵀA) is common to all.
    let leaveOneOut (h: Matrix<float>) (samples: DiagonalSamples<'T>) =
        let r = sketch.Triangle
        let s = RangeSketch.Directions r
        let sTHs, sTr = SmallMatrices.columnDots s (h * s), SmallMatrices.columnDots s r

        for struct (first, omega) in sketch.LiveVectors do
            let last = first + Rows.count omega - 1
            let sT = s.SubMatrix(0, s.RowCount, first, Rows.count omega).Transpose()
            let qs, zs = Rows.combineAll sT sketch.Basis, Rows.combineAll sT sketch.Images
            let sTrColumn = Rows.column omega sTr[first..last]
            samples.AddCorrections(qs * (sTrColumn * omega - zs))
            samples.AddSampled(qs * sTrColumn * omega)
            samples.AddMissed(Tensor.square qs, sTHs[first..last])

    let settle () =
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

    override _.SpreadOutside = spread
    override _.SpreadOfSamples = sketch.Samples |> Seq.map _.Weighted |> DiagonalGoal.deviation goal operator.Device

    /// As in UDiag++.
    override _.Outside() =
        let known = sketch.DiagonalInside |> Seq.map (DiagonalGoal.sum goal) |> Seq.reduce (+)
        struct (Deflation.left sketch.Basis operator, KnownPart.diagonal goal operator.DType known _.Weighted)

    override _.Samples = if sketch.IsSaturated then max 1 sketch.Outsiders else max 1 sketch.Live

    override this.AnalyseSketch() =
        let result = settle ()
        Found.diagonal goal this.Samples sketch.IsComplete result

/// XDiag (Epperly, Tropp & Webber 2024, section 2.5): the diagonal by the idea of XTrace. It needs products with the
/// transpose, and an error bar comes with each entry.
///
/// m products give k = ⌊m/2⌋ vectors. Beside them it costs O(nk²) operations and the memory of m vectors.
[<RequireQualifiedAccess>]
module XDiag =

    let private ofGoal (goal: LinearOperator -> DiagonalGoal<'T>) exact probe : Estimator<'T> =
        Procedure.Sketch(fun key operator ->
            let sketch = RangeSketch("XDiag", operator, operator.Transposed, probe, key)
            XDiagIncremental(goal operator, operator, sketch))
        |> Estimator.make "XDiag" OperatorNeed.SquareWithTranspose 2 exact

    /// XDiag from vectors of a probe.
    let withProbe probe : Estimator<Estimate<Tensor>> = ofGoal DiagonalGoal.entries Measurement.diagonal.Exact probe

    /// XDiag from signs.
    let estimator = withProbe Probe.rademacher

    /// The traces of the diagonal blocks of ranges, from vectors of a probe.
    let blockTracesWithProbe probe (blocks: ParameterBlock seq) : Estimator<BlockTrace[]> =
        let goal = DiagonalGoal.blockTraces "XDiag.blockTraces" blocks
        ofGoal goal (Measurement.blockTraces blocks).Exact probe

    /// The diagonal of a square operator with a known transpose, Float64 [n], from signs. Unbiased. Standard errors
    /// are enlarged as for XTrace. An operator whose rank the basis exhausts gives an exact result, as does a rule
    /// that allows as many products as there are columns.
    /// Raises OperatorException for an operator that is not square, has no known transpose, or claims a symmetry that
    /// its products do not have, and ArgumentRangeException for fewer than 2 products.
    let estimate stop key (operator: LinearOperator) : Estimate<Tensor> = Estimate.run estimator stop key operator

    /// The traces of the diagonal blocks of ranges, from signs, at the cost of the diagonal, each with its error bar;
    /// see `estimate`.
    let blockTraces stop key (blocks: ParameterBlock seq) (operator: LinearOperator) : BlockTrace[] =
        Estimate.run (blockTracesWithProbe Probe.rademacher blocks) stop key operator
