namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What XTrace says when it leaves out one random vector.
[<Struct; NoEquality; NoComparison>]
type internal LeftOut =
    {
        /// The trace, as the vector estimates it.
        Trace: float
        /// αᵢ·uᵢᵀAuᵢ, what it sees outside the basis of the others.
        Form: float
        /// ρᵢ − τᵢ, how far the direction that leaves the basis with it exceeds what the form expects there.
        Excess: float
    }

/// What XTrace knows of an operator so far.
[<Sealed>]
type internal XTraceIncremental(operator: LinearOperator, sketch: RangeSketch) =
    inherit RangeIncremental<Estimate<float>>(sketch)
    let n = operator.Columns
    let mutable spread = infinity

    /// Let AΩ = QR, H = QᵀAQ, and sᵢ the columns of R⁻ᵀ with length 1. A basis Q₍ᵢ₎ of all images but number i has
    /// Q₍ᵢ₎Q₍ᵢ₎ᵀ = Q(I − sᵢsᵢᵀ)Qᵀ (Epperly, Tropp & Webber 2024, section 2.1), so that
    ///   tr(Q₍ᵢ₎ᵀAQ₍ᵢ₎) = tr H − sᵢᵀHsᵢ.
    /// With wᵢ = Qᵀωᵢ and xᵢ = wᵢ − (sᵢᵀwᵢ)sᵢ, ωᵢ leaves the basis by uᵢ = (I − Q₍ᵢ₎Q₍ᵢ₎ᵀ)ωᵢ = ωᵢ − Qxᵢ. From Aωᵢ =
    /// Qrᵢ, and with tᵢ = (AQ)ᵀωᵢ,
    ///   uᵢᵀAuᵢ = xᵢᵀHxᵢ − tᵢᵀxᵢ + (sᵢᵀwᵢ)(sᵢᵀrᵢ).
    /// Resphering multiplies that by αᵢ = (n − k + 1)/‖uᵢ‖², where ‖uᵢ‖² = ‖ωᵢ‖² − ‖xᵢ‖² (section 2.3).
    let leaveOneOut (h: Matrix<float>) : LeftOut[] =
        let r = sketch.Triangle
        let s = RangeSketch.Directions r
        let sTHs, sTr = SmallMatrices.columnDots s (h * s), SmallMatrices.columnDots s r
        let dimensionOutside = float (n - r.RowCount + 1)

        [|
            for struct (first, omega) in sketch.LiveVectors do
                let w, t = Rows.productsWith sketch.Basis omega, Rows.productsWith sketch.Images omega
                let omegaTOmega = (Rows.products omega omega).Diagonal()

                for j in 0 .. Rows.count omega - 1 do
                    let i = first + j
                    let si, wi, ti = s.Column i, w.Column j, t.Column j
                    let sTw = wi * si
                    let x = wi - sTw * si
                    let uTAu = x * (h * x) - ti * x + sTw * sTr[i]

                    let form, expected =
                        if sketch.IsRotationInvariant then
                            let form = uTAu * dimensionOutside / (omegaTOmega[j] - x * x)
                            form, form / dimensionOutside
                        else
                            uTAu, 0.0

                    { Trace = h.Trace() - sTHs[i] + form; Form = form; Excess = sTHs[i] - expected }
        |]

    /// Whether a single vector can be left out, since the others stay in the basis for good.
    let isAlone () = sketch.Live = 1 && sketch.HasFrozen

    let settle () =
        let h = sketch.Projected

        if sketch.IsSaturated || sketch.Live = 0 then
            spread <- sketch.SpreadOutside
            sketch.TraceInside h
        else
            let rounding = sketch.Rounding h
            let leftOut = leaveOneOut h
            spread <- leftOut |> Array.map _.Form |> Moments.deviation

            if isAlone () then
                // All that it sees outside the basis counts as error: nothing tells how that varies.
                let only = leftOut[0]
                struct (only.Trace, Rounding.length [| only.Form; sqrt 2.0 * only.Excess; rounding |])
            else
                let inflation = LeaveOneOutError.inflation LeaveOneOutError.traceFactor n h.RowCount

                LeaveOneOutError.combine
                    inflation
                    rounding
                    (leftOut |> Array.map _.Trace)
                    (leftOut |> Array.map _.Excess)

    override _.SpreadOutside = spread
    override _.SpreadOfSamples = sketch.Samples |> Seq.collect _.Forms |> Moments.deviation
    override _.AsSamples = sketch.Samples
    override _.Rank = if operator.IsSymmetric then sketch.EffectiveRank else 0.0

    /// As in Hutch++.
    override _.Outside() =
        let h = sketch.Projected
        let forms = Deflation.forms sketch.Basis Probe.Rademacher

        struct (Deflation.symmetric sketch.Basis operator, KnownPart.scalar (h.Trace()) (sketch.Rounding h) forms)

    // Where fewer than two can be left out because others are frozen, the error comes from one vector: its interval is
    // that of two.
    override _.Samples =
        if sketch.IsSaturated then max 2 sketch.Outsiders
        elif sketch.Live = 0 || isAlone () then 2
        else sketch.Live

    override this.AnalyseSketch() =
        let result = settle ()
        Found.scalar this.Samples sketch.IsComplete result

/// XTrace (Epperly, Tropp & Webber 2024, "XTrace: making the most of every sample in stochastic trace estimation"):
/// half of the products find the range of the operator, the other half its trace there, and each random vector in
/// turn estimates the trace of what the others have missed. It is exact for an operator of lower rank than there are
/// vectors, and far ahead of Hutchinson's estimator where the spectrum decays.
///
/// m products give k = ⌊m/2⌋ vectors. Beside them it costs O(nk²) operations and the memory of m vectors.
[<RequireQualifiedAccess>]
module XTrace =

    /// XTrace from vectors of a probe. Vectors of the sphere or normal ones are scaled to the length that they ought
    /// to have outside the basis ("resphering", section 2.3), which helps where what is left of the spectrum is flat;
    /// signs are not.
    let withProbe probe : Estimator<Estimate<float>> =
        Procedure.Sketch(fun key operator ->
            XTraceIncremental(operator, RangeSketch("XTrace", operator, operator, probe, key)))
        |> Estimator.make "XTrace" OperatorNeed.Square 2 Measurement.trace.Exact

    /// XTrace from vectors of the sphere, resphered.
    let estimator = withProbe Probe.sphere

    /// The trace of any square operator from vectors of the sphere (equation 2.9 with resphering). Unbiased. For
    /// rules that look at the error it grows until the error is reached, and uses every product to the end. Standard
    /// errors are larger than those of the paper, which are optimistic: s²/k times 1.44, or (n + k)/(n − k) where
    /// that is more, and 2·mean (ρᵢ − τᵢ)² added, where ρᵢ is the Rayleigh quotient of the direction that leaves the
    /// basis with vector i, and τᵢ the mean eigenvalue outside it. An operator whose rank the basis exhausts gives an
    /// exact result, as does a rule that allows as many products as there are columns. Where what is left is hidden
    /// by the rounding of products, but is not rounding itself, the vectors outside the basis estimate it. The error
    /// is not known from 2 or 3 products, which leave out a single vector.
    /// Raises OperatorException for an operator that is not square, or claims a symmetry that its products do not
    /// have, and ArgumentRangeException for fewer than 2 products.
    let estimate stop key (operator: LinearOperator) : Estimate<float> = Estimate.run estimator stop key operator
