namespace Curvature.CSharp;

/// <summary>What to learn from random vectors z, E zzᵀ = I, and their products Az. Measurements combine, and what is combined shares the
/// products; <see cref="Estimation.Measure"/> takes one.</summary>
public static class Measurement
{
    /// <summary>tr A = E zᵀAz (Girard 1989, Hutchinson 1990): the only measurement that can do with quadratic forms instead of
    /// products.</summary>
    public static Measurement<Estimate<double>> Trace => FSharp.Measurement.trace;

    /// <summary>diag A = E z∘Az, with a standard error for each entry, all <see cref="DType.Float64"/> [n] (Bekas, Kokiopoulou &amp; Saad
    /// 2007, without the division). A stopping rule sees the norms of value and standard errors.</summary>
    public static Measurement<Estimate<Tensor>> Diagonal => FSharp.Measurement.diagonal;

    /// <summary>diag A as Σ z∘Az / Σ z∘z (Bekas, Kokiopoulou &amp; Saad 2007): biased, but for normal probes of less variance than
    /// <see cref="Diagonal"/>.</summary>
    public static Measurement<Estimate<Tensor>> DiagonalRatio => FSharp.Measurement.diagonalRatio;

    /// <summary>‖A‖²_F = E ‖Az‖².</summary>
    public static Measurement<Estimate<double>> SquaredFrobenius => FSharp.Measurement.squaredFrobenius;

    /// <summary>‖A‖_F, the root of <see cref="SquaredFrobenius"/>. A stopping rule sees the square.</summary>
    public static Measurement<Estimate<double>> Frobenius => FSharp.Measurement.frobenius;

    /// <summary>‖row i of A‖² = E (Az)_i² for each row, <see cref="DType.Float64"/> [m].</summary>
    public static Measurement<Estimate<Tensor>> SquaredRowNorms => FSharp.Measurement.squaredRowNorms;

    /// <summary>‖row i of A‖ for each row, <see cref="DType.Float64"/> [m]; a stopping rule sees the squares.</summary>
    public static Measurement<Estimate<Tensor>> RowNorms => FSharp.Measurement.rowNorms;

    /// <summary>The trace of the diagonal block of each range, such as <see cref="Parameters"/> of each layer. A stopping rule sees their
    /// norms.</summary>
    /// <exception cref="ArgumentRangeException">There are no ranges, or one is outside the operator.</exception>
    public static Measurement<IReadOnlyList<BlockTrace>> BlockTraces(IReadOnlyList<ParameterBlock> blocks) =>
        FSharp.Measurement.blockTraces(blocks.WithoutNull()).Select(traces => (IReadOnlyList<BlockTrace>)traces);

    /// <summary>Trace and diagonal of the block of each tensor of parameters. A stopping rule sees the norms of the traces.</summary>
    public static Measurement<CurvatureByTensor> ByTensor(ParameterLayout layout) =>
        FSharp.CurvatureByTensor.measurement(layout.NotNull());

    /// <summary>All of several measurements of one kind, from the same products.</summary>
    public static Measurement<IReadOnlyList<T>> All<T>(params IReadOnlyList<Measurement<T>> measurements) =>
        FSharp.Measurement.all(measurements.ToFSharpList()).Select(results => (IReadOnlyList<T>)results);

    /// <summary>Both of two measurements, from the same products, put together by a function. A stopping rule watches both.</summary>
    public static Measurement<TResult> With<TFirst, TSecond, TResult>(
        this Measurement<TFirst> first, Measurement<TSecond> second, Func<TFirst, TSecond, TResult> combine)
    {
        combine.NotNull();
        return FSharp.Measurement.both(first.NotNull(), second.NotNull()).Select(both => combine(both.Item1, both.Item2));
    }

    /// <summary>What a function makes of a measurement's result.</summary>
    public static Measurement<TResult> Select<T, TResult>(this Measurement<T> measurement, Func<T, TResult> f) =>
        FSharp.Measurement.map(f.ToFSharp(), measurement.NotNull());

    /// <summary>The same measurement, without a say in when to stop: a stopping rule on errors does not watch it.</summary>
    public static Measurement<T> Unwatched<T>(this Measurement<T> measurement) =>
        FSharp.Measurement.unwatched(measurement.NotNull());
}
