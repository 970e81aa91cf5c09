namespace Curvature.FSharp

open Curvature

/// Square roots of the Hessian of a loss in the outputs of a model: columns s, [columns; samples; …], so that the
/// Hessian of sample n is Σ sₙsₙᵀ. Pulled back to the parameters they are the vectors of which the Gauss–Newton or
/// Fisher matrix is the mean over samples of Σ gₙgₙᵀ.
module internal OutputRoots =

    let private name = "Kfac"

    let private wide (t: Tensor) = t |> Tensor.convert DType.Float64 |> Tensor.toDevice Kernels.CpuDevice.Shared

    /// The unit vectors of the outputs of each sample: [outputs; samples; …].
    let private units (outputs: Tensor) : Tensor =
        let samples = Likelihood.rows outputs
        let count = outputs.Size / samples

        Tensor.eye DType.Float64 count
        |> Tensor.reshape [ count; 1; count ]
        |> Tensor.broadcastTo [ count; samples; count ]
        |> Tensor.reshape (count :: List.ofArray outputs.Shape)

    /// diag(√p)(e − p) for each class: Σₖ pₖ(eₖ − p)(eₖ − p)ᵀ = diag p − ppᵀ. Only the row of e counts.
    let private categorical (outputs: Tensor) : Tensor =
        let p = Tensor.softmax outputs
        let e = units outputs
        // 1 in the row of the last axis that a unit vector belongs to.
        let row = Tensor.sumAxes [ -1 ] e |> Tensor.unsqueeze -1
        let root = Tensor.sumAxes [ -1 ] (e * Tensor.sqrt p) |> Tensor.unsqueeze -1
        root * (e - row * p)

    /// Of the likelihood's own Hessian.
    let private ofLikelihood (likelihood: Likelihood) (outputs: Tensor) : Tensor =
        match likelihood with
        | Likelihood.Categorical -> categorical outputs
        | Likelihood.Bernoulli ->
            let p = Tensor.sigmoid outputs
            units outputs * Tensor.sqrt (p * (1.0 - p))
        | Likelihood.Gaussian variance -> units outputs / sqrt variance

    /// How far products may be from those of blocks, relative to them.
    let private tolerance (dtype: DType) = if dtype = DType.Float64 then 1e-8 else 1e-3

    let private size (t: Tensor) = (Tensor.norm (Tensor.convert DType.Float64 t)).ToScalar()

    /// The Hessian of a criterion in the outputs of each sample, Float64 [samples; outputs; outputs].
    let private blocks (criterion: Tensor -> Tensor) (outputs: Tensor) : Tensor =
        let samples = Likelihood.rows outputs
        let count = outputs.Size / samples
        let hessian = (Linearization.hessian name criterion outputs).Apply
        let on (t: Tensor) = t |> Tensor.convert outputs.DType |> Tensor.toDevice outputs.Device

        let found =
            vmap hessian (on (units outputs))
            |> wide
            |> Tensor.reshape [ count; samples; count ]
            |> Tensor.permute [ 1; 2; 0 ]

        let z = Tensor.normal (Key.OfSeed 0L) DType.Float64 [ samples; count ]

        let expected =
            hessian (on (Tensor.reshape (List.ofArray outputs.Shape) z)) |> wide |> Tensor.reshape [ samples; count ]

        let ofBlocks = Tensor.einsum "nij,nj->ni" found z

        if size (ofBlocks - expected) > tolerance outputs.DType * size expected then
            Fail.operator (
                $"{name}: the criterion's Hessian in the outputs has entries between samples; a criterion that is a "
                + "sum or a mean over samples is needed"
            )

        found

    /// Of a criterion's Hessian.
    let private ofCriterion (criterion: Tensor -> Tensor) (outputs: Tensor) : Tensor =
        let samples = Likelihood.rows outputs
        let count = outputs.Size / samples
        let values, vectors = Tensor.eigh (blocks criterion outputs)
        let largest, least = Array.max (values.ToArray()), Array.min (values.ToArray())

        if least < -(tolerance outputs.DType) * max largest -least then
            Fail.operator (
                $"{name}: the criterion is not convex in the outputs: its Hessian has the eigenvalue "
                + $"{Numbers.show least}; take a kind of Fisher matrix, see KfacKind.fisher"
            )

        vectors * Tensor.unsqueeze 1 (Tensor.sqrt (Tensor.relu values))
        |> Tensor.permute [ 2; 0; 1 ]
        |> Tensor.reshape (count :: List.ofArray outputs.Shape)

    /// The residuals that a Fisher matrix is the mean of outer products of, as columns.
    let private ofFisher (kind: FisherKind) (batch: RiskBatch) (outputs: Tensor) (noise: Tensor list) : Tensor =
        match kind with
        | FisherKind.Exact likelihood -> ofLikelihood likelihood (wide outputs)
        | FisherKind.MonteCarlo(likelihood, draws, _) ->
            Likelihood.drawnResiduals likelihood noise.Head outputs / sqrt (float draws)
        | FisherKind.Empirical losses -> Fisher.empiricalResiduals (losses batch.Data) outputs |> Tensor.unsqueeze 0

    /// The columns for a batch at outputs, in their element type; nothing where gradients do not count. The mean over
    /// samples of Σ gₙgₙᵀ is the matrix of the batch, but for a sum over samples, where it is that divided by their
    /// number.
    let find (kind: KfacKind) (risk: EmpiricalRisk) (noise: Tensor list) (batch: RiskBatch) (outputs: Tensor) =
        let struct (_, criterion) = RiskModel.require name risk
        let isSum = risk.HasData && risk.Reduction = Reduction.Sum

        let roots =
            match kind with
            | KfacKind.InputsOnly -> ValueNone
            | KfacKind.Fisher fisher -> ValueSome(ofFisher fisher batch outputs noise)
            | KfacKind.GaussNewton ->
                let weight = if isSum then 1.0 else float (Likelihood.rows outputs)
                ValueSome(sqrt weight * ofCriterion (criterion batch.Data) outputs)

        roots |> ValueOption.map (Tensor.convert outputs.DType >> Tensor.toDevice outputs.Device)

    /// What the mean over samples is multiplied by: their number, for the Gauss–Newton matrix of a sum.
    let scale (kind: KfacKind) (risk: EmpiricalRisk) (samples: int) : float =
        match kind with
        | KfacKind.GaussNewton when risk.HasData && risk.Reduction = Reduction.Sum -> float samples
        | _ -> 1.0
