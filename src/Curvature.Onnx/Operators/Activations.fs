namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Nonlinearities of networks. Where a function has a corner, the derivative is that of PyTorch.
[<RequireQualifiedAccess>]
module internal Activations =

    let private leakyRelu (node: Node) (x: Tensor) : Tensor = Activation.leakyRelu (node.Float("alpha", 0.01)) x

    let private elu (node: Node) (x: Tensor) : Tensor = Activation.elu (node.Float("alpha", 1.0)) x

    let private celu (node: Node) (x: Tensor) : Tensor =
        let alpha = node.Float("alpha", 1.0)
        alpha * Activation.elu 1.0 (x / alpha)

    /// The constants are those of Klambauer et al. 2017, as the standard rounds them.
    let private selu (node: Node) (x: Tensor) : Tensor =
        let alpha = node.Float("alpha", 1.67326319217681884765625)
        node.Float("gamma", 1.05070102214813232421875) * Activation.elu alpha x

    let private thresholdedRelu (node: Node) (x: Tensor) : Tensor =
        Tensor.where (Tensor.greater x (node.Float("alpha", 1.0))) x (Tensor.zerosLike x)

    let private hardSigmoid (node: Node) (x: Tensor) : Tensor =
        Activation.hardSigmoid (node.Float("alpha", 0.2)) (node.Float("beta", 0.5)) x

    let private gelu (node: Node) (x: Tensor) : Tensor =
        if node.Text("approximate", "none") = "tanh" then
            Activation.geluTanh x
        else
            Tensor.gelu x

    let private refuseApproximation (node: Node) =
        match node.Text("approximate", "none") with
        | "none"
        | "tanh" -> ValueNone
        | other -> ValueSome $"has approximate = \"{other}\", which is none or tanh"

    let private swish (node: Node) (x: Tensor) : Tensor = x * Tensor.sigmoid (node.Float("alpha", 1.0) * x)

    let private shrink (node: Node) (x: Tensor) : Tensor =
        let bias, lambda = node.Float("bias", 0.0), node.Float("lambd", 0.5)
        let above = Tensor.where (Tensor.greater x lambda) (x - bias) (Tensor.zerosLike x)
        Tensor.where (Tensor.greater -lambda x) (x + bias) above

    /// Bounds are numbers, or tensors of one element that are not known. Where the lower is above the upper, every
    /// element becomes the upper.
    let private clip (call: Call) : Value list =
        let isBound i =
            match call.TryInput i with
            | ValueSome value -> not (Value.isKnown value)
            | ValueNone -> false

        match call.Input 0 with
        | AsTensor(kind, x) when ElementType.isFloating kind && (isBound 1 || isBound 2) ->
            let bound i = call.TryInput i |> ValueOption.map (Value.tensor call.Context x.DType)
            let raised = bound 1 |> ValueOption.fold (fun x low -> Tensor.maximum x low) x
            [ Value.Numbers(kind, bound 2 |> ValueOption.fold (fun x high -> Tensor.minimum x high) raised) ]
        | input ->
            let low = call.TryReal("min", 1) |> ValueOption.defaultValue -infinity
            let high = call.TryReal("max", 2) |> ValueOption.defaultValue infinity

            let onTensor (x: Tensor) = if low <= high then Tensor.clip low high x else Tensor.fullLike x high

            // A bound of whole numbers may be larger than what Float64 holds exactly.
            let integer i fallback =
                match call.TryInput i with
                | ValueSome value -> (Value.integers value)[0]
                | ValueNone -> fallback

            let onInteger (x: int64) = min (max x (integer 1 Int64.MinValue)) (integer 2 Int64.MaxValue)

            if input.IsFloating then
                Elementwise.real onTensor call
            else
                Elementwise.unary onTensor onInteger call

    let private real name (f: Tensor -> Tensor) =
        Operator.make name (1, 1) "" (Elementwise.real f) |> Operator.takingImages

    /// A function of the attributes and of one tensor.
    let private withAttributes name attributes (f: Node -> Tensor -> Tensor) =
        Operator.make name (1, 1) attributes (fun call -> Elementwise.real (f call.Node) call)
        |> Operator.takingImages

    let operators: Operator list =
        [
            Operator.make "Relu" (1, 1) "" (Elementwise.unary Tensor.relu (fun x -> max x 0L)) |> Operator.takingImages
            Operator.make "PRelu" (2, 2) "" (fun call -> call.Result(Activation.prelu (call.Tensor 1) (call.Tensor 0)))
            withAttributes "LeakyRelu" "alpha:float" leakyRelu
            withAttributes "Elu" "alpha:float" elu
            withAttributes "Celu" "alpha:float" celu |> Operator.since 12
            withAttributes "Selu" "alpha:float gamma:float" selu
            withAttributes "ThresholdedRelu" "alpha:float" thresholdedRelu |> Operator.since 10
            withAttributes "HardSigmoid" "alpha:float beta:float" hardSigmoid
            real "HardSwish" Activation.hardSwish |> Operator.since 14
            withAttributes "Gelu" "approximate:text" gelu |> Operator.since 20 |> Operator.refusing refuseApproximation
            withAttributes "Swish" "alpha:float" swish |> Operator.since 24
            withAttributes "Shrink" "bias:float lambd:float" shrink |> Operator.since 9
            real "Sigmoid" Tensor.sigmoid
            real "Tanh" Tensor.tanh
            real "Softplus" Tensor.softplus
            real "Softsign" (fun x -> x / (1.0 + Tensor.abs x))
            real "Mish" Activation.mish |> Operator.since 18
            real "Erf" Tensor.erf |> Operator.since 9
            Operator.make "Clip" (1, 1) "min:float max:float" clip |> Operator.until 10 |> Operator.takingImages
            Operator.make "Clip" (1, 3) "" clip
            |> Operator.since 11
            |> Operator.settings [ 1; 2 ]
            |> Operator.takingImages
        ]
