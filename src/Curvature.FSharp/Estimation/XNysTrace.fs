namespace Curvature.FSharp

open Curvature

/// What XNysTrace knows of an operator so far.
[<Sealed>]
type internal XNysTraceIncremental(operator: LinearOperator, probe: Probe, key: Key) =
    inherit SketchIncremental<Estimate<float>>()
    let n = operator.Columns
    let sketch = NystromSketch("XNysTrace", operator, probe, key)
    let mutable factors: NystromFactors voption = ValueNone
    let mutable spread = infinity
    let mutable isZero = false

    /// tᵢ = tr Â₍ᵢ₎ + αᵢ·ωᵢᵀ(A − Â₍ᵢ₎)ωᵢ, where Â₍ᵢ₎ = Â − zᵢzᵢᵀ.
    let leaveOneOut (factors: NystromFactors) =
        let m = sketch.Spent
        let removed = SmallMatrices.columnDots factors.Directions (factors.Approximation * factors.Directions)
        let total = factors.Approximation.Trace()
        let shift = factors.Shift * float n
        let rest = float (n - m + 1)

        let scale =
            if sketch.IsRotationInvariant then
                factors.Gram.Inverse().Diagonal().ToArray() |> Array.map (fun inverse -> rest * inverse)
            else
                Array.create m 1.0

        let forms = Array.map2 (*) scale factors.Forms
        let values = Array.map2 (fun own form -> total - own + form - shift) removed forms

        let excess =
            if sketch.IsRotationInvariant then
                Array.map2 (fun own form -> own - form / rest) removed forms
            else
                removed

        let rounding = shift + Rounding.ofProduct operator.DType total
        spread <- Moments.deviation forms
        let inflation = LeaveOneOutError.inflation LeaveOneOutError.nystromFactor n m
        LeaveOneOutError.combine inflation rounding values excess

    /// The standard deviation of one sample of what the vectors so far have missed.
    member _.Spread = spread

    /// The random vectors of the probe, with their forms.
    member _.SampleBlocks = sketch.Samples

    /// The standard deviation of one sample ωᵀAω.
    member _.PlainSpread: float =
        sketch.Weighted |> Seq.collect (fun rows -> (Tensor.sumAxes [ 1 ] rows).ToArray()) |> Moments.deviation

    /// An operator, and a measurement of which each sample is an independent estimate of the whole trace: tr Â + zᵀ(A − Â)z
    /// (Persson, Cortinovis & Kressner 2022, "Nyström++").
    member _.Outside() : struct (LinearOperator * Measurement<Estimate<float>>) =
        let factors = factors.Value
        let total = factors.Approximation.Trace()

        let missed (block: SampleBlock) =
            let inside = Rows.productsWith factors.Factor block.Vectors
            let lengths = Rows.squares block.Vectors

            block.Forms
            |> Array.mapi (fun i form -> form - inside.Column(i) * inside.Column(i) + factors.Shift * lengths[i])

        let rounding = factors.Shift * float n + Rounding.ofProduct operator.DType total
        struct (operator, Deflation.offset (total - factors.Shift * float n) rounding missed)

    override _.Samples = max 1 sketch.Spent
    override _.Spent = Cost.products sketch.Spent
    override _.IsExact = isZero
    override _.Extend count = sketch.Grow count

    override this.Analyse() =
        factors <- sketch.Factorize()
        isZero <- factors.IsNone

        match factors with
        | ValueSome factors -> leaveOneOut factors
        | ValueNone -> struct (0.0, 0.0)
        |> Found.scalar this.Samples isZero

/// XNysTrace (Epperly, Tropp & Webber 2024, section 2.4): the Nyström approximation from one pass of products, with each random vector in turn
/// estimating the trace of what the others have missed. For semidefinite operators only, such as Gauss–Newton and Fisher matrices;
/// for a negative semidefinite one take the negative.
///
/// It costs m products, O(nm²) operations and the memory of 3m vectors.
[<RequireQualifiedAccess>]
module XNysTrace =

    /// XNysTrace from vectors of a probe. Vectors of the sphere or normal ones are resphered; of signs, the last of every block is
    /// replaced by one of the sphere.
    let withProbe probe : Estimator<Estimate<float>> =
        Estimator.keepingVectors "XNysTrace" OperatorNeed.Semidefinite 1 Measurement.trace.Exact (fun key operator ->
            XNysTraceIncremental(operator, probe, key))

    /// XNysTrace from vectors of the sphere, resphered.
    let estimator = withProbe Probe.sphere

    /// The trace of a positive semidefinite operator from vectors of the sphere, resphered. Unbiased up to rounding.
    /// For rules that look at the error it grows until the error is reached, and uses every product to the end.
    /// Standard errors are larger than those of the paper, which are optimistic: s²/m times 2.25, or (n + m)/(n − m)
    /// where that is more, and 2·mean (‖zᵢ‖² − τᵢ)² added, where ‖zᵢ‖² is the eigenvalue that leaves the
    /// approximation with vector i, and τᵢ the mean eigenvalue of the rest. A rule that allows as many products as
    /// there are columns gives an exact result.
    /// Raises OperatorException for an operator that does not claim to be semidefinite, or whose products show that
    /// it is not.
    let estimate stop key (operator: LinearOperator) : Estimate<float> = Estimate.run estimator stop key operator
