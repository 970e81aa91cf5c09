namespace Curvature.CSharp;

/// <summary>Estimates of traces and diagonals from random vectors that can themselves be differentiated: with the
/// vectors held fixed by their key, each is a function like any other, so that a loss may contain it. The value is a
/// tensor without an error bar; for those see <see cref="Estimation"/>. Without a probe, vectors are independent
/// signs.</summary>
/// <remarks>All raise <see cref="ArgumentRangeException"/> for less than one sample, <see cref="DTypeException"/> at a
/// point of whole numbers, and <see cref="ShapeException"/> where a product and its vector differ in shape.</remarks>
public static class Stochastic
{
    /// <inheritdoc cref="FSharp.Stochastic.trace"/>
    public static Tensor Trace(
        Func<Tensor, Tensor> product, Tensor x, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic.traceWith(probe ?? Probe.Rademacher, samples, key, x.NotNull(), product.ToFSharp());

    /// <inheritdoc cref="FSharp.Stochastic.diagonal"/>
    public static Tensor Diagonal(
        Func<Tensor, Tensor> product, Tensor x, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic.diagonalWith(probe ?? Probe.Rademacher, samples, key, x.NotNull(), product.ToFSharp());

    /// <inheritdoc cref="FSharp.Stochastic.laplacian"/>
    public static Tensor Laplacian(
        Func<Tensor, Tensor> f, Tensor x, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic.laplacianWith(probe ?? Probe.Rademacher, samples, key, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Stochastic.hessianDiagonal"/>
    public static Tensor HessianDiagonal(
        Func<Tensor, Tensor> f, Tensor x, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic.hessianDiagonalWith(probe ?? Probe.Rademacher, samples, key, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Stochastic.divergence"/>
    public static Tensor Divergence(
        Func<Tensor, Tensor> f, Tensor x, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic.divergenceWith(probe ?? Probe.Rademacher, samples, key, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Stochastic.fdivergenceAtPoints"/>
    public static ValueAndDivergence ValueAndDivergenceAtPoints(
        Func<Tensor, Tensor> f, Tensor points, int samples = 1, Key key = default, Probe? probe = null) =>
        FSharp.Stochastic
            .fdivergenceAtPointsWith(probe ?? Probe.Rademacher, samples, key, f.ToFSharp(), points.NotNull())
            .Into((value, divergence) => new ValueAndDivergence(value, divergence));

    /// <inheritdoc cref="FSharp.FieldSketch.fdivergenceAtPoints"/>
    public static ValueAndDivergence ValueAndDivergenceAtPoints(
        Func<Tensor, Tensor> f, Tensor points, FieldSketch sketch, int samples = 1, Key key = default) =>
        FSharp.FieldSketch
            .fdivergenceAtPoints(sketch.NotNull(), samples, key, f.ToFSharp(), points.NotNull())
            .Into((value, divergence) => new ValueAndDivergence(value, divergence));

    extension(FieldSketch)
    {
        /// <inheritdoc cref="FSharp.FieldSketch.find"/>
        public static FieldSketch Find(Func<Tensor, Tensor> f, Tensor points, int vectors, Key key = default) =>
            FSharp.FieldSketch.find(vectors, key, f.ToFSharp(), points.NotNull());
    }

    /// <inheritdoc cref="FSharp.FieldSketch.refresh"/>
    public static FieldSketch Refresh(
        this FieldSketch sketch, int every, Func<Tensor, Tensor> f, Tensor points, int vectors, Key key = default) =>
        FSharp.FieldSketch.refresh(every, vectors, key, f.ToFSharp(), points.NotNull(), sketch.NotNull());
}
