namespace Curvature.CSharp;

/// <summary>Functions of each element. Two tensors broadcast against each other.</summary>
public static class TensorFunctions
{
    extension(Tensor)
    {
        /// <inheritdoc cref="FSharp.Tensor.where"/>
        public static Tensor Where(Tensor mask, Tensor a, Tensor b) =>
            FSharp.Tensor.where(mask.NotNull(), a.NotNull(), b.NotNull());
    }

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

    /// <inheritdoc cref="FSharp.Tensor.maximum"/>
    public static Tensor Maximum(this Tensor a, Tensor b) => FSharp.Tensor.maximum(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.minimum"/>
    public static Tensor Minimum(this Tensor a, Tensor b) => FSharp.Tensor.minimum(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.greater"/>
    public static Tensor Greater(this Tensor a, Tensor b) => FSharp.Tensor.greater(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.greaterOrEqual"/>
    public static Tensor GreaterOrEqual(this Tensor a, Tensor b) =>
        FSharp.Tensor.greaterOrEqual(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.equal"/>
    public static Tensor Equal(this Tensor a, Tensor b) => FSharp.Tensor.equal(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.stopGradient"/>
    public static Tensor StopGradient(this Tensor tensor) => FSharp.Tensor.stopGradient(tensor.NotNull());
}
