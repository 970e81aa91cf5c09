namespace Curvature.FSharp

open System
open Curvature

/// Functions that layers apply to each element, beside `Tensor.relu`, `gelu`, `silu`, `sigmoid`, `softplus` and `tanh`.
/// At a corner, the derivative is that of the side below, as of `Tensor.relu`; that of `Tensor.clip` is 1 at both ends.
[<RequireQualifiedAccess>]
module Activation =

    let internal checkFinite name what (value: float) =
        if not (Double.IsFinite value) then
            Fail.range $"{name}: {what} must be finite, and is {value}"

    /// x where it is positive, else slope·x, for a slope that broadcasts to x, as torch.nn.functional.prelu and ONNX's
    /// PRelu (He et al. 2015). The derivative at 0 is the slope.
    let prelu (slope: Tensor) (x: Tensor) : Tensor = Tensor.where (Tensor.greater x 0.0) x (slope * x)

    /// x where it is positive, else slope·x, as torch.nn.functional.leaky_relu, whose slope is 0.01 where nothing is
    /// said. The derivative at 0 is the slope. Raises ArgumentRangeException unless the slope is finite.
    let leakyRelu (slope: float) (x: Tensor) : Tensor =
        checkFinite "leakyRelu" "the slope" slope
        Tensor.where (Tensor.greater x 0.0) x (slope * x)

    /// x where it is positive, else α·(eˣ − 1), as torch.nn.functional.elu, whose α is 1 where nothing is said (Clevert
    /// et al. 2016). The derivative at 0 is α. Raises ArgumentRangeException unless α is finite.
    let elu (alpha: float) (x: Tensor) : Tensor =
        checkFinite "elu" "alpha" alpha
        let isPositive = Tensor.greater x 0.0
        // The exponential of a large x would be infinite, and 0·∞ is not a number.
        Tensor.where isPositive x (alpha * Tensor.expm1 (Tensor.where isPositive 0.0 x))

    /// λ·elu(x) with α = 1.6733 and λ = 1.0507, which keep mean 0 and variance 1 (Klambauer et al. 2017, eq. 14).
    let selu (x: Tensor) : Tensor = 1.0507009873554805 * elu 1.6732632423543772 x

    /// slope·x + offset, kept from 0 to 1: with 1/6 and 1/2 it is torch.nn.functional.hardsigmoid, with 0.2 and 0.5
    /// ONNX's HardSigmoid. Raises ArgumentRangeException unless both are finite.
    let hardSigmoid (slope: float) (offset: float) (x: Tensor) : Tensor =
        checkFinite "hardSigmoid" "the slope" slope
        checkFinite "hardSigmoid" "the offset" offset
        Tensor.clip 0.0 1.0 (slope * x + offset)

    /// x·min(max(x + 3, 0), 6)/6, as torch.nn.functional.hardswish (Howard et al. 2019).
    let hardSwish (x: Tensor) : Tensor = x * Tensor.clip 0.0 6.0 (x + 3.0) / 6.0

    /// x·tanh(softplus(x)) (Misra 2019).
    let mish (x: Tensor) : Tensor = x * Tensor.tanh (Tensor.softplus x)

    /// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, close to `Tensor.gelu`: torch.nn.functional.gelu with approximate
    /// "tanh" (Hendrycks & Gimpel 2016).
    let geluTanh (x: Tensor) : Tensor =
        0.5 * x * (1.0 + Tensor.tanh (Math.Sqrt(2.0 / Math.PI) * (x + 0.044715 * (x * x * x))))
