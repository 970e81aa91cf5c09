namespace Curvature

open Curvature.FSharp

/// Which targets a Fisher matrix takes the expectation over. Made by the functions of the module FisherKind.
[<RequireQualifiedAccess; NoEquality; NoComparison; StructuredFormatDisplay("{Text}")>]
type FisherKind =
    internal
    | Exact of Likelihood
    | MonteCarlo of Likelihood * draws: int * Key
    /// Of the tensors of a batch and outputs [N; …], one loss for each sample.
    | Empirical of (RiskData -> Tensor -> Tensor)

    override kind.ToString() =
        match kind with
        | Exact _ -> "Fisher"
        | MonteCarlo _ -> "Monte Carlo Fisher"
        | Empirical _ -> "empirical Fisher"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Collections.Concurrent
open Curvature

/// Which targets a Fisher matrix takes the expectation over.
[<RequireQualifiedAccess>]
module FisherKind =

    /// Over all targets that the likelihood may give, exactly: the Gauss–Newton matrix of the mean loss.
    let exact (likelihood: Likelihood) : FisherKind = FisherKind.Exact likelihood

    /// Over `draws` targets for each sample, drawn from a key; batch number i draws from the key's fold with i, at
    /// every pass the same. Unbiased. Raises ArgumentRangeException for fewer than one draw.
    let monteCarlo (likelihood: Likelihood) (draws: int) (key: Key) : FisherKind =
        if draws < 1 then
            Fail.range $"Fisher: one draw at least is needed, and the number is {draws}"

        FisherKind.MonteCarlo(likelihood, draws, key)

    /// The targets of the data themselves: losses are a function of targets and of outputs [N; …], one for each
    /// sample [N], and loss n may depend on row n alone. It is not the Fisher information (Kunstner, Hennig & Balles
    /// 2019).
    let empirical (losses: Tensor -> Tensor -> Tensor) : FisherKind =
        FisherKind.Empirical(fun data ->
            match data with
            | [ _; targets ] -> losses targets
            | _ -> Fail.data "empirical Fisher: the risk has no batches to take targets from")

/// Fisher information of a model, as an average over samples of outer products of gradients.
[<RequireQualifiedAccess>]
module Fisher =

    /// 1/N Σ gₙgₙᵀ for the gradients gₙ = Jₙᵀrₙ of N samples, several times over where residuals r are [times; N; …].
    let private outerProducts name (model: Tensor -> Tensor) (residuals: Tensor -> Tensor) : SecondOrder =
        let prepare theta =
            let outputs, jacobian = Linearization.derivative name "model" model theta
            let n = Likelihood.rows outputs
            let residuals = residuals outputs
            let sets = residuals.Size / outputs.Size
            let r = Tensor.reshape [ sets; n; outputs.Size / n ] residuals

            let along v =
                let u = (jacobian.Interpret [| v |])[0] |> Tensor.reshape [ n; outputs.Size / n ]
                Tensor.einsum "snc,nc->sn" r u

            struct (outputs, jacobian, r, 1.0 / float (sets * n), along)

        /// The sum of the outputs stands for a loss, so that outputs that are not finite are found.
        let linearization outputs apply : Linearization =
            { Loss = Tensor.sum outputs; Gradient = ValueNone; Apply = apply }

        {
            Name = name
            Function = model
            Loss = model >> Tensor.sum
            Matvec =
                fun theta ->
                    let struct (outputs, jacobian, r, weight, along) = prepare theta

                    linearization outputs (fun v ->
                        weight * Tensor.einsum "snc,sn->nc" r (along v)
                        |> Tensor.reshape (List.ofArray outputs.Signature.Shape)
                        |> Linearization.pull theta jacobian)
            Form =
                fun theta ->
                    let struct (outputs, _, _, weight, along) = prepare theta
                    linearization outputs (fun v -> weight * Tensor.sum (Tensor.square (along v)))
        }

    /// The gradients of the losses of the samples with respect to the outputs.
    let internal empiricalResiduals (losses: Tensor -> Tensor) (outputs: Tensor) =
        let total (outputs: Tensor) =
            let each = losses outputs

            if each.Signature.Shape <> [| Likelihood.rows outputs |] then
                Fail.shape (
                    $"Fisher.empirical: there must be one loss for each of {Likelihood.rows outputs} samples, "
                    + $"and they have shape {Shape.show each.Signature.Shape}"
                )

            Tensor.sum each

        grad total outputs

    /// The matrix of one batch, with its noise where it draws targets.
    let private specify
        (kind: FisherKind)
        (model: Tensor -> Tensor)
        (data: RiskData)
        (noise: Tensor list)
        : SecondOrder =
        match kind with
        | FisherKind.Exact likelihood ->
            GaussNewton.specifyNamed (string kind) model (Likelihood.logPartition likelihood)
        | FisherKind.MonteCarlo(likelihood, _, _) ->
            outerProducts (string kind) model (Likelihood.drawnResiduals likelihood noise.Head)
        | FisherKind.Empirical losses -> outerProducts (string kind) model (empiricalResiduals (losses data))

    /// What each batch draws its targets with. The shape of outputs, which noise must have, is found by running the
    /// model once for each shape of inputs.
    let internal noise (kind: FisherKind) (model: RiskData -> Tensor -> Tensor) : Tensor -> RiskBatch -> Tensor list =
        match kind with
        | FisherKind.MonteCarlo(likelihood, draws, key) ->
            let signatures = ConcurrentDictionary<string, Signature>()

            fun theta batch ->
                let shapes = theta :: batch.Data |> List.map (fun t -> $"{t.DType}{Shape.show t.Signature.Shape}")
                let find _ = (model batch.Data theta).Signature
                let outputs = signatures.GetOrAdd(String.concat "; " shapes, find)
                let key = if batch.Data.IsEmpty then key else key.FoldIn(uint32 batch.Number)
                [ Likelihood.noise likelihood draws key outputs |> Tensor.toDevice theta.Device ]
        | FisherKind.Exact _
        | FisherKind.Empirical _ -> fun _ _ -> []

    let private nameOf (likelihood: Likelihood) =
        match likelihood with
        | Likelihood.Categorical -> "categorical", 1.0
        | Likelihood.Bernoulli -> "bernoulli", 1.0
        | Likelihood.Gaussian variance -> "gaussian", variance

    /// How other processes are told which matrix it is; losses of samples are a function, which cannot be told.
    let private matrix (kind: FisherKind) : RiskMatrix voption =
        match kind with
        | FisherKind.Exact likelihood -> ValueSome(RiskMatrix.ExactFisher(nameOf likelihood))
        | FisherKind.MonteCarlo(likelihood, draws, key) ->
            let name, variance = nameOf likelihood
            ValueSome(RiskMatrix.DrawnFisher(name, variance, draws, key))
        | FisherKind.Empirical _ -> ValueNone

    let internal curvature (kind: FisherKind) (risk: EmpiricalRisk) : RiskCurvature =
        let struct (model, _) = RiskModel.require (string kind) risk

        {
            Name = string kind
            Properties = OperatorProperties.PositiveSemidefinite
            // It is a mean over samples, however the losses of the risk are reduced.
            Risk = { risk.Definition with Reduction = Reduction.Mean }
            Extras = noise kind model
            Matrix = matrix kind
            At = fun data noise -> specify kind (model data) data noise
            Observe =
                fun theta data ->
                    let outputs = model data theta

                    [
                        SampleRows outputs
                        match kind with
                        | FisherKind.Empirical losses -> SampleRows(losses data outputs)
                        | FisherKind.Exact _
                        | FisherKind.MonteCarlo _ -> ()
                    ]
        }

    /// The Fisher matrix of a risk's model at θ, 1/N Σ E gₙgₙᵀ over its N samples, whatever the reduction and the
    /// criterion of the risk; to that of a term without data its Hessian is added. With the exact kind products and
    /// quadratic forms cost as much as those of the Gauss–Newton matrix. Batches are read as by `Hessian.evaluate`,
    /// with the same errors.
    /// Raises OperatorException for a risk that has no model, and ShapeException for another number of losses than
    /// samples.
    let ofRisk (kind: FisherKind) (risk: EmpiricalRisk) (theta: Tensor) : LinearOperator =
        (RiskCurvature.family (curvature kind risk) theta).Operator

    /// A Fisher matrix does not depend on the criterion.
    let private ofModel kind (model: Tensor -> Tensor) theta = ofRisk kind (Risk.ofOutputs model Tensor.sum) theta

    /// The Fisher information 1/N Σ E gₙgₙᵀ of a model θ ↦ outputs [N; …], with the expectation over targets taken
    /// exactly: the Gauss–Newton matrix of the mean loss. Products and quadratic forms cost as much as there.
    let exact (likelihood: Likelihood) (model: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        ofModel (FisherKind.exact likelihood) model theta

    /// The Fisher information with the expectation over targets replaced by the mean over `draws` targets for each
    /// sample, drawn from the key: unbiased. Raises ArgumentRangeException for fewer than one draw.
    let monteCarlo
        (likelihood: Likelihood)
        (draws: int)
        (key: Key)
        (model: Tensor -> Tensor)
        (theta: Tensor)
        : LinearOperator =
        ofModel (FisherKind.monteCarlo likelihood draws key) model theta

    /// The empirical Fisher matrix 1/N Σ gₙgₙᵀ with gₙ the gradient of the loss of sample n at the target in the
    /// data. The losses are a function of the outputs [N; …], one for each sample [N], and loss n may depend on row
    /// n alone. It is not the Fisher information (Kunstner, Hennig & Balles 2019). Raises ShapeException for another
    /// number of losses.
    let empirical (losses: Tensor -> Tensor) (model: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        ofModel (FisherKind.Empirical(fun _ -> losses)) model theta
