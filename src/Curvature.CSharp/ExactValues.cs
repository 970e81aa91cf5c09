namespace Curvature.CSharp;

/// <summary>What can be found exactly, from one product for each column, or one quadratic form where these are enough and the operator has
/// them. All standard errors are 0. Cancelling raises <see cref="OperationCanceledException"/>: part of an exact result is none.</summary>
public static class ExactValues
{
    /// <summary>What a measurement would learn from infinitely many random vectors.</summary>
    /// <exception cref="OperatorException">The measurement does not fit the operator, or has no exact result.</exception>
    public static T MeasureExactly<T>(
        this LinearOperator linearOperator,
        Measurement<T> measurement,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Exact.measureWith(
            RunOptions.Default.WithProgress(progress).WithCancellation(cancellationToken),
            measurement.NotNull(),
            linearOperator.NotNull());

    /// <summary>The trace: n products, or n quadratic forms where the operator has them.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static Estimate<double> ExactTrace(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.MeasureExactly(Measurement.Trace, progress, cancellationToken);

    /// <summary>The diagonal, <see cref="DType.Float64"/> [n]: n products, or n quadratic forms where the operator has them.</summary>
    /// <exception cref="OperatorException">The operator is not square.</exception>
    public static Estimate<Tensor> ExactDiagonal(
        this LinearOperator linearOperator,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.MeasureExactly(Measurement.Diagonal, progress, cancellationToken);

    /// <summary>The traces of the diagonal blocks of ranges, at the cost of the diagonal.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> ExactBlockTraces(
        this LinearOperator linearOperator, IReadOnlyList<ParameterBlock> blocks) =>
        linearOperator.NotNull().MeasureExactly(Measurement.BlockTraces(blocks));

    /// <summary>The Frobenius norm ‖A‖_F: n products.</summary>
    public static Estimate<double> ExactFrobenius(this LinearOperator linearOperator) =>
        linearOperator.MeasureExactly(Measurement.Frobenius);

    /// <summary>The norm of each row, <see cref="DType.Float64"/> [m]: n products.</summary>
    public static Estimate<Tensor> ExactRowNorms(this LinearOperator linearOperator) =>
        linearOperator.MeasureExactly(Measurement.RowNorms);
}
