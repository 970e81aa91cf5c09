namespace Curvature.FSharp

open System
open Curvature

/// What single training samples do to the parameters and to losses (Koh & Liang 2017). A training risk is L(θ) =
/// term(θ) + w Σ ℓᵢ(θ) with w = 1 for a sum and 1/N for a mean. Without sample i, its minimum moves by A⁻¹·w∇ℓᵢ to
/// first order, with the damped Hessian or Gauss–Newton matrix A of the whole risk, whose other weights stay as they
/// are. Samples must be independent, and are given by their numbers in the order of the data. Errors of the gradients
/// of single samples are those of `SampleGradients`; OperatorException is raised where a solver breaks down.
[<RequireQualifiedAccess>]
module Influence =

    let private name = "Influence"

    /// w, for so many samples.
    let private weight (risk: EmpiricalRisk) samples = 1.0 / RiskPass.divisor risk.Definition samples

    /// The damped matrix of a risk at θ.
    let private matrix (options: InfluenceOptions) (risk: EmpiricalRisk) (theta: Tensor) : LinearOperator =
        match options.Matrix with
        | InfluenceMatrix.Hessian -> Hessian.ofRisk risk theta
        | _ -> GaussNewton.ofRisk risk theta

    /// The mean eigenvalue of the Hessian of a term without data, from one sign vector: exact for multiples of |θ|².
    let private meanCurvature (risk: EmpiricalRisk) (theta: Tensor) : float =
        match risk.Definition.Term with
        | ValueNone -> 0.0
        | ValueSome term ->
            use hessian = Hessian.at term theta
            let signs = Probe.drawOn theta.Device Probe.rademacher (Key.OfSeed 0L) theta.Size (0, 1) theta.DType
            Vectors.dot (Tensor.item 0 0 signs) (hessian.Apply(Tensor.item 0 0 signs)) / float theta.Size

    /// What solves, and with which limits: one product with the inverse of an approximation where there is one.
    let private solver (options: InfluenceOptions) (risk: EmpiricalRisk) (theta: Tensor) =
        match options.Approximation with
        | ValueNone -> struct (options.Solver, options.Solving)
        | ValueSome approximation ->
            let damping = options.Damping + max 0.0 (meanCurvature risk theta)
            let inverse = approximation.Damped(damping).Inverse().Operator
            struct (Neumann.preconditionedBy inverse, options.Solving.WithMaxIterations 1)

    /// Solves with the damped matrix.
    let private solve (options: InfluenceOptions) (risk: EmpiricalRisk) (theta: Tensor) (b: Tensor) : Solution =
        use operator = matrix options risk theta
        let struct (solver, limits) = solver options risk theta
        let found = Solver.solve limits solver (LinearOperator.damped options.Damping operator) b

        if found.IsCancelled then
            options.Solving.Cancellation.ThrowIfCancellationRequested()

        if found.Status = SolveStatus.Breakdown && not options.IsApproximate then
            Fail.operator $"{name}: the system with the damped matrix could not be solved: {found}. {found.Advice}"

        found

    /// The gradient of a loss at θ, [n].
    let private gradientOf (loss: EmpiricalRisk) (theta: Tensor) = Tensor.flatten (Gradient.ofRisk loss theta).Gradient

    /// The products of each training gradient with a vector, and the lengths of the gradients, in Float64.
    let private dots (options: InfluenceOptions) training theta (v: Tensor) : struct (float[] * float[]) =
        let products, norms = ResizeArray<float>(), ResizeArray<float>()

        for struct (_, gradients) in SampleGradients.blocks options.Samples training theta do
            products.AddRange(Vectors.dots gradients v)
            norms.AddRange((Tensor.rowNorms gradients).ToArray())

        struct (products.ToArray(), norms.ToArray())

    // ---- influence

    /// The change of a loss, such as that of test data, that is expected when each training sample is left out:
    /// w∇lossᵀA⁻¹∇ℓᵢ (Koh & Liang 2017, eq. 2, for a removal), with bounds on what the solve's residual adds. One
    /// solve, or a product with the inverse of an approximation and one with the matrix, and a pass of per-sample
    /// gradients.
    /// θ should be a minimum of the training risk.
    let onLoss
        (options: InfluenceOptions)
        (training: EmpiricalRisk)
        (loss: EmpiricalRisk)
        (theta: Tensor)
        : SampleInfluence =
        let b = gradientOf loss theta
        let solution = solve options training theta b
        let struct (products, norms) = dots options training theta solution.Value
        let weight = weight training products.Length

        /// |A⁻¹r| at most.
        let reach =
            match options.Matrix with
            | InfluenceMatrix.GaussNewton when options.Damping > 0.0 ->
                solution.Residuals[0] * Vectors.norm b / options.Damping
            | _ -> infinity

        let values = products |> Array.map (fun product -> weight * product)
        let bounds = norms |> Array.map (fun norm -> if norm = 0.0 then 0.0 else weight * norm * reach)
        SampleInfluence("influence", values, bounds, solution)

    /// The gradients of some samples by their numbers, as rows.
    let private chosen (options: InfluenceOptions) training (theta: Tensor) (samples: int[]) : struct (Tensor * int) =
        let rows = Array.create samples.Length ValueNone
        let mutable first = 0

        for struct (_, gradients) in SampleGradients.blocks options.Samples training theta do
            let count = Rows.count gradients

            samples
            |> Array.iteri (fun place sample ->
                if sample >= first && sample < first + count then
                    // A copy, so that the rest of the block can go.
                    rows[place] <- ValueSome(Tensor.item 0 (sample - first) gradients + 0.0))

            first <- first + count

        match samples |> Array.tryFind (fun sample -> sample < 0 || sample >= first) with
        | Some sample -> Fail.range $"{name}: there are {first} samples, and number {sample} was asked for"
        | None -> struct (rows |> Array.map _.Value |> List.ofArray |> Tensor.stack 0, first)

    let private requireSamples (samples: int seq) : int[] =
        ArgumentNullException.ThrowIfNull(samples, nameof samples)

        match Seq.toArray samples with
        | [||] -> Fail.range $"{name}: one sample at least is needed, and none was given"
        | samples -> samples

    /// The changes of the parameters that are expected when each of some training samples is left out, w·A⁻¹∇ℓᵢ, as
    /// rows [samples; n]: one solve for all of them, and a pass of per-sample gradients. Raises ArgumentRangeException
    /// for numbers that no sample has, or none, and OperatorException for a system that is not solved to the tolerance,
    /// unless an approximation takes the place of solving.
    let onParameters (options: InfluenceOptions) (training: EmpiricalRisk) (samples: int seq) (theta: Tensor) : Tensor =
        let samples = requireSamples samples
        SamplePass.checkEntries name samples.Length theta.Size
        let struct (gradients, count) = chosen options training theta samples
        let solution = solve options training theta gradients

        if not (solution.IsConverged || options.IsApproximate) then
            Fail.operator $"{name}: {solution}. {solution.Advice}"

        weight training count * solution.Value

    // ---- baselines

    /// The products of the gradient of a loss with that of each training sample (Pruthi et al. 2020, "TracIn", at one
    /// point): similarity without a matrix, a baseline. A pass of per-sample gradients.
    let dotProducts (options: InfluenceOptions) training (loss: EmpiricalRisk) (theta: Tensor) : SampleInfluence =
        let struct (products, _) = dots options training theta (gradientOf loss theta)
        SampleInfluence("gradient products", products, Array.zeroCreate products.Length, null)

    /// The cosines of the angles between the gradient of a loss and that of each training sample: another baseline. A
    /// gradient of length 0 counts as orthogonal.
    let cosines (options: InfluenceOptions) training (loss: EmpiricalRisk) (theta: Tensor) : SampleInfluence =
        let b = gradientOf loss theta
        let length = Vectors.norm b
        let struct (products, norms) = dots options training theta b
        let cosine product norm = if product = 0.0 then 0.0 else product / norm / length
        SampleInfluence("gradient cosines", Array.map2 cosine products norms, Array.zeroCreate products.Length, null)

    // ---- retraining

    /// The loss of one sample at a point.
    let private sampleLoss (training: EmpiricalRisk) (theta: Tensor) (sample: int) : Tensor -> Tensor =
        let batches = RiskPass.batches name theta.Device 0 training.Definition

        let starts = batches |> Seq.scan (fun (start, _) batch -> start + batch.Size, Some batch) (0, None)

        match starts |> Seq.tryFind (fun (stop, _) -> stop > sample) with
        | Some(stop, Some batch) ->
            let row = sample - (stop - batch.Size)
            training.Definition.Loss(batch.Data |> List.map (Tensor.slice 0 row 1))
        | _ -> Fail.range $"{name}: there is no sample number {sample}"

    /// Trains again without each of some samples, one at a time, and compares the changes of a loss with those that an
    /// influence predicts. A risk without sample i is the training risk with −wℓᵢ as a term; `train` minimises it from
    /// θ, such as `fun risk theta -> (Lbfgs.minimize options risk theta).Theta`, and also the whole risk, so that what
    /// it leaves unfinished counts on neither side. Costs a training for each sample and one more. Raises
    /// ArgumentRangeException for numbers that no sample has, or none.
    let retrain
        (train: EmpiricalRisk -> Tensor -> Tensor)
        (training: EmpiricalRisk)
        (loss: EmpiricalRisk)
        (samples: int seq)
        (theta: Tensor)
        (influence: SampleInfluence)
        : RetrainingCheck =
        let samples, values = requireSamples samples, influence.Values

        match samples |> Array.tryFind (fun sample -> sample < 0 || sample >= values.Length) with
        | Some sample -> Fail.range $"{name}: there are {values.Length} samples, and number {sample} was asked for"
        | None -> ()

        if not training.HasData then
            Fail.data $"{name}: the risk is a function of θ alone, which has no samples"

        let weight = weight training values.Length
        let whole = train training theta
        let before = Risk.value loss whole

        let changes =
            samples
            |> Array.map (fun sample ->
                let left = sampleLoss training theta sample
                let without = training |> Risk.withTerm (fun theta -> -weight * left theta)
                Risk.value loss (train without whole) - before)

        RetrainingCheck(samples, samples |> Array.map (fun sample -> values[sample]), changes)
