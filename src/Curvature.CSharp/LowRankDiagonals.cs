namespace Curvature.CSharp;

/// <summary>Diagonals of operators whose spectrum decays, with a standard error for each entry: a sketch finds the large part, and random
/// vectors estimate what it missed.</summary>
/// <remarks>Errors, exact results and cancellation are those of <see cref="LowRankTraces"/>. Operators that are not symmetric need a known
/// transpose.</remarks>
public static class LowRankDiagonals
{
    /// <inheritdoc cref="Estimators.XDiag"/>
    public static Estimate<Tensor> XDiag(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(Estimators.XDiag, options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.XDiagBlockTraces"/>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> XDiagBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(probe => Estimators.XDiagBlockTraces(blocks, probe), options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.XNysDiag"/>
    public static Estimate<Tensor> XNysDiag(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(Estimators.XNysDiag, options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.XNysDiagBlockTraces"/>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> XNysDiagBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(probe => Estimators.XNysDiagBlockTraces(blocks, probe), options ?? new(), progress, cancellationToken);

    /// <inheritdoc cref="Estimators.UDiagPlusPlus"/>
    public static Estimate<Tensor> UDiagPlusPlus(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(_ => Estimators.UDiagPlusPlus, options ?? new(), progress, cancellationToken);
}
