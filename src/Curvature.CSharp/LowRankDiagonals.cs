namespace Curvature.CSharp;

/// <summary>Diagonals of operators whose spectrum decays, with a standard error for each entry: a sketch finds the large part, and random
/// vectors estimate what it missed.</summary>
/// <remarks>Errors, exact results and cancellation are those of <see cref="LowRankTraces"/>. Operators that are not symmetric need a known
/// transpose. Each method has an asynchronous twin, which works in the background.</remarks>
public static class LowRankDiagonals
{
    /// <summary>XDiag (Epperly, Tropp &amp; Webber 2024): the diagonal of a square operator, <see cref="DType.Float64"/> [n], by the idea of
    /// XTrace. Unbiased.</summary>
    public static Estimate<Tensor> XDiag(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XDiag.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Rademacher,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XDiag"/>
    public static Task<Estimate<Tensor>> XDiagAsync(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.XDiag(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>The traces of the diagonal blocks of ranges by <see cref="XDiag"/>, at the cost of the diagonal, with error bars of their
    /// own.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> XDiagBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XDiag.blockTracesWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Rademacher,
            options.Stop,
            options.Key,
            blocks.WithoutNull(),
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XDiagBlockTraces"/>
    public static Task<IReadOnlyList<BlockTrace>> XDiagBlockTracesAsync(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        blocks.NotNull();
        return Task.Run(() => linearOperator.XDiagBlockTraces(blocks, options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>XNysDiag (Epperly 2025): the diagonal of an operator that claims to be positive semidefinite, <see cref="DType.Float64"/> [n],
    /// by the idea of XNysTrace.</summary>
    public static Estimate<Tensor> XNysDiag(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XNysDiag.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Rademacher,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XNysDiag"/>
    public static Task<Estimate<Tensor>> XNysDiagAsync(
        this LinearOperator linearOperator,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.XNysDiag(options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>The traces of the diagonal blocks of ranges by <see cref="XNysDiag"/>, at the cost of the diagonal, with error bars of their
    /// own.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> XNysDiagBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new LowRankOptions();
        return FSharp.XNysDiag.blockTracesWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe ?? Probe.Rademacher,
            options.Stop,
            options.Key,
            blocks.WithoutNull(),
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="XNysDiagBlockTraces"/>
    public static Task<IReadOnlyList<BlockTrace>> XNysDiagBlockTracesAsync(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        LowRankOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        blocks.NotNull();
        return Task.Run(() => linearOperator.XNysDiagBlockTraces(blocks, options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>UDiag++ (Baston &amp; Nakatsukasa 2022, in the unbiased form of Epperly 2025): the diagonal of a square operator,
    /// <see cref="DType.Float64"/> [n], in three parts as Hutch++.</summary>
    public static Estimate<Tensor> UDiagPlusPlus(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new SketchOptions();
        return FSharp.UDiagPlusPlus.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Matvecs,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="UDiagPlusPlus"/>
    public static Task<Estimate<Tensor>> UDiagPlusPlusAsync(
        this LinearOperator linearOperator,
        SketchOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.UDiagPlusPlus(options, progress, cancellationToken), cancellationToken);
    }
}
