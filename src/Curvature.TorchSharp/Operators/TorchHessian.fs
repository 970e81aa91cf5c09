namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature

/// Hessians of losses of TorchSharp models, as operators for every algorithm of the library.
[<AbstractClass; Sealed>]
type TorchHessian =

    /// The Hessian of a risk at the parameters as they are, with its value and gradient. Of a loss without batches the
    /// graph of the gradient is kept, so that a product costs one backward pass through it, about two gradients; what
    /// the loss drew at random, such as dropout, stays as it was drawn. Over batches every block of vectors reads the
    /// data again: it costs, for each batch, a gradient with its graph and k products, and one graph is in memory at a
    /// time. Vectors have the parameters' element type, and Float32 for BFloat16 and Float16 models. They are on the
    /// processor wherever the model is.
    ///
    /// The .grad of the parameters, torch's random state, the caller's dispose scopes and, where the risk knows them,
    /// the module's buffers are afterwards what they were. Products may be asked for by several threads; they run one
    /// after the other.
    ///
    /// Raises ShapeException for a loss that is not one number, DTypeException for parameters of mixed or complex
    /// types, DeviceException for parameters on several devices, ParameterException for no parameters and, where the
    /// risk is strict, for unused ones, NonFiniteException where the loss or its gradient is NaN or infinite,
    /// DifferentiationException where the loss does not depend on the parameters and, at a product, where an operation
    /// has no second derivative or the parameters have changed since, DisposedException where a tensor was disposed of,
    /// DeviceMemoryException where memory runs out, DataException for no batches and for other data at a later pass,
    /// and TorchException for whatever else libtorch says.
    static member ofRisk(risk: TorchRisk) : TorchCurvature =
        ArgumentNullException.ThrowIfNull(risk, nameof risk)
        RiskMatrix.at RiskMatrix.hessian risk.Definition |> RiskMatrix.toCurvature risk.Definition

    /// The Hessian of the loss that a call gives, as in `TorchHessian.at (fun () -> loss) (net.named_parameters ())`;
    /// see `ofRisk`.
    static member at
        (loss: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchCurvature =
        TorchHessian.ofRisk (TorchRisk.ofLoss loss parameters)

    /// The Hessian of a risk; see `ofRisk`.
    static member Of(risk: TorchRisk) : TorchCurvature = TorchHessian.ofRisk risk

    /// The Hessian of the loss that a call gives; see `ofRisk`.
    static member At(loss: Func<torch.Tensor>, parameters: seq<struct (string * Modules.Parameter)>) : TorchCurvature =
        TorchHessian.ofRisk (TorchRisk.OfLoss(loss, parameters))

    /// The Hessian of the loss that a call gives by the parameters of a module, whose buffers are kept; see `ofRisk`.
    static member At(loss: Func<torch.Tensor>, m: torch.nn.Module) : TorchCurvature =
        TorchHessian.ofRisk (TorchRisk.OfLoss(loss, m))
