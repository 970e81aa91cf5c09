namespace Curvature.CSharp;

/// <summary>Functions of each element. Two tensors broadcast against each other.</summary>
public static class TensorFunctions
{
    extension(Tensor)
    {
        /// <summary><paramref name="a"/> where the mask is not 0, else <paramref name="b"/>. A derivative that is not finite in the
        /// branch not taken does not spread.</summary>
        public static Tensor Where(Tensor mask, Tensor a, Tensor b) =>
            FSharp.Tensor.where(mask.NotNull(), a.NotNull(), b.NotNull());
    }

    /// <summary>eˣ</summary>
    public static Tensor Exp(this Tensor tensor) => FSharp.Tensor.exp(tensor.NotNull());

    /// <summary>eˣ − 1, accurate near 0.</summary>
    public static Tensor Expm1(this Tensor tensor) => FSharp.Tensor.expm1(tensor.NotNull());

    /// <summary>Natural logarithm.</summary>
    public static Tensor Log(this Tensor tensor) => FSharp.Tensor.log(tensor.NotNull());

    /// <summary>ln(1 + x), accurate near 0.</summary>
    public static Tensor Log1p(this Tensor tensor) => FSharp.Tensor.log1p(tensor.NotNull());

    /// <summary>Square root.</summary>
    public static Tensor Sqrt(this Tensor tensor) => FSharp.Tensor.sqrt(tensor.NotNull());

    /// <summary>1/√x</summary>
    public static Tensor Rsqrt(this Tensor tensor) => FSharp.Tensor.rsqrt(tensor.NotNull());

    /// <summary>x², elementwise.</summary>
    public static Tensor Square(this Tensor tensor) => FSharp.Tensor.square(tensor.NotNull());

    /// <summary>x to a power; whole exponents up to 4 are products, so that every derivative at 0 is finite.</summary>
    public static Tensor Pow(this Tensor tensor, double exponent) => Tensor.Pow(tensor.NotNull(), exponent);

    /// <summary>x to a power, elementwise.</summary>
    public static Tensor Pow(this Tensor tensor, Tensor exponent) => Tensor.Pow(tensor.NotNull(), exponent.NotNull());

    /// <summary>Sine, of radians.</summary>
    public static Tensor Sin(this Tensor tensor) => FSharp.Tensor.sin(tensor.NotNull());

    /// <summary>Cosine, of radians.</summary>
    public static Tensor Cos(this Tensor tensor) => FSharp.Tensor.cos(tensor.NotNull());

    /// <summary>Hyperbolic tangent.</summary>
    public static Tensor Tanh(this Tensor tensor) => FSharp.Tensor.tanh(tensor.NotNull());

    /// <summary>1/(1 + e⁻ˣ)</summary>
    public static Tensor Sigmoid(this Tensor tensor) => FSharp.Tensor.sigmoid(tensor.NotNull());

    /// <summary>ln(1 + eˣ), without overflow.</summary>
    public static Tensor Softplus(this Tensor tensor) => FSharp.Tensor.softplus(tensor.NotNull());

    /// <summary>max(x, 0), with derivative 0 at 0.</summary>
    public static Tensor Relu(this Tensor tensor) => FSharp.Tensor.relu(tensor.NotNull());

    /// <summary>x·Φ(x), with Φ the standard normal distribution function (Hendrycks &amp; Gimpel 2016).</summary>
    public static Tensor Gelu(this Tensor tensor) => FSharp.Tensor.gelu(tensor.NotNull());

    /// <summary>x·sigmoid(x)</summary>
    public static Tensor Silu(this Tensor tensor) => FSharp.Tensor.silu(tensor.NotNull());

    /// <summary>Error function.</summary>
    public static Tensor Erf(this Tensor tensor) => FSharp.Tensor.erf(tensor.NotNull());

    /// <summary>Inverse error function, on (−1, 1).</summary>
    public static Tensor ErfInverse(this Tensor tensor) => FSharp.Tensor.erfInverse(tensor.NotNull());

    /// <summary>|x|; the derivative at 0 is 0.</summary>
    public static Tensor Abs(this Tensor tensor) => FSharp.Tensor.abs(tensor.NotNull());

    /// <summary>−1, 0 or 1; the derivative is 0.</summary>
    public static Tensor Sign(this Tensor tensor) => FSharp.Tensor.sign(tensor.NotNull());

    /// <summary>Largest integer ≤ x; the derivative is 0.</summary>
    public static Tensor Floor(this Tensor tensor) => FSharp.Tensor.floor(tensor.NotNull());

    /// <summary>The larger of two; where they are equal, each carries half of the derivative.</summary>
    public static Tensor Maximum(this Tensor a, Tensor b) => FSharp.Tensor.maximum(a.NotNull(), b.NotNull());

    /// <summary>The smaller of two; where they are equal, each carries half of the derivative.</summary>
    public static Tensor Minimum(this Tensor a, Tensor b) => FSharp.Tensor.minimum(a.NotNull(), b.NotNull());

    /// <summary>1 where a &gt; b, else 0; the derivative is 0.</summary>
    public static Tensor Greater(this Tensor a, Tensor b) => FSharp.Tensor.greater(a.NotNull(), b.NotNull());

    /// <summary>1 where a ≥ b, else 0; the derivative is 0.</summary>
    public static Tensor GreaterOrEqual(this Tensor a, Tensor b) => FSharp.Tensor.greaterOrEqual(a.NotNull(), b.NotNull());

    /// <summary>1 where a = b, else 0; the derivative is 0.</summary>
    public static Tensor Equal(this Tensor a, Tensor b) => FSharp.Tensor.equal(a.NotNull(), b.NotNull());

    /// <summary>The value as a constant: no derivative flows through.</summary>
    public static Tensor StopGradient(this Tensor tensor) => FSharp.Tensor.stopGradient(tensor.NotNull());
}
