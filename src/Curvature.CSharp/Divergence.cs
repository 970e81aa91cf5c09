namespace Curvature.CSharp;

/// <summary>The divergence Σ ∂fᵢ/∂xᵢ of a vector field: the trace of its Jacobian, which is not symmetric. It is how fast the flow of the
/// field spreads, and what changes the log-density along it (Grathwohl et al. 2019).</summary>
public static class Divergence
{
    /// <summary>At a point of any shape, exactly: one product with the Jacobian for each element.</summary>
    /// <exception cref="OperatorException">The value of the function does not have as many elements as the point.</exception>
    public static Estimate<double> Exact(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Divergence.exact(f.ToFSharp(), x.NotNull());

    /// <summary>At each point of a stack, along its leading axis, exactly, <see cref="DType.Float64"/> [points]: the function is of a single
    /// point, and runs on all as one computation.</summary>
    /// <exception cref="ShapeException">The value of the function does not have the shape of its argument.</exception>
    public static Estimate<Tensor> ExactAtPoints(Func<Tensor, Tensor> f, Tensor points) =>
        FSharp.Divergence.exactAtPoints(f.ToFSharp(), points.NotNull());

    /// <summary>At a point of any shape, from random vectors z and products Jz (Hutchinson 1990). Unbiased; what is antisymmetric in the
    /// Jacobian, a rotation, adds nothing to the variance.</summary>
    /// <exception cref="OperatorException">The value of the function does not have as many elements as the point.</exception>
    public static Estimate<double> Estimate(
        Func<Tensor, Tensor> f,
        Tensor x,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        Jacobian.At(f, x).EstimateTrace(options, progress, cancellationToken);

    /// <summary>At each point of a stack, along its leading axis, from random vectors: the function is of a single point, and every sample
    /// is one product with the Jacobian of the whole stack. A stopping rule on errors looks at the norm of all.</summary>
    /// <exception cref="ShapeException">There are no points.</exception>
    public static IReadOnlyList<Estimate<double>> EstimateAtPoints(
        Func<Tensor, Tensor> f,
        Tensor points,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        f.NotNull();
        return Jacobian.At(stack => Differentiate.VectorMap(f, stack), points.NotNull())
            .Measure(FSharp.Divergence.atPoints(points), options, progress, cancellationToken);
    }
}
