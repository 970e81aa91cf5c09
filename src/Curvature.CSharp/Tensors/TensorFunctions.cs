using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Functions of each element. Two tensors broadcast against each other; one of two may be a number, as in
/// <c>Tensor.Where(mask, tensor, 0)</c> and <c>tensor.Maximum(1)</c>.</summary>
public static class TensorFunctions
{
    /// <inheritdoc cref="FSharp.Tensor.exp"/>
    public static Tensor Exp(this Tensor tensor) => FSharp.Tensor.exp(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.expm1"/>
    public static Tensor Expm1(this Tensor tensor) => FSharp.Tensor.expm1(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.log"/>
    public static Tensor Log(this Tensor tensor) => FSharp.Tensor.log(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.log1p"/>
    public static Tensor Log1p(this Tensor tensor) => FSharp.Tensor.log1p(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sqrt"/>
    public static Tensor Sqrt(this Tensor tensor) => FSharp.Tensor.sqrt(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.rsqrt"/>
    public static Tensor Rsqrt(this Tensor tensor) => FSharp.Tensor.rsqrt(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.square"/>
    public static Tensor Square(this Tensor tensor) => FSharp.Tensor.square(tensor.NotNull());

    /// <summary>x to a power; whole exponents up to 4 are products, so that every derivative at 0 is finite.</summary>
    public static Tensor Pow(this Tensor tensor, double exponent) => Tensor.Pow(tensor.NotNull(), exponent);

    /// <summary>x to a power, elementwise.</summary>
    public static Tensor Pow(this Tensor tensor, Tensor exponent) => Tensor.Pow(tensor.NotNull(), exponent.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sin"/>
    public static Tensor Sin(this Tensor tensor) => FSharp.Tensor.sin(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.cos"/>
    public static Tensor Cos(this Tensor tensor) => FSharp.Tensor.cos(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.tan"/>
    public static Tensor Tan(this Tensor tensor) => FSharp.Tensor.tan(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.asin"/>
    public static Tensor Asin(this Tensor tensor) => FSharp.Tensor.asin(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.acos"/>
    public static Tensor Acos(this Tensor tensor) => FSharp.Tensor.acos(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.atan"/>
    public static Tensor Atan(this Tensor tensor) => FSharp.Tensor.atan(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.atan2"/>
    public static Tensor Atan2(this Tensor y, Tensor x) => FSharp.Tensor.atan2(y.NotNull(), x.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sinh"/>
    public static Tensor Sinh(this Tensor tensor) => FSharp.Tensor.sinh(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.cosh"/>
    public static Tensor Cosh(this Tensor tensor) => FSharp.Tensor.cosh(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.tanh"/>
    public static Tensor Tanh(this Tensor tensor) => FSharp.Tensor.tanh(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sigmoid"/>
    public static Tensor Sigmoid(this Tensor tensor) => FSharp.Tensor.sigmoid(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.softplus"/>
    public static Tensor Softplus(this Tensor tensor) => FSharp.Tensor.softplus(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.relu"/>
    public static Tensor Relu(this Tensor tensor) => FSharp.Tensor.relu(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.gelu"/>
    public static Tensor Gelu(this Tensor tensor) => FSharp.Tensor.gelu(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.silu"/>
    public static Tensor Silu(this Tensor tensor) => FSharp.Tensor.silu(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.geluTanh"/>
    public static Tensor GeluTanh(this Tensor tensor) => FSharp.Activation.geluTanh(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.mish"/>
    public static Tensor Mish(this Tensor tensor) => FSharp.Activation.mish(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.leakyRelu"/>
    public static Tensor LeakyRelu(this Tensor tensor, double slope = 0.01) =>
        FSharp.Activation.leakyRelu(slope, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.prelu"/>
    public static Tensor Prelu(this Tensor tensor, Tensor slope) =>
        FSharp.Activation.prelu(slope.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.elu"/>
    public static Tensor Elu(this Tensor tensor, double alpha = 1) => FSharp.Activation.elu(alpha, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.selu"/>
    public static Tensor Selu(this Tensor tensor) => FSharp.Activation.selu(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.hardSigmoid"/>
    public static Tensor HardSigmoid(this Tensor tensor, double slope = 1.0 / 6.0, double offset = 0.5) =>
        FSharp.Activation.hardSigmoid(slope, offset, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Activation.hardSwish"/>
    public static Tensor HardSwish(this Tensor tensor) => FSharp.Activation.hardSwish(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.erf"/>
    public static Tensor Erf(this Tensor tensor) => FSharp.Tensor.erf(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.erfInverse"/>
    public static Tensor ErfInverse(this Tensor tensor) => FSharp.Tensor.erfInverse(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.abs"/>
    public static Tensor Abs(this Tensor tensor) => FSharp.Tensor.abs(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sign"/>
    public static Tensor Sign(this Tensor tensor) => FSharp.Tensor.sign(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.floor"/>
    public static Tensor Floor(this Tensor tensor) => FSharp.Tensor.floor(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.ceil"/>
    public static Tensor Ceil(this Tensor tensor) => FSharp.Tensor.ceil(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.round"/>
    public static Tensor Round(this Tensor tensor) => FSharp.Tensor.round(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.clip"/>
    public static Tensor Clip(this Tensor tensor, double low, double high) =>
        FSharp.Tensor.clip(low, high, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.isNaN"/>
    public static Tensor IsNaN(this Tensor tensor) => FSharp.Tensor.isNaN(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.isFinite"/>
    public static Tensor IsFinite(this Tensor tensor) => FSharp.Tensor.isFinite(tensor.NotNull());

    /// <inheritdoc cref="Tensor.Maximum(Tensor, Tensor)"/>
    public static Tensor Maximum(this Tensor a, Tensor b) => Tensor.Maximum(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="Tensor.Maximum(Tensor, Tensor)"/>
    public static Tensor Maximum(this Tensor a, double b) => Tensor.Maximum(a.NotNull(), b);

    /// <inheritdoc cref="Tensor.Minimum(Tensor, Tensor)"/>
    public static Tensor Minimum(this Tensor a, Tensor b) => Tensor.Minimum(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="Tensor.Minimum(Tensor, Tensor)"/>
    public static Tensor Minimum(this Tensor a, double b) => Tensor.Minimum(a.NotNull(), b);

    /// <inheritdoc cref="Tensor.Greater(Tensor, Tensor)"/>
    public static Tensor Greater(this Tensor a, Tensor b) => Tensor.Greater(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="Tensor.Greater(Tensor, Tensor)"/>
    public static Tensor Greater(this Tensor a, double b) => Tensor.Greater(a.NotNull(), b);

    /// <inheritdoc cref="Tensor.GreaterOrEqual(Tensor, Tensor)"/>
    public static Tensor GreaterOrEqual(this Tensor a, Tensor b) => Tensor.GreaterOrEqual(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="Tensor.GreaterOrEqual(Tensor, Tensor)"/>
    public static Tensor GreaterOrEqual(this Tensor a, double b) => Tensor.GreaterOrEqual(a.NotNull(), b);

    /// <inheritdoc cref="Tensor.Equal(Tensor, Tensor)"/>
    public static Tensor Equal(this Tensor a, Tensor b) => Tensor.Equal(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="Tensor.Equal(Tensor, Tensor)"/>
    public static Tensor Equal(this Tensor a, double b) => Tensor.Equal(a.NotNull(), b);

    /// <inheritdoc cref="FSharp.Tensor.stopGradient"/>
    public static Tensor StopGradient(this Tensor tensor) => FSharp.Tensor.stopGradient(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.checkpoint"/>
    public static Tensor Checkpoint(this Tensor tensor, Func<Tensor, Tensor> f) =>
        FSharp.Tensor.checkpoint(f.ToFSharp(), tensor.NotNull());

    extension(Tensor)
    {
        /// <inheritdoc cref="FSharp.Tensor.checkpointOf"/>
        public static IReadOnlyList<Tensor> Checkpoint(
            Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> f, params IReadOnlyList<Tensor> tensors)
        {
            f.NotNull();
            return FSharp.Tensor.checkpointOf(
                FuncConvert.FromFunc<FSharpList<Tensor>, FSharpList<Tensor>>(
                    inputs => f(inputs).Returned(nameof(f)).ToFSharpList(nameof(f))),
                tensors.ToFSharpList());
        }
    }
}
