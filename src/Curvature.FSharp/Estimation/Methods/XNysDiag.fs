namespace Curvature.FSharp

open Curvature

/// What XNysDiag knows of an operator so far.
[<Sealed>]
type internal XNysDiagIncremental<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator, sketch: NystromSketch) =
    inherit NystromIncremental<'T>(sketch)
    let nothing = Tensor.zeros DType.Float64 [ goal.Length ] |> Tensor.toDevice operator.Device
    let mutable spread = infinity

    /// Without random vector i, the approximation Â of A + νI is Â − zᵢzᵢᵀ, and what it misses gives ωᵢ the product
    /// zᵢ(zᵢᵀωᵢ). So vector i says of the diagonal
    ///   diag Â − ν − zᵢ∘zᵢ + (zᵢᵀωᵢ)·ωᵢ∘zᵢ.
    let leaveOneOut (factors: NystromFactors) =
        let samples = DiagonalSamples(goal, operator)
        let zTz = SmallMatrices.columnDots factors.Directions (factors.Approximation * factors.Directions)

        for block in factors.Factor.Blocks do
            samples.AddBase(Tensor.square block)

        samples.AddBaseEverywhere -factors.Shift

        for struct (first, omega) in sketch.Vectors.Numbered do
            let count = Rows.count omega
            let last = first + count - 1
            let directions = factors.Directions.SubMatrix(0, sketch.Spent, first, count).Transpose()
            let z = Rows.combineAll directions factors.Factor
            let zTOmega = factors.Forms[first..last] |> Array.map sqrt |> Rows.column omega
            samples.AddCorrections(z * (zTOmega * omega - z))
            samples.AddSampled(Rows.choose (sketch.OfProbe(first, count)) (z * zTOmega * omega))
            let squaredDirection = Tensor.square z / Rows.column omega zTz[first..last]
            samples.AddMissed(squaredDirection, zTz[first..last])

        spread <- samples.Spread
        // A direction that all vectors have missed lies among those that are left.
        let left = float (operator.Columns - sketch.Spent) / float operator.Columns
        samples.Combine(LeaveOneOutError.nystromFactor, sketch.Spent, left, factors.Shift)

    override _.SpreadOutside = spread
    override _.SpreadOfSamples = sketch.Samples |> Seq.map _.Weighted |> DiagonalGoal.deviation goal operator.Device

    /// diag Â + z∘(A − Â)z.
    override this.Outside() =
        let factors = this.Factors
        let squares = factors.Factor.Blocks |> Seq.map (Tensor.square >> DiagonalGoal.sum goal) |> Seq.reduce (+)
        let known = squares - DiagonalGoal.everywhere goal operator factors.Shift

        let missed (block: SampleBlock) =
            let z = block.Vectors
            let fz = Rows.productsWith factors.Factor z
            block.Weighted - z * (Rows.combineAll (fz.Transpose()) factors.Factor - factors.Shift * z)

        struct (operator, KnownPart.diagonal goal operator.DType known missed)

    override this.OfFactors factors = leaveOneOut factors |> Found.diagonal goal this.Samples false
    override this.OfZero = Found.diagonal goal this.Samples true (struct (nothing, nothing))

/// XNysDiag (Epperly 2025, "Make the Most of What You Have", chapter 16): the diagonal of a semidefinite operator by
/// the idea of XNysTrace, with an error bar for each entry.
///
/// It costs m products, O(nm²) operations and the memory of 3m vectors.
[<RequireQualifiedAccess>]
module XNysDiag =

    let private ofGoal (goal: LinearOperator -> DiagonalGoal<'T>) exact probe : Estimator<'T> =
        Procedure.Sketch(fun key operator ->
            XNysDiagIncremental(goal operator, operator, NystromSketch("XNysDiag", operator, probe, key)))
        |> Estimator.make "XNysDiag" OperatorNeed.Semidefinite 1 exact

    /// XNysDiag from vectors of a probe. Of signs, the last of every block is replaced by a vector of the sphere.
    let withProbe probe : Estimator<Estimate<Tensor>> = ofGoal DiagonalGoal.entries Measurement.diagonal.Exact probe

    /// XNysDiag from signs.
    let estimator = withProbe Probe.rademacher

    /// The traces of the diagonal blocks of ranges, from vectors of a probe.
    let blockTracesWithProbe probe (blocks: ParameterBlock seq) : Estimator<BlockTrace[]> =
        let goal = DiagonalGoal.blockTraces "XNysDiag.blockTraces" blocks
        ofGoal goal (Measurement.blockTraces blocks).Exact probe

    /// The diagonal of a positive semidefinite operator, Float64 [n], from signs. Standard errors are enlarged as for
    /// XNysTrace. A rule that allows as many products as there are columns gives an exact result.
    /// Raises OperatorException for an operator that does not claim to be semidefinite, or whose products show that
    /// it is not.
    let estimate stop key (operator: LinearOperator) : Estimate<Tensor> = Estimate.run estimator stop key operator

    /// The traces of the diagonal blocks of ranges, from signs, at the cost of the diagonal, each with its error bar;
    /// see `estimate`.
    let blockTraces stop key (blocks: ParameterBlock seq) (operator: LinearOperator) : BlockTrace[] =
        Estimate.run (blockTracesWithProbe Probe.rademacher blocks) stop key operator
