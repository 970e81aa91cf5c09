namespace Curvature.CSharp;

/// <summary>The divergence Σ ∂fᵢ/∂xᵢ of a vector field: the trace of its Jacobian, which is not symmetric. It is how
/// fast the flow of the field spreads, and what changes the log-density along it (Grathwohl et al. 2019).</summary>
public static class Divergence
{
    /// <inheritdoc cref="FSharp.Divergence.exact"/>
    public static Estimate<double> Exact(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Divergence.exact(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Divergence.exactAtPoints"/>
    public static Estimate<Tensor> ExactAtPoints(Func<Tensor, Tensor> f, Tensor points) =>
        FSharp.Divergence.exactAtPoints(f.ToFSharp(), points.NotNull());

    /// <inheritdoc cref="FSharp.Divergence.hutchinson"/>
    public static Estimate<double> Estimate(
        Func<Tensor, Tensor> f,
        Tensor x,
        StoppingRule? stop = null,
        Key key = default,
        Probe? probe = null,
        RunOptions? options = null) =>
        Jacobian.At(f, x).EstimateTrace(stop, key, probe, options);

    /// <inheritdoc cref="FSharp.Divergence.hutchinsonAtPoints"/>
    public static IReadOnlyList<Estimate<double>> EstimateAtPoints(
        Func<Tensor, Tensor> f,
        Tensor points,
        StoppingRule? stop = null,
        Key key = default,
        Probe? probe = null,
        RunOptions? options = null)
    {
        f.NotNull();
        return Jacobian.At(stack => Differentiate.VectorMap(f, stack), points.NotNull())
            .Measure(FSharp.Divergence.atPoints(points), stop, key, probe, options);
    }

    /// <inheritdoc cref="FSharp.Divergence.sketchedAtPoints"/>
    public static IReadOnlyList<Estimate<double>> EstimateAtPoints(
        Func<Tensor, Tensor> f, Tensor points, FieldSketch sketch, StoppingRule? stop = null, Key key = default) =>
        FSharp.Divergence.sketchedAtPoints(
            stop.OrDefault(), key, sketch.NotNull(), f.ToFSharp(), points.NotNull());
}
