namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What XTrace knows of an operator so far.
[<Sealed>]
type internal XTraceIncremental(operator: LinearOperator, sketch: RangeSketch) =
    inherit SketchIncremental<Estimate<float>>()
    let n = operator.Columns
    let mutable spread = infinity

    /// tᵢ = tr(Q₍ᵢ₎ᵀAQ₍ᵢ₎) + αᵢ·uᵢᵀAuᵢ with uᵢ = (I − Q₍ᵢ₎Q₍ᵢ₎ᵀ)ωᵢ, how far what it leaves out exceeds what it expects there, and
    /// αᵢ·uᵢᵀAuᵢ.
    let leaveOneOut (h: Matrix<float>) : struct (float * float * float)[] =
        let triangle = sketch.Triangle
        let s = RangeSketch.Directions triangle
        let removed = SmallMatrices.columnDots s (h * s)
        let sR = SmallMatrices.columnDots s triangle
        let rest = float (n - triangle.RowCount + 1)

        [|
            for struct (first, omega) in sketch.LiveVectors do
                let w = Rows.productsWith sketch.Basis omega
                let t = Rows.productsWith sketch.Images omega
                let squares = (Rows.products omega omega).Diagonal()

                for j in 0 .. Rows.count omega - 1 do
                    let i = first + j
                    let direction, own = s.Column i, w.Column j
                    let d = own * direction
                    let x = own - d * direction
                    let form = x * (h * x) - t.Column j * x + d * sR[i]

                    if sketch.IsRotationInvariant then
                        let form = form * rest / (squares[j] - x * x)
                        struct (h.Trace() - removed[i] + form, removed[i] - form / rest, form)
                    else
                        struct (h.Trace() - removed[i] + form, removed[i], form)
        |]

    /// Whether a single vector can be left out, since the others stay in the basis for good.
    let isAlone () = sketch.Live = 1 && sketch.HasFrozen

    let settle () =
        if sketch.Live = 0 && not sketch.IsComplete then sketch.DrawOutsider()
        let h = sketch.Projected

        if sketch.IsSaturated || sketch.Live = 0 then
            spread <- sketch.SpreadOutside
            sketch.TraceInside h
        else
            let rounding = sketch.Rounding h
            let leftOut = leaveOneOut h
            let values = leftOut |> Array.map (fun struct (value, _, _) -> value)
            let excess = leftOut |> Array.map (fun struct (_, excess, _) -> excess)
            let forms = leftOut |> Array.map (fun struct (_, _, form) -> form)
            spread <- Moments.deviation forms

            if isAlone () then
                // All that it sees of the rest counts as error: nothing tells how that varies.
                struct (values[0], Rounding.length [| forms[0]; sqrt 2.0 * excess[0]; rounding |])
            else
                let inflation = LeaveOneOutError.inflation LeaveOneOutError.traceFactor n h.RowCount
                LeaveOneOutError.combine inflation rounding values excess

    /// The standard deviation of one sample of what the vectors so far have missed.
    member _.Spread = spread

    /// The random vectors that can be left out, with their products.
    member _.SampleBlocks = sketch.Samples

    /// How many eigenvalues of one size a symmetric operator seems to have; see RangeSketch.
    member _.EffectiveRank = if operator.IsSymmetric then sketch.EffectiveRank else 0.0

    /// The standard deviation of one sample ωᵀAω.
    member _.PlainSpread: float =
        sketch.Weighted |> Seq.collect (fun rows -> (Tensor.sumAxes [ 1 ] rows).ToArray()) |> Moments.deviation

    /// An operator, and a measurement of which each sample is an independent estimate of the whole trace, as in Hutch++.
    member _.Outside() : struct (LinearOperator * Measurement<Estimate<float>>) =
        let h = sketch.Projected
        let measurement = Deflation.trace sketch.Basis Probe.Rademacher (h.Trace()) (sketch.Rounding h)
        struct (Deflation.symmetric sketch.Basis operator, measurement)

    // Where fewer than two can be left out because others are frozen, the error comes from one vector: its interval is that of two.
    override _.Samples =
        if sketch.IsSaturated then max 2 sketch.Outsiders
        elif sketch.Live = 0 || isAlone () then 2
        else sketch.Live

    override _.CostOfVector = 2
    override _.Spent = Cost.products sketch.Spent
    override _.IsExact = sketch.IsComplete
    override _.Extend count = sketch.Grow count |> ignore

    override this.Analyse() =
        let result = settle ()
        Found.scalar this.Samples sketch.IsComplete result

/// XTrace (Epperly, Tropp & Webber 2024, "XTrace: making the most of every sample in stochastic trace estimation"): half of the products
/// find the range of the operator, the other half its trace there, and each random vector in turn estimates the trace of what
/// the others have missed. It is exact for an operator of lower rank than there are vectors, and far ahead of Hutchinson's estimator
/// where the spectrum decays.
///
/// m products give k = ⌊m/2⌋ vectors. Beside them it costs O(nk²) operations and the memory of m vectors.
[<RequireQualifiedAccess>]
module XTrace =

    /// XTrace from vectors of a probe. Vectors of the sphere or normal ones are scaled to the length that they ought to have outside the
    /// basis ("resphering", section 2.3), which helps where what is left of the spectrum is flat; signs are not.
    let withProbe probe : Estimator<Estimate<float>> =
        Estimator.keepingVectors "XTrace" OperatorNeed.Square 2 Measurement.trace.Exact (fun key operator ->
            XTraceIncremental(operator, RangeSketch("XTrace", operator, operator, probe, key)))

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
