namespace Curvature.FSharp

open System
open Curvature

/// v ↦ Av for a square matrix of the loss of one batch at a point, in the shape of the point.
[<Sealed>]
type internal BatchProducts(map: CompiledMap) =
    member _.Apply(v: Tensor) : Tensor = map.Apply v

    interface IDisposable with
        member _.Dispose() = map.Dispose()

/// What methods of descent may ask of the losses of batches of a risk, at any point. Everything is compiled once for
/// each size of a batch, and when it is first asked for. A loss that asks for values is interpreted.
[<Sealed>]
type internal BatchLosses(whole: EmpiricalRisk) =

    /// A term without data as a part of the loss of every batch: of a mean as it is, of a sum in proportion to the
    /// samples of the batch, which are not known before they are read, so that there it is refused.
    let risk: RiskDefinition =
        let risk = whole.Definition

        match risk.Term, risk.Source, risk.Reduction with
        | ValueNone, _, _ -> risk
        | ValueSome _, (EachPass _ | InGroups _), Reduction.Sum ->
            Fail.range "training: a sum over batches has no share of the term without data for each batch; use the mean"
        | ValueSome term, _, _ ->
            { risk with
                Loss = fun data theta -> risk.Loss data theta + term theta
                Term = ValueNone
                Remote = ValueNone
            }

    let gradient = Gradient.ofBatch risk

    let losses =
        lazy
            (Compile.funcs (fun inputs ->
                [ Linearization.checkLoss "loss" inputs.Head (risk.Loss inputs.Tail inputs.Head) ]))

    let mutable recordable = true

    let hessians =
        lazy
            (RiskPass.maps risk (fun theta data _ ->
                Linearization.hessian "Hessian" (risk.Loss data) theta |> Linearization.toValues))

    /// The Gauss–Newton matrix and the Hessian of the term without data.
    let gaussNewtons =
        lazy
            (let struct (model, criterion) = RiskModel.require "Gauss-Newton" whole

             RiskPass.maps risk (fun theta data _ ->
                 let ofData = (GaussNewton.specifyNamed "Gauss-Newton" (model data) (criterion data)).Matvec theta

                 let apply =
                     match whole.Definition.Term with
                     | ValueNone -> ofData.Apply
                     | ValueSome term ->
                         let ofTerm = Linearization.hessian "Gauss-Newton" term theta
                         fun v -> ofData.Apply v + ofTerm.Apply v

                 [ ofData.Loss ], apply))

    /// The gradient, by θ, of the mean of the losses of targets that noise has drawn.
    let drawnGradients (likelihood: Likelihood) =
        let struct (model, _) = RiskModel.require "drawn targets" whole

        Compile.funcs (fun inputs ->
            match inputs with
            | theta :: noise :: data ->
                let outputs, jacobian = Linearization.derivative "drawn targets" "model" (model data) theta
                let residuals = Likelihood.drawnResiduals likelihood noise outputs |> Tensor.item 0 0
                [ Linearization.pull theta jacobian (residuals / float (Likelihood.rows outputs)) ]
            | _ -> invalidOp "drawn targets need a point and noise")

    let drawn = Collections.Generic.Dictionary<Likelihood, Tensor list -> Tensor list>()

    member _.Definition = risk

    /// The risk of a batch alone, with the model and the criterion apart where they are, and without a term.
    member _.RiskOf(batch: RiskBatch) : EmpiricalRisk =
        match batch.Data with
        | [ inputs; targets ] ->
            EmpiricalRisk
                { whole.Definition with
                    Source = EachPass(fun _ -> [ Batch(inputs, targets) ])
                    Term = ValueNone
                    Remote = ValueNone
                }
        | _ -> EmpiricalRisk { whole.Definition with Term = ValueNone; Remote = ValueNone }

    /// Loss and gradient; `isNew` checks the data of a batch that comes for the first time.
    member _.Gradient(isNew: bool, theta: Tensor, batch: RiskBatch) : Tensor * Tensor = gradient isNew theta batch

    /// The loss alone.
    member _.Loss(theta: Tensor, batch: RiskBatch) : float =
        let value =
            if recordable then
                try
                    (losses.Value(theta :: batch.Data)).Head
                with :? AbstractValueException ->
                    recordable <- false
                    batch.Loss theta
            else
                batch.Loss theta

        value.ToScalar()

    member _.Hessian(theta: Tensor, batch: RiskBatch) = new BatchProducts(hessians.Value theta batch [])

    member _.GaussNewton(theta: Tensor, batch: RiskBatch) = new BatchProducts(gaussNewtons.Value theta batch [])

    /// The gradient of the mean loss of the batch for targets drawn from a likelihood by a key, and the number of
    /// samples.
    member _.DrawnGradient(likelihood: Likelihood, key: Key, theta: Tensor, batch: RiskBatch) : struct (Tensor * int) =
        let compiled =
            match drawn.TryGetValue likelihood with
            | true, compiled -> compiled
            | _ ->
                let compiled = drawnGradients likelihood
                drawn[likelihood] <- compiled
                compiled

        let struct (model, _) = RiskModel.require "drawn targets" whole
        let outputs = model batch.Data theta
        let noise = Likelihood.noise likelihood 1 key outputs.Signature |> Tensor.toDevice theta.Device
        struct ((compiled (theta :: noise :: batch.Data)).Head, Likelihood.rows outputs)

/// The place of a step: the parameters, the loss and its gradient there, and, where the loss is known and not the
/// gradient alone, whatever else it says.
[<NoEquality; NoComparison>]
type internal StepPoint =
    {
        Theta: Tensor
        /// The loss at θ; NaN where it is not known.
        Loss: float
        Gradient: Tensor
        /// Multiplies the learning rate.
        Factor: float
        Source: struct (BatchLosses * RiskBatch) voption
    }

    /// What the loss says beside its gradient. Raises OperatorException where the gradient alone is known.
    member point.Require(name: string) : struct (BatchLosses * RiskBatch) =
        match point.Source with
        | ValueSome source -> source
        | ValueNone ->
            Fail.operator (
                $"{name}: a step needs the loss, and not its gradient alone; train with Training.minimize, or step "
                + "with a Descent"
            )

    /// Loss and gradient of the same batch elsewhere.
    member point.GradientAt (name: string) (theta: Tensor) : struct (float * Tensor) =
        let struct (losses, batch) = point.Require name
        let value, slope = losses.Gradient(false, theta, batch)
        struct (value.ToScalar(), slope)
