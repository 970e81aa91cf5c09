namespace Curvature.CSharp;

/// <summary>Sums of high derivatives over very many directions, from random ones (Shi et al. 2024): a sample is one
/// forward pass, whatever the dimension, and every result has an error bar.</summary>
/// <remarks>Without a rule they end when the 95 % interval is within 1 % of the value, or after 1000 samples.</remarks>
public static class StochasticTaylor
{
    /// <inheritdoc cref="FSharp.StochasticTaylor.directions"/>
    public static LinearOperator Directions(Tensor x) => FSharp.StochasticTaylor.directions(x.NotNull());

    /// <inheritdoc cref="FSharp.StochasticTaylor.estimator"/>
    public static Estimator<Estimate<double>> Estimator(
        int degree, Tensor x, Func<Tensor, Tensor> term, Probe? probe = null) =>
        FSharp.StochasticTaylor.estimator(probe ?? Probe.Rademacher, degree, x.NotNull(), term.ToFSharp());

    /// <inheritdoc cref="FSharp.StochasticTaylor.estimate"/>
    public static Estimate<double> Estimate(
        int degree,
        Tensor x,
        Func<Tensor, Tensor> term,
        StoppingRule? stop = null,
        Key key = default,
        Probe? probe = null)
    {
        var estimator = Estimator(degree, x, term, probe);
        return Directions(x).Estimate(estimator, stop, key);
    }

    /// <inheritdoc cref="FSharp.StochasticTaylor.laplacian"/>
    public static Estimate<double> Laplacian(
        Func<Tensor, Tensor> f, Tensor x, StoppingRule? stop = null, Key key = default, RunOptions? options = null)
    {
        var estimator = FSharp.StochasticTaylor.laplacianEstimator(f.ToFSharp(), x.NotNull());
        return Directions(x).Estimate(estimator, stop, key, options);
    }

    /// <inheritdoc cref="FSharp.StochasticTaylor.biharmonic"/>
    public static Estimate<double> Biharmonic(
        Func<Tensor, Tensor> f, Tensor x, StoppingRule? stop = null, Key key = default, RunOptions? options = null)
    {
        var estimator = FSharp.StochasticTaylor.biharmonicEstimator(f.ToFSharp(), x.NotNull());
        return Directions(x).Estimate(estimator, stop, key, options);
    }
}
