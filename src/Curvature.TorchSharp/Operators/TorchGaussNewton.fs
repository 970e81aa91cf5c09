namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature

/// Gauss–Newton matrices JᵀH_ℓJ of TorchSharp models under a criterion ℓ of their outputs.
[<AbstractClass; Sealed>]
type TorchGaussNewton =

    static member private Kind: MatrixKind =
        {
            Name = "torch Gauss-Newton"
            Properties = OperatorProperties.PositiveSemidefinite
            IsMean = false
            NeedsModel = true
            Make =
                fun name isStrict set part ->
                    GraphMatrix.gaussNewton name isStrict set (RiskMatrix.outputs part) part.Criterion.Value
        }

    /// The Gauss–Newton matrix of a risk whose model and criterion are known apart, at the parameters as they are. It
    /// is claimed semidefinite, which holds for every criterion that is convex in the outputs. A product costs three
    /// backward passes, one of them through the graph of the transposed derivative. Otherwise, and for the errors, see
    /// `TorchHessian.ofRisk`. Raises OperatorException for a risk without a model.
    static member ofRisk(risk: TorchRisk) : TorchCurvature =
        ArgumentNullException.ThrowIfNull(risk, nameof risk)
        RiskMatrix.at TorchGaussNewton.Kind risk.Definition |> RiskMatrix.toCurvature risk.Definition

    /// The Gauss–Newton matrix of the outputs that a call of a model gives, under a criterion of them; see `ofRisk`.
    static member at
        (model: unit -> torch.Tensor)
        (criterion: torch.Tensor -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchCurvature =
        TorchGaussNewton.ofRisk (TorchRisk.ofOutputs model criterion parameters)

    /// The Gauss–Newton matrix of a risk; see `ofRisk`.
    static member Of(risk: TorchRisk) : TorchCurvature = TorchGaussNewton.ofRisk risk

    /// The Gauss–Newton matrix of the outputs that a call of a model gives; see `ofRisk`.
    static member At
        (
            model: Func<torch.Tensor>,
            criterion: Func<torch.Tensor, torch.Tensor>,
            parameters: seq<struct (string * Modules.Parameter)>
        ) : TorchCurvature =
        TorchGaussNewton.ofRisk (TorchRisk.OfOutputs(model, criterion, parameters))

    /// The Gauss–Newton matrix by the parameters of a module, whose buffers are kept; see `ofRisk`.
    static member At
        (model: Func<torch.Tensor>, criterion: Func<torch.Tensor, torch.Tensor>, m: torch.nn.Module)
        : TorchCurvature =
        TorchGaussNewton.ofRisk (TorchRisk.OfOutputs(model, criterion, m))
