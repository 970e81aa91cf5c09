namespace Curvature.CSharp;

/// <summary>Traces of operators whose spectrum decays: a sketch finds the large part, and random vectors estimate what it missed. For the
/// same error they need far fewer products than <see cref="Estimation.EstimateTrace"/>, and the memory of as many vectors.</summary>
/// <remarks>All raise <see cref="OperatorException"/> where the operator is not of the kind that is needed or its products contradict its
/// claims, <see cref="ArgumentRangeException"/> for too few products, and <see cref="NonFiniteException"/> for products that are NaN or
/// infinite. As many products as there are columns, or a sketch that exhausts the rank, give an exact result. Cancelling returns what was
/// found until then, with <see cref="StopReason.Cancelled"/>; before anything was found it raises
/// <see cref="OperationCanceledException"/>. Each method has an asynchronous twin, which works in the background.</remarks>
public static class LowRankTraces
{
    /// <summary>XTrace (Epperly, Tropp &amp; Webber 2024) for any square operator: half of the products find the range, the other half the
    /// trace there, and each random vector in turn estimates what the others have missed. Unbiased.</summary>
    public static Estimate<double> XTrace(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XTrace.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Sphere,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XTrace"/>
    public static Task<Estimate<double>> XTraceAsync(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.XTrace(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>XNysTrace (Epperly, Tropp &amp; Webber 2024) for operators that claim to be positive semidefinite, such as Gauss–Newton and
    /// Fisher matrices: one product a vector, and mostly the smallest error of all.</summary>
    public static Estimate<double> XNysTrace(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XNysTrace.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Sphere,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XNysTrace"/>
    public static Task<Estimate<double>> XNysTraceAsync(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.XNysTrace(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>Hutch++ (Meyer, Musco, Musco &amp; Woodruff 2021) for any square operator: two thirds of the products for a sketch, one third,
    /// or as many quadratic forms, for signs outside it. Unbiased.</summary>
    public static Estimate<double> HutchPlusPlus(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new SketchOptions();
        return FSharp.HutchPlusPlus.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            Probe.Rademacher,
            options.Matvecs,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="HutchPlusPlus"/>
    public static Task<Estimate<double>> HutchPlusPlusAsync(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.HutchPlusPlus(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>NA-Hutch++ (Meyer, Musco, Musco &amp; Woodruff 2021) for symmetric operators: Hutch++ without a product that depends on another
    /// one. It needs more of them for the same error.</summary>
    public static Estimate<double> NonadaptiveHutchPlusPlus(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new SketchOptions();
        return FSharp.NonadaptiveHutchPlusPlus.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Matvecs,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="NonadaptiveHutchPlusPlus"/>
    public static Task<Estimate<double>> NonadaptiveHutchPlusPlusAsync(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.NonadaptiveHutchPlusPlus(options, progress, cancellationToken), cancellationToken);
    }

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
        return FSharp.AdaptiveHutchPlusPlus.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            absoluteError,
            options.Risk,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="AdaptiveHutchPlusPlus"/>
    public static Task<Estimate<double>> AdaptiveHutchPlusPlusAsync(
        this LinearOperator linearOperator,
        double absoluteError,
        AdaptiveSketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.AdaptiveHutchPlusPlus(absoluteError, options, progress, cancellationToken), cancellationToken);
    }
}
