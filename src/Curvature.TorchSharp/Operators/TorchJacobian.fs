namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature

/// Derivatives of the outputs of TorchSharp models.
[<AbstractClass; Sealed>]
type TorchJacobian =

    /// The Jacobian of the outputs that a call of a model gives, by its parameters: m×n for m outputs in row-major
    /// order and n parameters. The transpose is known. A product costs a backward pass through the graph of the
    /// transposed derivative, one with the transpose an ordinary one. For the errors see `TorchHessian.ofRisk`.
    static member at
        (model: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchMatrix =
        let name = "torch Jacobian"
        let set = ParameterSet.Of(name, parameters)

        TorchState.exclusively name (fun () ->
            let derivative =
                TorchState.keepingRandomState ValueNone (fun () -> GraphMatrix.derivative name false set (model ()))

            let outputs = Exchange.ofTorch derivative.Outputs
            Finite.check $"{name}: the outputs" outputs
            new TorchMatrix(RetainedOperator.jacobian name set derivative, set.Layout, outputs))

    /// The Jacobian of the outputs that a call of a model gives; see `at`.
    static member At(model: Func<torch.Tensor>, parameters: seq<struct (string * Modules.Parameter)>) : TorchMatrix =
        ArgumentNullException.ThrowIfNull(model, nameof model)
        TorchJacobian.at model.Invoke parameters
