namespace Curvature.CSharp;

/// <summary>What to learn from random vectors z, E zzᵀ = I, and their products Az. Measurements combine, and what is
/// combined shares the products; <see cref="Estimation.Measure"/> takes one.</summary>
public static class Measurement
{
    /// <inheritdoc cref="FSharp.Measurement.trace"/>
    public static Measurement<Estimate<double>> Trace => FSharp.Measurement.trace;

    /// <inheritdoc cref="FSharp.Measurement.diagonal"/>
    public static Measurement<Estimate<Tensor>> Diagonal => FSharp.Measurement.diagonal;

    /// <inheritdoc cref="FSharp.Measurement.diagonalRatio"/>
    public static Measurement<Estimate<Tensor>> DiagonalRatio => FSharp.Measurement.diagonalRatio;

    /// <inheritdoc cref="FSharp.Measurement.squaredFrobenius"/>
    public static Measurement<Estimate<double>> SquaredFrobenius => FSharp.Measurement.squaredFrobenius;

    /// <inheritdoc cref="FSharp.Measurement.frobenius"/>
    public static Measurement<Estimate<double>> Frobenius => FSharp.Measurement.frobenius;

    /// <inheritdoc cref="FSharp.Measurement.squaredRowNorms"/>
    public static Measurement<Estimate<Tensor>> SquaredRowNorms => FSharp.Measurement.squaredRowNorms;

    /// <inheritdoc cref="FSharp.Measurement.rowNorms"/>
    public static Measurement<Estimate<Tensor>> RowNorms => FSharp.Measurement.rowNorms;

    /// <inheritdoc cref="FSharp.Measurement.blockTraces"/>
    public static Measurement<IReadOnlyList<BlockTrace>> BlockTraces(IReadOnlyList<ParameterBlock> blocks) =>
        FSharp.Measurement.blockTraces(blocks.WithoutNull()).Select(traces => (IReadOnlyList<BlockTrace>)traces);

    /// <inheritdoc cref="FSharp.CurvatureByTensor.measurement"/>
    public static Measurement<CurvatureByTensor> ByTensor(ParameterLayout layout) =>
        FSharp.CurvatureByTensor.measurement(layout.NotNull());

    /// <inheritdoc cref="FSharp.Measurement.all"/>
    public static Measurement<IReadOnlyList<T>> All<T>(params IReadOnlyList<Measurement<T>> measurements) =>
        FSharp.Measurement.all(measurements.ToFSharpList()).Select(results => (IReadOnlyList<T>)results);

    /// <inheritdoc cref="FSharp.Measurement.both"/>
    public static Measurement<TResult> With<TFirst, TSecond, TResult>(
        this Measurement<TFirst> first, Measurement<TSecond> second, Func<TFirst, TSecond, TResult> combine)
    {
        combine.NotNull();
        return FSharp.Measurement.both(first.NotNull(), second.NotNull())
            .Select(both => combine(both.Item1, both.Item2));
    }

    /// <inheritdoc cref="FSharp.Measurement.map"/>
    public static Measurement<TResult> Select<T, TResult>(this Measurement<T> measurement, Func<T, TResult> f) =>
        FSharp.Measurement.map(f.ToFSharp(), measurement.NotNull());

    /// <inheritdoc cref="FSharp.Measurement.unwatched"/>
    public static Measurement<T> Unwatched<T>(this Measurement<T> measurement) =>
        FSharp.Measurement.unwatched(measurement.NotNull());
}
