namespace Curvature.CSharp;

/// <summary>What can be found exactly, from one product or quadratic form for each column. All standard errors are 0. Cancelling raises
/// <see cref="OperationCanceledException"/>: part of an exact result is none.</summary>
public static class ExactValues
{
    /// <summary>The trace: n products, or n quadratic forms where the operator has them.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static Estimate<double> ExactTrace(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Exact.traceWith(
            new EstimateOptions().ToSamplingOptions(progress, cancellationToken), linearOperator.NotNull());

    /// <inheritdoc cref="ExactTrace"/>
    public static Task<Estimate<double>> ExactTraceAsync(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.ExactTrace(progress, cancellationToken), cancellationToken);
    }

    /// <summary>The diagonal, <see cref="DType.Float64"/> [n]: n products, or n quadratic forms where the operator has them.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static Estimate<Tensor> ExactDiagonal(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Exact.diagonalWith(
            new EstimateOptions().ToSamplingOptions(progress, cancellationToken), linearOperator.NotNull());

    /// <inheritdoc cref="ExactDiagonal"/>
    public static Task<Estimate<Tensor>> ExactDiagonalAsync(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => linearOperator.ExactDiagonal(progress, cancellationToken), cancellationToken);
    }

    /// <summary>The traces of the diagonal blocks of ranges, at the cost of the diagonal.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> ExactBlockTraces(
        this LinearOperator linearOperator, IReadOnlyList<ParameterBlock> blocks) =>
        FSharp.Exact.blockTraces(blocks.WithoutNull(), linearOperator.NotNull());

    /// <summary>The Frobenius norm ‖A‖_F: n products.</summary>
    public static Estimate<double> ExactFrobenius(this LinearOperator linearOperator) =>
        FSharp.Exact.frobenius(linearOperator.NotNull());

    /// <summary>The norm of each row, <see cref="DType.Float64"/> [m]: n products.</summary>
    public static Estimate<Tensor> ExactRowNorms(this LinearOperator linearOperator) =>
        FSharp.Exact.rowNorms(linearOperator.NotNull());
}
