namespace Curvature.CSharp;

/// <summary>Estimates from random vectors and their products with an operator. The same key gives the same vectors whatever the block size
/// and the number of threads.</summary>
/// <remarks>All raise <see cref="OperatorException"/> where the operator is not of the kind that is needed, and
/// <see cref="NonFiniteException"/> for products that are NaN or infinite. Cancelling returns what was found until then, with
/// <see cref="StopReason.Cancelled"/>; before anything was found it raises <see cref="OperationCanceledException"/>.</remarks>
public static class Estimation
{
    /// <summary>Runs an estimator until the rule says stop. Where the rule has an error to reach, and as many products as there are columns
    /// are expected to be cheaper and are allowed, these are taken, and the result is exact.</summary>
    /// <exception cref="ArgumentRangeException">The rule allows fewer products than the estimator needs.</exception>
    public static T Estimate<T>(
        this LinearOperator linearOperator,
        Estimator<T> estimator,
        StoppingRule stop,
        Key key,
        RunOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= RunOptions.Default;
        options = progress is null ? options : options.WithProgress(progress);
        options = cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
        return FSharp.Estimate.runWith(options, estimator.NotNull(), stop.NotNull(), key, linearOperator.NotNull());
    }

    /// <summary>The trace with its standard error. The variance of one sample of signs is twice the squared off-diagonal.</summary>
    public static Estimate<double> EstimateTrace(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Trace, options, progress, cancellationToken);

    /// <summary>The diagonal, <see cref="DType.Float64"/> [n], with a standard error for each entry. The variance of one sample of entry i
    /// from signs is Σ_{j≠i} A_ij².</summary>
    public static Estimate<Tensor> EstimateDiagonal(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Diagonal, options, progress, cancellationToken);

    /// <summary>The Frobenius norm ‖A‖_F.</summary>
    public static Estimate<double> EstimateFrobenius(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.Frobenius, options, progress, cancellationToken);

    /// <summary>‖row i of A‖ for each row, <see cref="DType.Float64"/> [m], for operators of any shape.</summary>
    public static Estimate<Tensor> EstimateRowNorms(
        this LinearOperator linearOperator,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.RowNorms, options, progress, cancellationToken);

    /// <summary>The trace of the diagonal block of each range, such as the parameters of each layer, all from the same products.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static IReadOnlyList<BlockTrace> EstimateBlockTraces(
        this LinearOperator linearOperator,
        IReadOnlyList<ParameterBlock> blocks,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.BlockTraces(blocks), options, progress, cancellationToken);

    /// <summary>Whatever a measurement says, from one pass of random vectors: <c>Measurement.Trace.With(Measurement.Diagonal, …)</c> costs
    /// the products of one of them.</summary>
    public static T Measure<T>(
        this LinearOperator linearOperator,
        Measurement<T> measurement,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.Run(
            probe => Estimators.Hutchinson(measurement, probe), options ?? new(), progress, cancellationToken);

    /// <summary>Runs the estimator of the options' probe by the options' rule, from the options' key.</summary>
    internal static T Run<T>(
        this LinearOperator linearOperator,
        Func<Probe?, Estimator<T>> estimator,
        EstimateOptions options,
        IProgress<SamplingProgress>? progress,
        CancellationToken cancellationToken) =>
        linearOperator.NotNull().Estimate(
            estimator(options.Probe), options.Stop, options.Key, options.ToRunOptions(progress, cancellationToken));
}
