namespace Curvature.FSharp

open System
open Curvature

/// Gaussian approximations of the posterior of a model's parameters (MacKay 1992; Daxberger et al. 2021, "Laplace
/// Redux").
[<RequireQualifiedAccess>]
module Laplace =

    let private name = "Laplace"

    /// The same likelihood with noise of variance 1.
    let private unit (likelihood: Likelihood) =
        match likelihood with
        | Likelihood.Gaussian _ -> Likelihood.Gaussian 1.0
        | other -> other

    /// Half of the squared errors, or −ln p, summed over samples.
    let private unitLoss (likelihood: Likelihood) (targets: Tensor) (outputs: Tensor) : Tensor =
        match likelihood with
        | Likelihood.Gaussian _ -> 0.5 * Loss.meanSquaredError Reduction.Sum targets outputs
        | other -> Likelihood.loss other Reduction.Sum targets outputs

    /// The risk that is the sum of unit losses, without a term.
    let private unitRisk likelihood (risk: EmpiricalRisk) : EmpiricalRisk =
        let struct (model, _) = RiskModel.require name risk

        if not risk.HasData then
            Fail.data $"{name}: the risk is a function of θ alone, and a posterior needs data"

        let criterion (data: RiskData) = unitLoss likelihood data[1]

        EmpiricalRisk
            { risk.Definition with
                Reduction = Reduction.Sum
                Loss = fun data -> model data >> criterion data
                Criterion = ValueSome criterion
                Term = ValueNone
                Remote = ValueNone
            }

    /// The numbers of samples and of outputs.
    let private sizes (risk: EmpiricalRisk) (theta: Tensor) : struct (int * int) =
        let mutable samples, outputs = 0, 0

        for batch in RiskPass.batches name theta.Device 0 risk.Definition do
            samples <- samples + batch.Size
            outputs <- outputs + (risk.Definition.Model.Value batch.Data theta).Size

        struct (samples, outputs)

    /// The options of K-FAC with the unit likelihood.
    let private kfacOptions likelihood (options: KfacOptions) =
        match options.Kind with
        | KfacKind.Fisher(FisherKind.MonteCarlo(_, draws, key)) ->
            options.WithKind(KfacKind.fisher (FisherKind.monteCarlo likelihood draws key))
        | _ -> options.WithKind(KfacKind.fisher (FisherKind.exact likelihood))

    /// Σ JᵢᵀΛᵢJᵢ, and what makes it doubtful.
    let private curvature (options: LaplaceOptions) likelihood risk samples (theta: Tensor) =
        /// An operator in place of one that is a mean over samples.
        let withOperator (f: LinearOperator -> DampedCurvature) =
            use fisher = Fisher.ofRisk (FisherKind.exact likelihood) risk theta
            f (float samples * fisher), List.ofSeq fisher.Warnings

        match options.Structure with
        | LaplaceStructure.DiagonalMatrix ->
            let diagonal = CurvatureDiagonal.fisher options.Samples likelihood risk theta
            DampedCurvature.ofDiagonal (float samples * HostNumbers.wide diagonal), []
        | LaplaceStructure.FullMatrix -> withOperator (LinearOperator.dense >> DampedCurvature.ofMatrix)
        | LaplaceStructure.KroneckerBlocks(layout, kfac) ->
            let found = Kfac.estimateWith (kfacOptions likelihood kfac) layout risk theta
            DampedCurvature.ofKronecker (float samples) found, List.ofSeq found.Warnings
        | LaplaceStructure.TopPairs(rank, _) when rank >= theta.Size ->
            Fail.range
                $"{name}: the rank must be below the {theta.Size} parameters, and it is {rank}; take the full matrix"
        | LaplaceStructure.TopPairs(rank, search) ->
            withOperator (fun operator ->
                let pairs = ThickRestartLanczos.findWith search SpectrumEnd.Largest rank operator
                search.Cancellation.ThrowIfCancellationRequested()

                if not pairs.AllConverged then
                    Fail.operator $"{name}: not all of the {rank} largest eigenvalues were found: {pairs}"

                DampedCurvature.ofPairs pairs.Values pairs.Vectors)

    /// The approximation N(θ, P⁻¹) of the posterior at θ, for the model and the data of a risk, a likelihood of its
    /// targets, and a prior N(0, I/δ). The criterion of the risk, its reduction and its term do not count: the
    /// likelihood and δ take their place. θ should be the mode, and DistanceFromMode tells how far it is from it.
    /// `Risk.restrictTo` makes a posterior of some tensors only, such as the last layer. Costs a gradient of all data,
    /// and n products for the full matrix, C backward passes a sample for the diagonal and for K-FAC, or a search for
    /// eigenvalues.
    /// Raises what `Kfac.estimateWith` raises, with that structure;
    /// OperatorException for a risk without a model, for eigenvalues that were not found, and for samples that
    /// are coupled (DifferentiationException with the diagonal); DataException for a risk without data;
    /// ArgumentRangeException for a matrix above LinearOperator.denseLimit, or a rank that is not below n;
    /// NonFiniteException for losses, gradients or products that are not finite.
    let fit
        (options: LaplaceOptions)
        (likelihood: Likelihood)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        : LaplacePosterior =
        Linearization.checkPoint name theta
        let risk = unitRisk likelihood risk
        let point = Gradient.ofRisk risk theta
        let struct (samples, outputs) = sizes risk theta
        let found, warnings = curvature options (unit likelihood) risk samples theta

        LaplacePosterior(
            {
                Risk = risk.Definition
                Theta = theta
                Likelihood = likelihood
                Options = options
                Curvature = found
                UnitLoss = point.Loss
                UnitGradient = HostNumbers.wide (Tensor.flatten point.Gradient)
                Samples = samples
                Targets = outputs
                Warnings = warnings
            },
            options.PriorPrecision
        )

    /// The logarithms of precisions and noise variances that `tune` looks among go from minus to plus this.
    let private mostLogarithm = log 1e12

    /// Where a falling function of x is 0, or the end of the range that is nearest to it.
    let private root (f: float -> float) : float =
        let mutable low, high = -mostLogarithm, mostLogarithm

        while high - low > 1e-14 * max 1.0 (abs low) do
            let middle = 0.5 * (low + high)

            if middle = low || middle = high then low <- high
            elif f middle > 0.0 then low <- middle
            else high <- middle

        0.5 * (low + high)

    /// The posterior at the same θ with the prior precision, and for Gaussian targets the noise variance, of the
    /// largest LogEvidence, each between 1e-12 and 1e12. Along each of the two, the derivative falls, so that bisection
    /// finds its only zero; the two take turns until neither moves. No products are taken. θ, held fixed, may cease to
    /// be the mode: fit again, from a minimum for the new values, until nothing changes (Immer et al. 2021).
    let tune (posterior: LaplacePosterior) : LaplacePosterior =
        let precision (posterior: LaplacePosterior) =
            posterior.WithPriorPrecision(
                exp (root (fun x -> posterior.WithPriorPrecision(exp x).LogPriorPrecisionGradient))
            )

        let noise (posterior: LaplacePosterior) =
            posterior.WithNoiseVariance(
                exp (root (fun x -> posterior.WithNoiseVariance(exp x).LogNoiseVarianceGradient))
            )

        let rec turns rounds (posterior: LaplacePosterior) =
            let next = posterior |> noise |> precision
            let change (a: float) (b: float) = abs (log a - log b)

            let moved =
                change next.PriorPrecision posterior.PriorPrecision + change next.NoiseVariance posterior.NoiseVariance

            if moved <= 1e-12 || rounds = 0 then next else turns (rounds - 1) next

        match posterior.Likelihood with
        | Likelihood.Gaussian _ -> turns 500 posterior
        | _ -> precision posterior

    // ---- predictions

    /// The model of a posterior as a risk over some inputs.
    let private atInputs (inputs: Tensor) (posterior: LaplacePosterior) : EmpiricalRisk =
        let inputs = Tensor.toDevice posterior.Theta.Device inputs

        EmpiricalRisk
            { posterior.Fit.Risk with
                Source = EachPass(fun _ -> [ Batch(inputs, inputs) ])
                Remote = ValueNone
            }

    let private requireRows (likelihood: Likelihood) (outputs: Tensor) =
        match likelihood with
        | Likelihood.Categorical when outputs.Rank <> 2 ->
            Fail.shape $"{name}: logits must be [samples; classes], and they have shape {outputs.ShapeText}"
        | _ -> ()

    /// What the posterior says at inputs [N; …], with the model linearised at θ: C backward passes and C products with
    /// P⁻¹ for each input. Raises DataException for no inputs, and DifferentiationException where they are coupled.
    let predict (inputs: Tensor) (posterior: LaplacePosterior) : LinearizedPredictive =
        let risk, theta = atInputs inputs posterior, posterior.Theta
        requireRows posterior.Likelihood (risk.Definition.Model.Value [ inputs; inputs ] theta)

        let means, covariances =
            [
                for block in SampleJacobian.ofModel name posterior.Fit.Options.Samples risk theta do
                    let shape = block.Jacobians.Signature.Shape
                    let rows = Tensor.reshape [ shape[0] * shape[1]; shape[2] ] (HostNumbers.wide block.Jacobians)
                    let stacked (t: Tensor) = Tensor.reshape (List.ofArray shape) t
                    let solved = posterior.Inverse rows
                    HostNumbers.wide block.Outputs, Tensor.einsum "kcn,kdn->kcd" (stacked rows) (stacked solved)
            ]
            |> List.unzip

        let covariance = Tensor.concat 0 covariances
        let symmetric = 0.5 * (covariance + Tensor.permute [ 0; 2; 1 ] covariance)
        LinearizedPredictive(posterior.Likelihood, Tensor.concat 0 means, symmetric)

    /// Draws of the parameters in blocks, as many as the memory of the options has room for.
    let private drawn key draws (posterior: LaplacePosterior) : struct (Tensor * Tensor) seq =
        let size = min 1024 (posterior.Fit.Options.Samples.BlockSize(2L * int64 posterior.Size, DType.Float64))

        seq {
            for first in 0..size .. draws - 1 do
                posterior.Fit.Options.Samples.Cancellation.ThrowIfCancellationRequested()
                posterior.DrawWithNoise(key, first, min size (draws - first))
        }

    /// A function of θ for every row of a block of parameters, in the element type and shape of θ.
    let private forEach (posterior: LaplacePosterior) (f: Tensor -> Tensor) : Tensor -> Tensor =
        let theta = posterior.Theta
        let shape = List.ofArray theta.Signature.Shape

        fun block ->
            let typed = Tensor.convert theta.DType block |> Tensor.toDevice theta.Device
            vmap f (Tensor.reshape (block.Signature.Shape[0] :: shape) typed) |> HostNumbers.wide

    /// Mean and variance of the predictions at inputs [N; …] over draws of the parameters: of outputs for Gaussian
    /// targets, and of probabilities for classes. The model runs at each draw as it is, not linearised. Draw i depends
    /// on the key and i alone. Raises ArgumentRangeException for less than 2 draws, DataException for no inputs, and
    /// NonFiniteException for predictions that are not finite.
    let predictBySamples (key: Key) (draws: int) (inputs: Tensor) (posterior: LaplacePosterior) : SampledPredictive =
        Count.between 2 Count.limit $"{name}.predictBySamples: draws" draws
        let model = (atInputs inputs posterior).Definition.Model.Value [ inputs; inputs ]
        let outputs = model posterior.Theta
        requireRows posterior.Likelihood outputs
        let samples = Likelihood.rows outputs
        let predictions = forEach posterior (model >> Likelihood.means posterior.Likelihood)
        let running = RunningVectorMoments(outputs.Size, Kernels.CpuDevice.Shared)

        for struct (_, parameters) in drawn key draws posterior do
            let block = predictions parameters
            Finite.check $"{name}: a prediction" block
            running.AddRows(Tensor.reshape [ block.Signature.Shape[0]; outputs.Size ] block)

        SampledPredictive([| samples; outputs.Size / samples |], running)

    // ---- how wrong it is

    /// ln of p(targets, θ)/q(θ) for rows θ, drawn with standard normal z.
    let private logWeights (posterior: LaplacePosterior) (losses: Tensor -> Tensor) (z: Tensor) (parameters: Tensor) =
        let n, delta = float posterior.Size, posterior.PriorPrecision
        let squares (t: Tensor) = Tensor.sumAxes [ 1 ] (Tensor.square t)
        // The factors (2π)^(−n/2) of the prior and of q cancel.
        let logPrior = 0.5 * n * log delta - 0.5 * delta * squares parameters
        let logDensity = 0.5 * posterior.LogDeterminant - 0.5 * squares z
        (logPrior - losses parameters - logDensity).ToArray()

    /// Compares a posterior with the true one, which its likelihood, its prior and the data define, by importance
    /// sampling with draws of the approximation: total variation, evidence, and weights that make posterior means. Each
    /// draw costs a value of the loss on all data. With many parameters few draws count, and EffectiveDraws tells.
    /// Raises ArgumentRangeException for less than 2 draws, or more numbers than LinearOperator.denseLimit.
    let check (key: Key) (draws: int) (posterior: LaplacePosterior) : ImportanceCheck =
        Count.between 2 Count.limit $"{name}.check: draws" draws
        SamplePass.checkEntries $"{name}.check" draws posterior.Size
        let risk, theta = posterior.Fit.Risk, posterior.Theta

        /// The constant of a Gaussian's negative log-likelihood beside the squares.
        let constant = -posterior.LogLikelihood - posterior.Scale * posterior.Fit.UnitLoss

        let losses parameters =
            RiskPass.batches name theta.Device 0 risk
            |> RiskPass.sums (fun batch -> [ forEach posterior batch.Loss parameters ])
            |> List.head
            |> fun sum -> posterior.Scale * sum + constant

        let found =
            [
                for struct (z, parameters) in drawn key draws posterior ->
                    parameters, logWeights posterior losses z parameters
            ]

        let parameters, weights = List.unzip found
        let weights = Array.concat weights

        if Array.exists Double.IsNaN weights then
            Fail.nonFinite $"{name}.check: the loss at a draw is NaN"

        ImportanceCheck(Tensor.concat 0 parameters, weights, posterior.LogEvidence)
