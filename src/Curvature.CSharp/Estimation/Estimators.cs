namespace Curvature.CSharp;

/// <summary>Ways to estimate, as values: <c>hessian.Estimate(Estimators.XTrace(), StoppingRule.Matvecs(300),
/// Key.OfSeed(1))</c>.</summary>
/// <remarks>Where a probe may be given, none stands for the one that fits the method: vectors of the sphere for traces
/// by XTrace and XNysTrace, independent signs for all others.</remarks>
public static class Estimators
{
    /// <inheritdoc cref="FSharp.Hutchinson.estimator"/>
    public static Estimator<T> Hutchinson<T>(Measurement<T> measurement, Probe? probe = null) =>
        FSharp.Hutchinson.estimator(probe ?? Probe.Rademacher, measurement.NotNull());

    /// <inheritdoc cref="FSharp.XTrace"/>
    public static Estimator<Estimate<double>> XTrace(Probe? probe = null) =>
        FSharp.XTrace.withProbe(probe ?? Probe.Sphere);

    /// <inheritdoc cref="FSharp.XNysTrace"/>
    public static Estimator<Estimate<double>> XNysTrace(Probe? probe = null) =>
        FSharp.XNysTrace.withProbe(probe ?? Probe.Sphere);

    /// <inheritdoc cref="FSharp.HutchPlusPlus"/>
    public static Estimator<Estimate<double>> HutchPlusPlus(Probe? probe = null) =>
        FSharp.HutchPlusPlus.withProbe(probe ?? Probe.Rademacher);

    /// <inheritdoc cref="FSharp.NonadaptiveHutchPlusPlus"/>
    public static Estimator<Estimate<double>> NonadaptiveHutchPlusPlus => FSharp.NonadaptiveHutchPlusPlus.estimator;

    /// <inheritdoc cref="FSharp.AdaptiveHutchPlusPlus.estimator"/>
    public static Estimator<Estimate<double>> AdaptiveHutchPlusPlus(double absoluteError, double risk) =>
        FSharp.AdaptiveHutchPlusPlus.estimator(absoluteError, risk);

    /// <inheritdoc cref="FSharp.XDiag"/>
    public static Estimator<Estimate<Tensor>> XDiag(Probe? probe = null) =>
        FSharp.XDiag.withProbe(probe ?? Probe.Rademacher);

    /// <summary>The traces of the diagonal blocks of ranges by <see cref="XDiag"/>, at the cost of the diagonal,
    /// each with its error bar.</summary>
    public static Estimator<BlockTrace[]> XDiagBlockTraces(IReadOnlyList<ParameterBlock> blocks, Probe? probe = null) =>
        FSharp.XDiag.blockTracesWithProbe(probe ?? Probe.Rademacher, blocks.WithoutNull());

    /// <inheritdoc cref="FSharp.XNysDiag"/>
    public static Estimator<Estimate<Tensor>> XNysDiag(Probe? probe = null) =>
        FSharp.XNysDiag.withProbe(probe ?? Probe.Rademacher);

    /// <summary>The traces of the diagonal blocks of ranges by <see cref="XNysDiag"/>, at the cost of the diagonal,
    /// each with its error bar.</summary>
    public static Estimator<BlockTrace[]> XNysDiagBlockTraces(
        IReadOnlyList<ParameterBlock> blocks, Probe? probe = null) =>
        FSharp.XNysDiag.blockTracesWithProbe(probe ?? Probe.Rademacher, blocks.WithoutNull());

    /// <inheritdoc cref="FSharp.UDiagPlusPlus"/>
    public static Estimator<Estimate<Tensor>> UDiagPlusPlus => FSharp.UDiagPlusPlus.estimator;

    /// <inheritdoc cref="FSharp.KrylovAwareTrace.estimator"/>
    public static Estimator<Estimate<double>> KrylovAwareTrace(SpectralFunction f, int steps) =>
        FSharp.KrylovAwareTrace.estimator(f.NotNull(), steps);

    /// <inheritdoc cref="FSharp.Automatic.among"/>
    /// <remarks>Without a number of bytes it is 4 GiB.</remarks>
    public static Estimator<ChosenEstimate<T>> Automatic<T>(
        IReadOnlyList<Estimator<Estimate<T>>> candidates, long? memory = null) =>
        FSharp.Automatic.among(memory ?? FSharp.Automatic.memory, candidates.ToFSharpList());

    /// <inheritdoc cref="FSharp.Automatic.traceEstimator"/>
    /// <remarks>Without a number of bytes it is 4 GiB.</remarks>
    public static Estimator<ChosenEstimate<double>> AutomaticTrace(long? memory = null) =>
        FSharp.Automatic.traceEstimator(memory ?? FSharp.Automatic.memory);

    /// <inheritdoc cref="FSharp.Automatic.diagonalEstimator"/>
    /// <remarks>Without a number of bytes it is 4 GiB.</remarks>
    public static Estimator<ChosenEstimate<Tensor>> AutomaticDiagonal(long? memory = null) =>
        FSharp.Automatic.diagonalEstimator(memory ?? FSharp.Automatic.memory);
}
