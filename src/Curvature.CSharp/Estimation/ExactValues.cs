namespace Curvature.CSharp;

/// <summary>What can be found exactly up to rounding, from one product for each column, or one quadratic form where
/// these are enough and the operator has them. Standard errors are those of rounding. Cancelling raises
/// <see cref="OperationCanceledException"/>: a part of the columns is no exact result.</summary>
public static class ExactValues
{
    /// <inheritdoc cref="FSharp.Exact.largestDense"/>
    public static int LargestDense => FSharp.Exact.largestDense;

    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.Exact.measure"/>
        public T MeasureExactly<T>(Measurement<T> measurement, RunOptions? options = null) =>
            FSharp.Exact.measureWith(options.OrDefault(), measurement.NotNull(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Exact.trace"/>
        public Estimate<double> ExactTrace(RunOptions? options = null) =>
            linearOperator.MeasureExactly(Measurement.Trace, options);

        /// <inheritdoc cref="FSharp.Exact.diagonal"/>
        public Estimate<Tensor> ExactDiagonal(RunOptions? options = null) =>
            linearOperator.MeasureExactly(Measurement.Diagonal, options);

        /// <inheritdoc cref="FSharp.Exact.blockTraces"/>
        public IReadOnlyList<BlockTrace> ExactBlockTraces(
            IReadOnlyList<ParameterBlock> blocks, RunOptions? options = null) =>
            linearOperator.NotNull().MeasureExactly(Measurement.BlockTraces(blocks), options);

        /// <inheritdoc cref="FSharp.Exact.frobenius"/>
        public Estimate<double> ExactFrobenius(RunOptions? options = null) =>
            linearOperator.MeasureExactly(Measurement.Frobenius, options);

        /// <inheritdoc cref="FSharp.Exact.rowNorms"/>
        public Estimate<Tensor> ExactRowNorms(RunOptions? options = null) =>
            linearOperator.MeasureExactly(Measurement.RowNorms, options);

        /// <inheritdoc cref="FSharp.Exact.eigenvalues"/>
        public Estimate<Tensor> ExactEigenvalues(RunOptions? options = null) =>
            FSharp.Exact.eigenvaluesWith(options.OrDefault(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Exact.logDeterminant"/>
        public Estimate<double> ExactLogDeterminant(RunOptions? options = null) =>
            FSharp.Exact.logDeterminantWith(options.OrDefault(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Exact.conditionNumber"/>
        public Estimate<double> ExactConditionNumber(RunOptions? options = null) =>
            FSharp.Exact.conditionNumberWith(options.OrDefault(), linearOperator.NotNull());
    }
}
