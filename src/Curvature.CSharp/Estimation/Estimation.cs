namespace Curvature.CSharp;

/// <summary>Estimates from random vectors and their products with an operator. Without a rule they end when the 95 %
/// interval is within 1 % of the value, or after 1000 products; without a key, vectors are those of
/// <c>Key.OfSeed(0)</c>; without a probe, they are independent signs. Progress, cancellation, block size and checkpoint
/// are part of <see cref="RunOptions"/>.</summary>
/// <remarks>All raise <see cref="OperatorException"/> where the operator is not of the kind that is needed, and
/// <see cref="NonFiniteException"/> for products that are NaN or infinite. Cancelling returns what was found until
/// then, with <see cref="StopReason.Cancelled"/>; before anything was found it raises
/// <see cref="OperationCanceledException"/>.</remarks>
public static class Estimation
{
    private const double DefaultRisk = 0.025;

    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.Estimate.run"/>
        public T Estimate<T>(
            Estimator<T> estimator, StoppingRule? stop = null, Key key = default, RunOptions? options = null) =>
            FSharp.Estimate.runWith(
                options.OrDefault(), estimator.NotNull(), stop.OrDefault(), key, linearOperator.NotNull());

        /// <summary>Whatever a measurement says, from one pass of random vectors:
        /// <c>Measurement.Trace.With(Measurement.Diagonal, …)</c> costs the products of one of them.</summary>
        public T Measure<T>(
            Measurement<T> measurement,
            StoppingRule? stop = null,
            Key key = default,
            Probe? probe = null,
            RunOptions? options = null) =>
            linearOperator.Estimate(Estimators.Hutchinson(measurement, probe), stop, key, options);

        /// <inheritdoc cref="FSharp.Measurement.trace"/>
        public Estimate<double> EstimateTrace(
            StoppingRule? stop = null, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            linearOperator.Measure(Measurement.Trace, stop, key, probe, options);

        /// <inheritdoc cref="FSharp.Measurement.diagonal"/>
        public Estimate<Tensor> EstimateDiagonal(
            StoppingRule? stop = null, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            linearOperator.Measure(Measurement.Diagonal, stop, key, probe, options);

        /// <inheritdoc cref="FSharp.Measurement.frobenius"/>
        public Estimate<double> EstimateFrobenius(
            StoppingRule? stop = null, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            linearOperator.Measure(Measurement.Frobenius, stop, key, probe, options);

        /// <inheritdoc cref="FSharp.Measurement.rowNorms"/>
        public Estimate<Tensor> EstimateRowNorms(
            StoppingRule? stop = null, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            linearOperator.Measure(Measurement.RowNorms, stop, key, probe, options);

        /// <inheritdoc cref="FSharp.Measurement.blockTraces"/>
        public IReadOnlyList<BlockTrace> EstimateBlockTraces(
            IReadOnlyList<ParameterBlock> blocks,
            StoppingRule? stop = null,
            Key key = default,
            Probe? probe = null,
            RunOptions? options = null) =>
            linearOperator.NotNull().Measure(Measurement.BlockTraces(blocks), stop, key, probe, options);

        /// <inheritdoc cref="FSharp.AdaptiveHutchPlusPlus.estimate"/>
        public Estimate<double> AdaptiveHutchPlusPlus(
            double absoluteError, double risk = DefaultRisk, Key key = default, RunOptions? options = null) =>
            linearOperator.NotNull().Estimate(
                Estimators.AdaptiveHutchPlusPlus(absoluteError, risk),
                StoppingRule.Matvecs(int.MaxValue),
                key,
                options);

        /// <inheritdoc cref="FSharp.Automatic.trace"/>
        /// <remarks>Vectors that are kept may take <paramref name="memory"/> bytes; without a number, 4 GiB.</remarks>
        public ChosenEstimate<double> AutomaticTrace(
            StoppingRule? stop = null, Key key = default, long? memory = null, RunOptions? options = null) =>
            linearOperator.Estimate(Estimators.AutomaticTrace(memory), stop, key, options);

        /// <inheritdoc cref="FSharp.Automatic.diagonal"/>
        /// <remarks>Vectors that are kept may take <paramref name="memory"/> bytes; without a number, 4 GiB.</remarks>
        public ChosenEstimate<Tensor> AutomaticDiagonal(
            StoppingRule? stop = null, Key key = default, long? memory = null, RunOptions? options = null) =>
            linearOperator.Estimate(Estimators.AutomaticDiagonal(memory), stop, key, options);

        /// <inheritdoc cref="FSharp.Norm.spectral"/>
        public SpectralNorm SpectralNorm(
            double relativeError = 0.01, double confidence = 0.95, Key key = default, RunOptions? options = null) =>
            FSharp.Norm.spectralWith(options.OrDefault(), confidence, relativeError, key, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Rank.stable"/>
        public StableRank StableRank(
            StoppingRule? stop = null, Key key = default, double relativeError = 0.01, RunOptions? options = null) =>
            FSharp.Rank.stableWith(
                options.OrDefault(), relativeError, stop.OrDefault(), key, linearOperator.NotNull());
    }
}
