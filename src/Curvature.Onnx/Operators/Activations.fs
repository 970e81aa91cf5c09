namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Nonlinearities of networks. Where a function has a corner, the derivative is that of PyTorch.
[<RequireQualifiedAccess>]
module internal Activations =

    let private celu (call: Call) =
        let alpha = call.Node.Float("alpha", 1.0)
        call.Result(alpha * Activation.elu 1.0 (call.Tensor 0 / alpha))

    /// The constants are those of Klambauer et al. 2017, as the standard rounds them.
    let private selu (call: Call) =
        let alpha = call.Node.Float("alpha", 1.67326319217681884765625)
        let gamma = call.Node.Float("gamma", 1.05070102214813232421875)
        call.Result(gamma * Activation.elu alpha (call.Tensor 0))

    let private thresholdedRelu (call: Call) =
        let x = call.Tensor 0
        call.Result(Tensor.where (Tensor.greater x (call.Node.Float("alpha", 1.0))) x (Tensor.zerosLike x))

    let private hardSigmoid (call: Call) =
        let slope, offset = call.Node.Float("alpha", 0.2), call.Node.Float("beta", 0.5)
        call.Result(Activation.hardSigmoid slope offset (call.Tensor 0))

    let private gelu (call: Call) =
        let isTanh = call.Node.Text("approximate", "none") = "tanh"
        call.Result((if isTanh then Activation.geluTanh else Tensor.gelu) (call.Tensor 0))

    let private refuseApproximation (node: Node) =
        match node.Text("approximate", "none") with
        | "none"
        | "tanh" -> ValueNone
        | other -> ValueSome $"has approximate = \"{other}\", which is none or tanh"

    let private swish (call: Call) =
        let x, alpha = call.Tensor 0, call.Node.Float("alpha", 1.0)
        call.Result(x * Tensor.sigmoid (alpha * x))

    let private shrink (call: Call) =
        let x = call.Tensor 0
        let bias, lambda = call.Node.Float("bias", 0.0), call.Node.Float("lambd", 0.5)
        let above = Tensor.where (Tensor.greater x lambda) (x - bias) (Tensor.zerosLike x)
        call.Result(Tensor.where (Tensor.greater -lambda x) (x + bias) above)

    /// Bounds are numbers, or tensors of one element that are not known. Where the lower is above the upper, every
    /// element becomes the upper.
    let private clip (call: Call) : Value list =
        let isBound i =
            match call.TryInput i with
            | ValueSome value -> not (Value.isKnown value)
            | ValueNone -> false

        match call.Input 0 with
        | Value.Numbers(kind, x) when ElementType.isFloating kind && (isBound 1 || isBound 2) ->
            let bound i = call.TryInput i |> ValueOption.map (Value.tensor call.Context x.DType)
            let raised = bound 1 |> ValueOption.fold (fun x low -> Tensor.maximum x low) x
            [ Value.Numbers(kind, bound 2 |> ValueOption.fold (fun x high -> Tensor.minimum x high) raised) ]
        | input ->
            let low = call.TryReal("min", 1) |> ValueOption.defaultValue -infinity
            let high = call.TryReal("max", 2) |> ValueOption.defaultValue infinity

            let onTensor (x: Tensor) =
                if low <= high then Tensor.clip low high x else Tensor.fullLike x high

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

    let private real name (f: Tensor -> Tensor) = Operator.make name (1, 1) "" (Elementwise.real f)

    let operators: Operator list =
        [
            Operator.make "Relu" (1, 1) "" (Elementwise.unary Tensor.relu (fun x -> max x 0L))
            Operator.make "LeakyRelu" (1, 1) "alpha:float" (fun call ->
                call.Result(Activation.leakyRelu (call.Node.Float("alpha", 0.01)) (call.Tensor 0)))
            Operator.make "PRelu" (2, 2) "" (fun call -> call.Result(Activation.prelu (call.Tensor 1) (call.Tensor 0)))
            Operator.make "Elu" (1, 1) "alpha:float" (fun call ->
                call.Result(Activation.elu (call.Node.Float("alpha", 1.0)) (call.Tensor 0)))
            Operator.make "Celu" (1, 1) "alpha:float" celu |> Operator.since 12
            Operator.make "Selu" (1, 1) "alpha:float gamma:float" selu
            Operator.make "ThresholdedRelu" (1, 1) "alpha:float" thresholdedRelu |> Operator.since 10
            Operator.make "HardSigmoid" (1, 1) "alpha:float beta:float" hardSigmoid
            real "HardSwish" Activation.hardSwish |> Operator.since 14
            Operator.make "Gelu" (1, 1) "approximate:text" gelu
            |> Operator.since 20
            |> Operator.refusing refuseApproximation
            Operator.make "Swish" (1, 1) "alpha:float" swish |> Operator.since 24
            Operator.make "Shrink" (1, 1) "bias:float lambd:float" shrink |> Operator.since 9
            real "Sigmoid" Tensor.sigmoid
            real "Tanh" Tensor.tanh
            real "Softplus" Tensor.softplus
            real "Softsign" (fun x -> x / (1.0 + Tensor.abs x))
            real "Mish" Activation.mish |> Operator.since 18
            real "Erf" Tensor.erf |> Operator.since 9
            Operator.make "Clip" (1, 1) "min:float max:float" clip |> Operator.until 10
            Operator.make "Clip" (1, 3) "" clip |> Operator.since 11 |> Operator.settings [ 1; 2 ]
        ]
