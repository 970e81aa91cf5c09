namespace Curvature.CSharp;

/// <summary>Traces of operators whose spectrum decays: a sketch finds the large part, and random vectors estimate what it missed. For the
/// same error they need far fewer products than <see cref="Estimation.EstimateTrace"/>, and the memory of as many vectors.</summary>
/// <remarks>All raise <see cref="OperatorException"/> where the operator is not of the kind that is needed or its products contradict its
/// claims, <see cref="ArgumentRangeException"/> for a rule that allows too few products, or where the products are divided beforehand any
/// number, and <see cref="NonFiniteException"/> for products that are NaN or infinite. As many products as there are columns, or a sketch
/// that exhausts the rank, give an exact result. Cancelling returns what was found until then, with <see cref="StopReason.Cancelled"/>;
/// before anything was found it raises <see cref="OperationCanceledException"/>.</remarks>
public static class LowRankTraces
{
    /// <inheritdoc cref="Estimators.XTrace"/>
    public static Estimate<double> XTrace(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(Estimators.XTrace, options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.XNysTrace"/>
    public static Estimate<double> XNysTrace(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(Estimators.XNysTrace, options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.HutchPlusPlus"/>
    public static Estimate<double> HutchPlusPlus(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(Estimators.HutchPlusPlus, options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.NonadaptiveHutchPlusPlus"/>
    public static Estimate<double> NonadaptiveHutchPlusPlus(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(_ => Estimators.NonadaptiveHutchPlusPlus, options ?? new(), progress, cancellationToken);

    /// <summary>A-Hutch++ (Persson, Cortinovis &amp; Kressner 2022) for symmetric operators: the trace to within an absolute error, with as many
    /// products for the sketch as pay. The guarantee is a bound, so that the standard error is mostly smaller than what was asked
    /// for.</summary>
    public static Estimate<double> AdaptiveHutchPlusPlus(
        this LinearOperator linearOperator,
        double absoluteError,
        AdaptiveSketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new AdaptiveSketchOptions();
        return linearOperator.NotNull().Estimate(
            Estimators.AdaptiveHutchPlusPlus(absoluteError, options.Risk),
            StoppingRule.Matvecs(int.MaxValue),
            options.Key,
            options.ToRunOptions(progress, cancellationToken));
    }
}
