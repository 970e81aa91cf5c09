namespace Curvature.CSharp;

/// <summary>Estimates for those who do not want to choose a method: what was chosen, and why, is in the result.</summary>
/// <remarks>A run begins by keeping vectors, and at each look (after 16, 24, 32, 40, 48, 64 … products) compares what going on is expected
/// to cost with sampling what these have missed, and with taking all columns. A change loses nothing of what was spent. Errors and
/// cancellation are those of <see cref="LowRankTraces"/>.</remarks>
public static class Automatic
{
    /// <summary>The trace of a square operator, between XNysTrace (where it claims to be positive semidefinite) or XTrace, Hutchinson's
    /// estimator, by quadratic forms where the operator has them, and all columns.</summary>
    public static ChosenEstimate<double> AutomaticTrace(
        this LinearOperator linearOperator,
        AutomaticOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new AutomaticOptions();
        return FSharp.Automatic.traceWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Memory,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }

    /// <summary>The diagonal of a square operator, <see cref="DType.Float64"/> [n], between XNysDiag (where it claims to be positive
    /// semidefinite) or XDiag, Hutchinson's estimator, and all columns.</summary>
    public static ChosenEstimate<Tensor> AutomaticDiagonal(
        this LinearOperator linearOperator,
        AutomaticOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new AutomaticOptions();
        return FSharp.Automatic.diagonalWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Memory,
            options.Stop,
            options.Key,
            linearOperator.NotNull());
    }
}
