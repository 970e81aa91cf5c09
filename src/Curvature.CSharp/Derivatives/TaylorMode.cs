namespace Curvature.CSharp;

/// <summary>Derivatives of high order by Taylor coefficients that travel forward, without a backward pass. They nest
/// with all others, inside vmap and compiled functions too.</summary>
/// <remarks>All of them raise <see cref="DTypeException"/> at a point of whole numbers,
/// <see cref="ShapeException"/> for directions unlike the point, and <see cref="ArgumentRangeException"/> for an order
/// that is out of range.</remarks>
public static class TaylorMode
{
    /// <inheritdoc cref="FSharp.TaylorMode.jet"/>
    public static IReadOnlyList<Tensor> Jet(int order, Func<Tensor, Tensor> f, Tensor x, params Tensor[] directions) =>
        FSharp.TaylorMode.jet(order, f.ToFSharp(), x.NotNull(), directions.ToFSharpList());

    /// <inheritdoc cref="FSharp.TaylorMode.fjet"/>
    public static ValueAndDerivatives ValueAndJet(
        int order, Func<Tensor, Tensor> f, Tensor x, params Tensor[] directions) =>
        FSharp.TaylorMode.fjet(order, f.ToFSharp(), x.NotNull(), directions.ToFSharpList())
            .Into((value, derivatives) => new ValueAndDerivatives(value, derivatives));

    /// <inheritdoc cref="FSharp.TaylorMode.mixedDerivative"/>
    public static Tensor MixedDerivative(Func<Tensor, Tensor> f, Tensor x, params Tensor[] directions) =>
        FSharp.TaylorMode.mixedDerivative(f.ToFSharp(), x.NotNull(), directions.ToFSharpList());

    /// <inheritdoc cref="FSharp.TaylorMode.fsumOfDerivatives"/>
    public static ValueAndDerivative SumOfDerivatives(
        int order, Tensor directions, Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode.fsumOfDerivatives(order, directions.NotNull(), f.ToFSharp(), x.NotNull())
            .Into((value, sum) => new ValueAndDerivative(value, sum));

    /// <inheritdoc cref="FSharp.TaylorMode.fweightedSumOfDerivatives"/>
    public static ValueAndDerivative WeightedSumOfDerivatives(
        int order, Tensor weights, Tensor directions, Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode
            .fweightedSumOfDerivatives(order, weights.NotNull(), directions.NotNull(), f.ToFSharp(), x.NotNull())
            .Into((value, sum) => new ValueAndDerivative(value, sum));

    /// <inheritdoc cref="FSharp.TaylorMode.fweightedLaplacian"/>
    public static ValueAndLaplacian WeightedLaplacian(Tensor sigma, Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode.fweightedLaplacian(sigma.NotNull(), f.ToFSharp(), x.NotNull())
            .Into((value, laplacian) => new ValueAndLaplacian(value, laplacian));

    /// <inheritdoc cref="FSharp.TaylorMode.biharmonic"/>
    public static Tensor Biharmonic(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode.biharmonic(f.ToFSharp(), x.NotNull());
}
