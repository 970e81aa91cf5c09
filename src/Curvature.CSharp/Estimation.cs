namespace Curvature.CSharp;

/// <summary>Estimates from random vectors and their products with an operator (Girard 1989, Hutchinson 1990). The same key gives the same
/// vectors whatever the block size and the number of threads.</summary>
/// <remarks>Each estimate costs one product a random vector, or one quadratic form where that is enough. All raise
/// <see cref="OperatorException"/> where the operator is not of the kind that is needed, and <see cref="NonFiniteException"/> for products
/// that are NaN or infinite. Cancelling returns what was found until then, with <see cref="StopReason.Cancelled"/>; before anything was
/// found it raises <see cref="OperationCanceledException"/>. Each method has an asynchronous twin, which works in the background.</remarks>
public static class Estimation
{
    /// <summary>The trace with its standard error. The variance of one sample of signs is twice the squared off-diagonal.</summary>
    public static Estimate<double> EstimateTrace(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Trace, options, progress, cancellationToken);

    /// <inheritdoc cref="EstimateTrace"/>
    public static Task<Estimate<double>> EstimateTraceAsync(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().MeasureAsync(Measurement.Trace, options, progress, cancellationToken);

    /// <summary>The diagonal, <see cref="DType.Float64"/> [n], with a standard error for each entry. The variance of one sample of entry i
    /// from signs is Σ_{j≠i} A_ij².</summary>
    public static Estimate<Tensor> EstimateDiagonal(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Diagonal, options, progress, cancellationToken);

    /// <inheritdoc cref="EstimateDiagonal"/>
    public static Task<Estimate<Tensor>> EstimateDiagonalAsync(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().MeasureAsync(Measurement.Diagonal, options, progress, cancellationToken);

    /// <summary>The Frobenius norm ‖A‖_F.</summary>
    public static Estimate<double> EstimateFrobenius(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Frobenius, options, progress, cancellationToken);

    /// <inheritdoc cref="EstimateFrobenius"/>
    public static Task<Estimate<double>> EstimateFrobeniusAsync(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().MeasureAsync(Measurement.Frobenius, options, progress, cancellationToken);

    /// <summary>‖row i of A‖ for each row, <see cref="DType.Float64"/> [m], for operators of any shape.</summary>
    public static Estimate<Tensor> EstimateRowNorms(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.RowNorms, options, progress, cancellationToken);

    /// <inheritdoc cref="EstimateRowNorms"/>
    public static Task<Estimate<Tensor>> EstimateRowNormsAsync(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().MeasureAsync(Measurement.RowNorms, options, progress, cancellationToken);

    /// <summary>The trace of the diagonal block of each range, such as the parameters of each layer, all from the same products.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> EstimateBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.BlockTraces(blocks), options, progress, cancellationToken);

    /// <inheritdoc cref="EstimateBlockTraces"/>
    public static Task<IReadOnlyList<BlockTrace>> EstimateBlockTracesAsync(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().MeasureAsync(Measurement.BlockTraces(blocks), options, progress, cancellationToken);

    /// <summary>Whatever a measurement says, from one pass of random vectors: <c>Measurement.Trace.With(Measurement.Diagonal, …)</c> costs
    /// the products of one of them.</summary>
    public static T Measure<T>(
        this LinearOperator linearOperator,
        Measurement<T> measurement,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new EstimateOptions();
        return FSharp.Hutchinson.estimateWith(
            options.ToSamplingOptions(progress, cancellationToken),
            options.Probe,
            measurement.NotNull(),
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <inheritdoc cref="Measure"/>
    public static Task<T> MeasureAsync<T>(
        this LinearOperator linearOperator,
        Measurement<T> measurement,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        measurement.NotNull();
        return Task.Run(() => linearOperator.Measure(measurement, options, progress, cancellationToken), cancellationToken);
    }
}
