namespace Curvature.TorchSharp

open System
open global.TorchSharp
open Curvature

/// What losses must be, and their derivatives.
module internal Autograd =

    /// Raises where a loss is not one finite number that depends on something.
    let checkLoss (name: string) (value: TorchTensor | null) : TorchTensor =
        match value with
        | null -> Fail.data $"{name}: the loss is null"
        | value ->
            if value.numel () <> 1L then
                let shape = Shape.show (Exchange.shapeOf value)
                Fail.shape $"{name}: a loss is one number, and this one has shape {shape}; take its mean or sum"

            if not (torch.is_floating_point value.dtype) then
                Fail.dtype $"{name}: a loss is a real number, and this one is {value.dtype}"

            if not value.requires_grad then
                Fail.differentiation (
                    $"{name}: the loss does not depend on the parameters; it may be computed under no_grad or in "
                    + "inference mode, or from detached values, or not by this call"
                )

            value

    /// A number of one element as Float64.
    let number (value: TorchTensor) : float = value.detach().``to``(torch.ScalarType.Float64).cpu().item<float>()

    let checkFinite (name: string) (what: string) (value: float) =
        if not (Double.IsFinite value) then
            Fail.nonFinite $"{name}: the {what} is {Finite.name value}"

        value

    /// The gradient of a scalar as a graph of its own; null for leaves on which it does not depend.
    let gradientGraph (value: TorchTensor) (leaves: TorchTensor[]) =
        TorchScript.pull true [| value |] [| torch.ones_like value |] leaves
