namespace Curvature

/// What a model's outputs say about its targets: the distribution whose natural parameters they are. Rows of outputs are samples.
[<RequireQualifiedAccess; NoComparison>]
type Likelihood =
    internal
    | Categorical
    | Bernoulli
    | Gaussian of variance: float

namespace Curvature.FSharp

open System
open System.Collections.Concurrent
open Curvature

/// The distribution of targets, given a model's outputs.
[<RequireQualifiedAccess>]
module Likelihood =

    /// One class of several, with the outputs [batch; classes] as logits: softmax cross-entropy.
    let categorical = Likelihood.Categorical

    /// Independent yes-or-no targets, with the outputs [batch; …] as logits: binary cross-entropy, summed over a row.
    let bernoulli = Likelihood.Bernoulli

    /// Independent normal targets of the given variance around the outputs [batch; …]: squared error over twice the variance, summed
    /// over a row. Raises ArgumentRangeException for a variance that is not above 0.
    let gaussian (variance: float) : Likelihood =
        if not (variance > 0.0 && Double.IsFinite variance) then
            raise (ArgumentRangeException $"Likelihood.gaussian: a variance above 0 is needed, and it is {variance}")

        Likelihood.Gaussian variance

    let internal rows (outputs: Tensor) =
        match outputs.Signature.Shape with
        | [||] ->
            raise (ShapeException "Fisher: a model's outputs need a leading axis of samples, and these are a scalar")
        | shape when outputs.Size = 0 ->
            raise (ShapeException $"Fisher: there are no outputs; their shape is {Shape.show shape}")
        | shape -> shape[0]

    /// The mean over samples of the log-partition function: its second derivative is that of every loss of this likelihood, whatever
    /// the targets.
    let internal logPartition (likelihood: Likelihood) (outputs: Tensor) : Tensor =
        let total =
            match likelihood with
            | Likelihood.Categorical -> Tensor.sum (Tensor.logSumExp outputs)
            | Likelihood.Bernoulli -> Tensor.sum (Tensor.softplus outputs)
            | Likelihood.Gaussian variance -> Tensor.sum (Tensor.square outputs) / (2.0 * variance)

        total / float (rows outputs)

    /// The randomness of targets drawn from a likelihood, [draws; N; …] for outputs [N; …].
    let internal noise (likelihood: Likelihood) (draws: int) (key: Key) (outputs: Signature) : Tensor =
        let shape = draws :: List.ofArray outputs.Shape

        match likelihood with
        | Likelihood.Categorical ->
            // The largest of logits with Gumbel noise is distributed as the class (Gumbel 1954).
            -Tensor.log(-Tensor.log(1.0 - Tensor.uniform key DType.Float64 shape)) |> Tensor.convert outputs.DType
        | Likelihood.Bernoulli -> Tensor.uniform key outputs.DType shape
        | Likelihood.Gaussian _ -> Tensor.normal key outputs.DType shape

    /// The derivatives of each sample's loss by its outputs, for targets drawn from the likelihood itself with that noise, [draws; N; …].
    let internal drawnResiduals (likelihood: Likelihood) (noise: Tensor) (outputs: Tensor) : Tensor =
        match likelihood with
        | Likelihood.Categorical ->
            let chosen = Tensor.argMax (outputs + noise)
            Tensor.softmax outputs - Tensor.oneHot outputs.DType (Array.last outputs.Signature.Shape) chosen
        | Likelihood.Bernoulli ->
            let p = Tensor.sigmoid outputs
            p - Tensor.greater p noise
        | Likelihood.Gaussian variance -> noise / Math.Sqrt variance

/// Fisher information of a model, as an average over samples of outer products of gradients.
[<RequireQualifiedAccess>]
module Fisher =

    /// 1/N Σ gₙgₙᵀ for the gradients gₙ = Jₙᵀrₙ of N samples, several times over where residuals r are [times; N; …].
    let private outerProducts name (model: Tensor -> Tensor) (residuals: Tensor -> Tensor) : SecondOrder =
        let prepare theta =
            let outputs, jacobian = SecondOrder.linearize name "model" model theta
            let n = Likelihood.rows outputs
            let residuals = residuals outputs
            let sets = residuals.Size / outputs.Size
            let r = Tensor.reshape [ sets; n; outputs.Size / n ] residuals
            let weight = 1.0 / float (sets * n)

            let along v =
                let u = (jacobian.Interpret [| v |])[0] |> Tensor.reshape [ n; outputs.Size / n ]
                Tensor.einsum "snc,nc->sn" r u

            // The value stands for a loss, so that outputs that are not finite are found.
            Tensor.sum outputs, outputs, jacobian, r, weight, along

        {
            Name = name
            Properties = OperatorProperties.PositiveSemidefinite
            Function = model
            Loss = model >> Tensor.sum
            Products =
                fun theta ->
                    let value, outputs, jacobian, r, weight, along = prepare theta

                    [ value ],
                    fun v ->
                        weight * Tensor.einsum "snc,sn->nc" r (along v)
                        |> Tensor.reshape (List.ofArray outputs.Signature.Shape)
                        |> SecondOrder.pull theta jacobian
            Forms =
                fun theta ->
                    let value, _, _, _, weight, along = prepare theta
                    [ value ], (fun v -> weight * Tensor.sum (Tensor.square (along v)))
        }

    let internal specifyExact likelihood model =
        GaussNewton.specifyNamed "Fisher" model (Likelihood.logPartition likelihood)

    let private checkDraws draws =
        if draws < 1 then
            raise (ArgumentRangeException $"Fisher.monteCarlo: one draw at least is needed, and the number is {draws}")

    let internal specifyMonteCarlo (likelihood: Likelihood) (noise: Signature -> Tensor) model =
        let residuals (outputs: Tensor) = Likelihood.drawnResiduals likelihood (noise outputs.Signature) outputs
        outerProducts "Monte Carlo Fisher" model residuals

    let internal specifyEmpirical (losses: Tensor -> Tensor) model =
        let residuals (outputs: Tensor) =
            let total (outputs: Tensor) =
                let own = losses outputs

                if own.Signature.Shape <> [| Likelihood.rows outputs |] then
                    raise (
                        ShapeException
                            $"Fisher.empirical: there must be one loss for each of {Likelihood.rows outputs} samples, and they have shape {Shape.show own.Signature.Shape}"
                    )

                Tensor.sum own

            grad total outputs

        outerProducts "empirical Fisher" model residuals

    /// The Fisher information 1/N Σ E gₙgₙᵀ of a model θ ↦ outputs [N; …], with the expectation over targets taken exactly: the Gauss–Newton
    /// matrix of the mean loss. Products and quadratic forms cost as much as there.
    let exact (likelihood: Likelihood) (model: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        SecondOrder.family (specifyExact likelihood model) theta |> snd

    /// The Fisher information with the expectation over targets replaced by the mean over `draws` targets for each sample, drawn from the
    /// key: unbiased. Raises ArgumentRangeException for fewer than one draw.
    let monteCarlo
        (likelihood: Likelihood)
        (draws: int)
        (key: Key)
        (model: Tensor -> Tensor)
        (theta: Tensor)
        : LinearOperator =
        checkDraws draws
        let noise outputs = Likelihood.noise likelihood draws key outputs |> Tensor.toDevice theta.Device
        SecondOrder.family (specifyMonteCarlo likelihood noise model) theta |> snd

    /// The empirical Fisher matrix 1/N Σ gₙgₙᵀ with gₙ the gradient of the loss of sample n at its own target. The losses are a function of the
    /// outputs [N; …], one for each sample [N], and loss n may depend on row n alone. It is not the Fisher information (Kunstner,
    /// Hennig & Balles 2019). Raises ShapeException for another number of losses.
    let empirical (losses: Tensor -> Tensor) (model: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        SecondOrder.family (specifyEmpirical losses model) theta |> snd

    // ---- over batches

    let private overBatches name extras at observe (batches: Batch seq) theta =
        let spec =
            {
                Name = name
                Properties = OperatorProperties.PositiveSemidefinite
                Extras = extras
                At = at
                Observe = observe
            }

        OverBatches.create spec Reduction.Mean batches theta |> snd

    let private nothing _ _ _ = []

    let private outputs (model: Tensor -> Tensor -> Tensor) theta (batch: Batch) =
        [ SampleRows(model batch.Inputs theta) ]

    /// `exact` over many batches, weighted by their sizes, for a model inputs ↦ θ ↦ outputs; targets are not used. Batches are read as by
    /// Hessian.overBatches, with the same errors.
    let exactOverBatches
        (likelihood: Likelihood)
        (model: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LinearOperator =
        let at (batch: Batch) _ = specifyExact likelihood (model batch.Inputs)
        overBatches "Fisher" nothing at (outputs model) batches theta

    /// `monteCarlo` over many batches, weighted by their sizes, for a model inputs ↦ θ ↦ outputs; batch number i draws from the key's fold
    /// with i, at every pass the same; targets of the batches are not used. Batches are read as by Hessian.overBatches, with the same errors.
    /// Raises ArgumentRangeException for fewer than one draw.
    let monteCarloOverBatches
        (likelihood: Likelihood)
        (draws: int)
        (key: Key)
        (model: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LinearOperator =
        checkDraws draws
        // The shape of outputs, which noise must have, is found by running the model once for each shape of inputs.
        let signatures = ConcurrentDictionary<string, Signature>()

        let noise (theta: Tensor) index (batch: Batch) =
            let inputs = Tensor.toDevice theta.Device batch.Inputs
            let find _ = (model inputs theta).Signature
            let outputs = signatures.GetOrAdd(Shape.show inputs.Signature.Shape, find)
            [ Likelihood.noise likelihood draws (key.FoldIn(uint32 index)) outputs ]

        let at (batch: Batch) (noise: Tensor list) =
            specifyMonteCarlo likelihood (fun _ -> noise.Head) (model batch.Inputs)

        overBatches "Monte Carlo Fisher" noise at (outputs model) batches theta

    /// `empirical` over many batches, weighted by their sizes, for losses targets ↦ outputs ↦ one loss for each sample [N], and a model
    /// inputs ↦ θ ↦ outputs. Batches are read as by Hessian.overBatches, with the same errors.
    let empiricalOverBatches
        (losses: Tensor -> Tensor -> Tensor)
        (model: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        (theta: Tensor)
        : LinearOperator =
        let at (batch: Batch) _ = specifyEmpirical (losses batch.Targets) (model batch.Inputs)

        let observe theta (batch: Batch) =
            let outputs = model batch.Inputs theta
            [ SampleRows outputs; SampleRows(losses batch.Targets outputs) ]

        overBatches "empirical Fisher" nothing at observe batches theta
