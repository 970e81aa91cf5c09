namespace Curvature.CSharp;

/// <summary>The first derivative of a function with many outputs, as an operator.</summary>
public static class Jacobian
{
    /// <summary>The Jacobian of f at x, of size m×n for m outputs and n inputs, each in row-major order. Its transpose is known. A product
    /// costs about one forward pass, one with the transpose one backward pass.</summary>
    /// <exception cref="DTypeException">The point is <see cref="DType.Int32"/>.</exception>
    /// <exception cref="NonFiniteException">f(x) is NaN or infinite.</exception>
    /// <exception cref="DifferentiationException">f does not depend on x, or is not deterministic.</exception>
    public static LinearOperator At(Func<Tensor, Tensor> f, Tensor x) => FSharp.Jacobian.at(f.ToFSharp(), x.NotNull());
}
