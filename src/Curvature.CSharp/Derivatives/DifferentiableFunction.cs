namespace Curvature.CSharp;

/// <summary>Functions of a symmetric operator A(θ) that can themselves be differentiated with respect to θ, so that a
/// loss may contain them. The product is a function (θ, v) → A(θ)v. First derivatives only: those of higher order take
/// the Ritz pairs for constants. Values have no error bar; see <see cref="MatrixFunctions"/> and the quadrature of
/// <see cref="SpectralSamples"/>.</summary>
public static class DifferentiableFunction
{
    /// <inheritdoc cref="FSharp.DifferentiableFunction.quadraticForm"/>
    public static Tensor QuadraticForm(
        SpectralFunction f,
        Tensor u,
        Tensor v,
        Func<Tensor, Tensor, Tensor> product,
        Tensor theta,
        QuadratureOptions? options = null) =>
        FSharp.DifferentiableFunction.quadraticForm(
            options ?? QuadratureOptions.Default,
            f.NotNull(),
            u.NotNull(),
            v.NotNull(),
            product.ToFSharp(),
            theta.NotNull());

    /// <inheritdoc cref="FSharp.DifferentiableFunction.trace"/>
    public static Tensor Trace(
        SpectralFunction f,
        int n,
        Func<Tensor, Tensor, Tensor> product,
        Tensor theta,
        QuadratureOptions? options = null) =>
        FSharp.DifferentiableFunction.trace(
            options ?? QuadratureOptions.Default, f.NotNull(), n, product.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.DifferentiableFunction.logDeterminant"/>
    public static Tensor LogDeterminant(
        int n, Func<Tensor, Tensor, Tensor> product, Tensor theta, QuadratureOptions? options = null) =>
        FSharp.DifferentiableFunction.logDeterminant(
            options ?? QuadratureOptions.Default, n, product.ToFSharp(), theta.NotNull());
}
