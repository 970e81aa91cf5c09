namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature
open Curvature.FSharp

/// Fisher matrices of TorchSharp models: averages over samples of outer products of gradients.
[<AbstractClass; Sealed>]
type TorchFisher =

    static member private Kind(name, make) : MatrixKind =
        {
            Name = name
            Properties = OperatorProperties.PositiveSemidefinite
            IsMean = true
            NeedsModel = true
            Make = make
        }

    static member private OfKind(kind: MatrixKind, risk: TorchRisk) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(risk, nameof risk)
        RiskMatrix.at kind risk.Definition |> RiskMatrix.toMatrix risk.Definition

    /// The Fisher information 1/N Σ E gₙgₙᵀ of a risk's model over its N samples, with the expectation over targets of
    /// a likelihood taken exactly, whatever the reduction and the criterion of the risk. Outputs are [N; …], and the
    /// last axis holds the logits of classes. Products cost as much as those of the Gauss–Newton matrix. Otherwise, and
    /// for the errors, see `TorchHessian.ofRisk`. Raises OperatorException for a risk without a model.
    static member exactOfRisk (likelihood: Likelihood) (risk: TorchRisk) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(likelihood, nameof likelihood)

        let make name isStrict set part =
            let found =
                GraphMatrix.gaussNewton name isStrict set (RiskMatrix.outputs part) (fun outputs ->
                    GraphMatrix.logPartition likelihood outputs)
            // The log-partition function is no loss of the data.
            { found with Loss = ValueNone; Gradient = [||] }

        TorchFisher.OfKind(TorchFisher.Kind("torch Fisher", make), risk)

    /// The empirical Fisher matrix 1/N Σ gₙgₙᵀ of a risk over batches, with gₙ the gradient of the loss of sample n at
    /// the target in the data. The losses are a function of a batch and of outputs [N; …], one for each sample [N], and
    /// loss n may depend on row n alone. It is not the Fisher information (Kunstner, Hennig & Balles 2019).
    /// Raises ShapeException for another number of losses.
    static member empirical
        (losses: torch.Tensor -> torch.Tensor)
        (model: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchMatrix =
        let make name isStrict set part = GraphMatrix.outerProducts name isStrict set (RiskMatrix.outputs part) losses

        let risk = TorchRisk.ofOutputs model losses parameters
        TorchFisher.OfKind(TorchFisher.Kind("torch empirical Fisher", make), risk)

    /// The empirical Fisher matrix of a risk over batches whose criterion gives one loss for each sample [N], and not
    /// their mean; see `empirical`.
    static member empiricalOfRisk(risk: TorchRisk) : TorchMatrix =
        let make name isStrict set (part: TorchPart) =
            GraphMatrix.outerProducts name isStrict set (RiskMatrix.outputs part) part.Criterion.Value

        TorchFisher.OfKind(TorchFisher.Kind("torch empirical Fisher", make), risk)

    /// The Fisher information of the outputs that a call of a model gives; see `exactOfRisk`.
    static member exact
        (likelihood: Likelihood)
        (model: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchMatrix =
        TorchFisher.exactOfRisk likelihood (TorchRisk.ofOutputs model (fun outputs -> outputs.sum ()) parameters)

    /// The Fisher information of a risk's model; see `exactOfRisk`.
    static member Exact(likelihood: Likelihood, risk: TorchRisk) : TorchMatrix = TorchFisher.exactOfRisk likelihood risk

    /// The Fisher information of the outputs that a call of a model gives; see `exactOfRisk`.
    static member Exact
        (likelihood: Likelihood, model: Func<torch.Tensor>, parameters: seq<struct (string * Modules.Parameter)>)
        : TorchMatrix =
        ArgumentNullException.ThrowIfNull(model, nameof model)
        TorchFisher.exact likelihood model.Invoke parameters

    /// The empirical Fisher matrix of a risk whose criterion gives one loss for each sample; see `empiricalOfRisk`.
    static member Empirical(risk: TorchRisk) : TorchMatrix = TorchFisher.empiricalOfRisk risk

    /// The empirical Fisher matrix of the outputs that a call of a model gives; see `empirical`.
    static member Empirical
        (
            losses: Func<torch.Tensor, torch.Tensor>,
            model: Func<torch.Tensor>,
            parameters: seq<struct (string * Modules.Parameter)>
        ) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(losses, nameof losses)
        ArgumentNullException.ThrowIfNull(model, nameof model)
        TorchFisher.empirical losses.Invoke model.Invoke parameters
