namespace Curvature.FSharp

open Curvature

/// What XNysTrace knows of an operator so far.
[<Sealed>]
type internal XNysTraceIncremental(operator: LinearOperator, sketch: NystromSketch) =
    inherit NystromIncremental<Estimate<float>>(sketch)
    let n = operator.Columns
    let mutable spread = infinity

    /// Let Â = FᵀF approximate A + νI, and Â₍ᵢ₎ = Â − zᵢzᵢᵀ be the approximation without random vector i. It estimates
    ///   tr A = tr Â − ‖zᵢ‖² + αᵢ·ωᵢᵀ(A + νI − Â₍ᵢ₎)ωᵢ − νn,
    /// where the form is (zᵢᵀωᵢ)², since Â holds the products with all vectors. Resphering takes
    /// αᵢ = (n − m + 1)/‖uᵢ‖², where uᵢ is what ωᵢ has outside the span of the others, and 1/‖uᵢ‖² = ((ΩΩᵀ)⁻¹)ᵢᵢ.
    let leaveOneOut (factors: NystromFactors) =
        let m = sketch.Spent
        let zTz = SmallMatrices.columnDots factors.Directions (factors.Approximation * factors.Directions)
        let trace = factors.Approximation.Trace()
        let shift = factors.Shift * float n
        let dimensionOutside = float (n - m + 1)

        let alpha =
            if sketch.IsRotationInvariant then
                factors.Gram.Inverse().Diagonal().ToArray() |> Array.map (fun inverse -> dimensionOutside * inverse)
            else
                Array.create m 1.0

        let forms = Array.map2 (*) alpha factors.Forms
        let values = Array.map2 (fun zTz form -> trace - zTz + form - shift) zTz forms

        let excess =
            if sketch.IsRotationInvariant then
                Array.map2 (fun zTz form -> zTz - form / dimensionOutside) zTz forms
            else
                zTz

        let rounding = shift + Rounding.ofProduct operator.DType trace
        spread <- Moments.deviation forms
        let inflation = LeaveOneOutError.inflation LeaveOneOutError.nystromFactor n m
        LeaveOneOutError.combine inflation rounding values excess

    override _.SpreadOutside = spread
    override _.SpreadOfSamples = sketch.Samples |> Seq.collect _.Forms |> Moments.deviation
    override _.AsSamples = sketch.Samples

    /// tr Â + zᵀ(A − Â)z (Persson, Cortinovis & Kressner 2022, "Nyström++").
    override this.Outside() =
        let factors = this.Factors
        let trace, shift = factors.Approximation.Trace(), factors.Shift * float n

        let missed (block: SampleBlock) =
            let fz = Rows.productsWith factors.Factor block.Vectors
            let zTz = Rows.squares block.Vectors
            block.Forms |> Array.mapi (fun i form -> form - fz.Column(i) * fz.Column(i) + factors.Shift * zTz[i])

        let rounding = shift + Rounding.ofProduct operator.DType trace
        struct (operator, KnownPart.scalar (trace - shift) rounding missed)

    override this.OfFactors factors = leaveOneOut factors |> Found.scalar this.Samples false
    override this.OfZero = Found.scalar this.Samples true (struct (0.0, 0.0))

/// XNysTrace (Epperly, Tropp & Webber 2024, section 2.4): the Nyström approximation from one pass of products, with
/// each random vector in turn estimating the trace of what the others have missed. For semidefinite operators only,
/// such as Gauss–Newton and Fisher matrices; for a negative semidefinite one take the negative.
///
/// It costs m products, O(nm²) operations and the memory of 3m vectors.
[<RequireQualifiedAccess>]
module XNysTrace =

    /// XNysTrace from vectors of a probe. Vectors of the sphere or normal ones are resphered; of signs, the last of
    /// every block is replaced by one of the sphere.
    let withProbe probe : Estimator<Estimate<float>> =
        Procedure.Sketch(fun key operator ->
            XNysTraceIncremental(operator, NystromSketch("XNysTrace", operator, probe, key)))
        |> Estimator.make "XNysTrace" OperatorNeed.Semidefinite 1 Measurement.trace.Exact

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
