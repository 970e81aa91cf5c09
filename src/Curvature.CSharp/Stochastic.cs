namespace Curvature.CSharp;

/// <summary>How many random vectors an estimate that is part of a function takes. Each property has a default.</summary>
public sealed class StochasticOptions
{
    /// <summary>How many random vectors. Default: 1, as for a loss that is minimised with fresh vectors at each step.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>The distribution of the random vectors. Default: <c>Probe.Rademacher</c>, independent signs.</summary>
    public Probe Probe
    {
        get;
        init => field = value.NotNull();
    } = Probe.Rademacher;

    /// <summary>What holds the random vectors fixed: the same key gives the same function. Default: <c>Key.OfSeed(0)</c>.</summary>
    public Key Key { get; init; } = Key.OfSeed(0);
}

/// <summary>Estimates of traces and diagonals from random vectors that can themselves be differentiated: with the vectors held fixed by their
/// key, each is a function like any other, so that a loss may contain it. The value is a tensor without an error bar; for those see
/// <see cref="Estimation"/>.</summary>
/// <remarks>All raise <see cref="ArgumentRangeException"/> for less than one sample, <see cref="DTypeException"/> at a point of whole numbers,
/// and <see cref="ShapeException"/> where a product and its vector differ in shape.</remarks>
public static class Stochastic
{
    /// <summary>The trace of a linear function of tensors in the shape of x, as a scalar: the mean of ⟨z, Az⟩ (Girard 1989, Hutchinson 1990).
    /// It may be differentiated for whatever the function depends on besides.</summary>
    public static Tensor Trace(Func<Tensor, Tensor> product, Tensor x, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        return FSharp.Stochastic.traceWith(options.Probe, options.Samples, options.Key, x.NotNull(), product.ToFSharp());
    }

    /// <summary>The diagonal of a linear function of tensors in the shape of x, in that shape: the mean of z∘Az (Bekas, Kokiopoulou &amp;
    /// Saad 2007).</summary>
    public static Tensor Diagonal(Func<Tensor, Tensor> product, Tensor x, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        return FSharp.Stochastic.diagonalWith(options.Probe, options.Samples, options.Key, x.NotNull(), product.ToFSharp());
    }

    /// <summary>The trace of the Hessian of a scalar function at x, as a scalar: the mean of zᵀHz, one quadratic form a sample.</summary>
    public static Tensor Laplacian(Func<Tensor, Tensor> f, Tensor x, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        return FSharp.Stochastic.laplacianWith(options.Probe, options.Samples, options.Key, f.ToFSharp(), x.NotNull());
    }

    /// <summary>The diagonal of the Hessian of a scalar function at x, in the shape of x: the mean of z∘Hz.</summary>
    public static Tensor HessianDiagonal(Func<Tensor, Tensor> f, Tensor x, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        return FSharp.Stochastic.hessianDiagonalWith(options.Probe, options.Samples, options.Key, f.ToFSharp(), x.NotNull());
    }

    /// <summary>The divergence Σ ∂fᵢ/∂xᵢ of a vector field at x, as a scalar: the mean of zᵀJz.</summary>
    public static Tensor Divergence(Func<Tensor, Tensor> f, Tensor x, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        return FSharp.Stochastic.divergenceWith(options.Probe, options.Samples, options.Key, f.ToFSharp(), x.NotNull());
    }

    /// <summary>The value of a vector field at each point of a stack, along its leading axis, and its divergence there, [points]: the function
    /// is of a single point, and runs on all as one computation. The step of a continuous normalizing flow (Grathwohl et al.
    /// 2019).</summary>
    public static ValueAndDivergence ValueAndDivergenceAtPoints(
        Func<Tensor, Tensor> f, Tensor points, StochasticOptions? options = null)
    {
        options ??= new StochasticOptions();
        var (value, divergence) = FSharp.Stochastic.fdivergenceAtPointsWith(
            options.Probe, options.Samples, options.Key, f.ToFSharp(), points.NotNull());
        return new(value, divergence);
    }
}
