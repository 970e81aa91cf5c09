namespace Curvature.CSharp;

/// <inheritdoc cref="FSharp.Law"/>
/// <remarks>Options are by default <see cref="LawOptions.Default"/>.</remarks>
public static class Law
{
    /// <inheritdoc cref="FSharp.Law.unbiased"/>
    public static LawCheck Unbiased(double truth, Func<Key, double> sample, LawOptions? options = null) =>
        FSharp.Law.unbiased(options ?? LawOptions.Default, truth, sample.ToFSharp());

    /// <inheritdoc cref="FSharp.Law.unbiasedEntries"/>
    public static LawCheck UnbiasedEntries(Tensor truth, Func<Key, Tensor> sample, LawOptions? options = null) =>
        FSharp.Law.unbiasedEntries(options ?? LawOptions.Default, truth.NotNull(), sample.ToFSharp());

    /// <inheritdoc cref="FSharp.Law.variance"/>
    public static LawCheck Variance(
        double mean, double variance, Func<Key, double> sample, LawOptions? options = null) =>
        FSharp.Law.variance(options ?? LawOptions.Default, mean, variance, sample.ToFSharp());

    /// <inheritdoc cref="FSharp.Law.standardError"/>
    public static LawCheck StandardError(
        double truth, Func<Key, (double Value, double StandardError)> sample, LawOptions? options = null)
    {
        sample.NotNull();
        return FSharp.Law.standardError(options ?? LawOptions.Default, truth, Pairs(sample));
    }

    /// <inheritdoc cref="FSharp.Law.coverage"/>
    public static LawCheck Coverage(
        double confidence, double truth, Func<Key, (double Low, double High)> sample, LawOptions? options = null)
    {
        sample.NotNull();
        return FSharp.Law.coverage(options ?? LawOptions.Default, confidence, truth, Pairs(sample));
    }

    /// <inheritdoc cref="FSharp.Law.exact"/>
    public static LawCheck Exact(
        double truth, Func<Key, double> sample, double tolerance = 1e-9, LawOptions? options = null) =>
        FSharp.Law.exact(options ?? LawOptions.Default, tolerance, truth, sample.ToFSharp());

    /// <inheritdoc cref="FSharp.Law.isotropic"/>
    public static LawCheck Isotropic(int n, Func<Key, Tensor> sample, LawOptions? options = null) =>
        FSharp.Law.isotropic(options ?? LawOptions.Default, n, sample.ToFSharp());

    /// <inheritdoc cref="FSharp.Law.estimator"/>
    public static IReadOnlyList<LawCheck> Estimator(
        Estimator<Estimate<double>> estimator,
        StoppingRule stop,
        double truth,
        LinearOperator a,
        LawOptions? options = null) =>
        FSharp.Law.estimator(
            options ?? LawOptions.Default, estimator.NotNull(), stop.NotNull(), truth, a.NotNull());

    /// <inheritdoc cref="FSharp.Law.linear"/>
    public static LawCheck Linear(LinearOperator a, LawOptions? options = null) =>
        FSharp.Law.linear(options ?? LawOptions.Default, a.NotNull());

    /// <inheritdoc cref="FSharp.Law.symmetric"/>
    public static LawCheck Symmetric(LinearOperator a, LawOptions? options = null) =>
        FSharp.Law.symmetric(options ?? LawOptions.Default, a.NotNull());

    /// <inheritdoc cref="FSharp.Law.transposed"/>
    public static LawCheck Transposed(LinearOperator a, LawOptions? options = null) =>
        FSharp.Law.transposed(options ?? LawOptions.Default, a.NotNull());

    /// <inheritdoc cref="FSharp.Law.finiteDifferences"/>
    public static LawCheck FiniteDifferences(
        Func<Tensor, Tensor> gradient, Tensor theta, LinearOperator a, LawOptions? options = null) =>
        FSharp.Law.finiteDifferences(
            options ?? LawOptions.Default, gradient.ToFSharp(), theta.NotNull(), a.NotNull());

    /// <inheritdoc cref="FSharp.Law.same"/>
    public static LawCheck Same(
        LinearOperator a, LinearOperator b, double tolerance = 1e-9, LawOptions? options = null) =>
        FSharp.Law.same(options ?? LawOptions.Default, tolerance, a.NotNull(), b.NotNull());

    private static Microsoft.FSharp.Core.FSharpFunc<Key, Tuple<double, double>> Pairs(
        Func<Key, (double First, double Second)> sample) =>
        new Func<Key, Tuple<double, double>>(key => sample(key).ToTuple()).ToFSharp();
}
