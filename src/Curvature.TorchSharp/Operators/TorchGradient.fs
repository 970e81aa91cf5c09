namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature

/// Losses of TorchSharp models and their gradients, as the library's numbers.
[<AbstractClass; Sealed>]
type TorchGradient =

    /// The value of a risk and its gradient at the parameters as they are: one gradient of each batch, one graph in
    /// memory at a time. Errors are those of `TorchHessian.ofRisk`.
    static member ofRisk(risk: TorchRisk) : TorchLossGradient =
        ArgumentNullException.ThrowIfNull(risk, nameof risk)
        let point = RiskMatrix.at RiskMatrix.gradient risk.Definition
        use _operator = point.Operator
        TorchLossGradient(risk.Layout, point.Loss.Value, point.Gradient.Value)

    /// The loss that a call gives and its gradient; see `ofRisk`.
    static member at
        (loss: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchLossGradient =
        TorchGradient.ofRisk (TorchRisk.ofLoss loss parameters)

    /// The value of a risk and its gradient; see `ofRisk`.
    static member Of(risk: TorchRisk) : TorchLossGradient = TorchGradient.ofRisk risk

    /// The loss that a call gives and its gradient; see `ofRisk`.
    static member At
        (loss: Func<torch.Tensor>, parameters: seq<struct (string * Modules.Parameter)>)
        : TorchLossGradient =
        TorchGradient.ofRisk (TorchRisk.OfLoss(loss, parameters))

    /// The loss that a call gives and its gradient by the parameters of a module, whose buffers are kept.
    static member At(loss: Func<torch.Tensor>, m: torch.nn.Module) : TorchLossGradient =
        TorchGradient.ofRisk (TorchRisk.OfLoss(loss, m))
