namespace Curvature.CSharp;

/// <summary>How the power iteration runs. Each property has a default.</summary>
public sealed class PowerIterationOptions
{
    /// <summary>When a pair is good enough. Default: a residual of 1e-6 times the eigenvalue.</summary>
    public PowerStop Stop
    {
        get;
        init => field = value.NotNull();
    } = PowerStop.Residual(1e-6);

    /// <summary>The most products that each pair may take. Default: 1000.</summary>
    public int MaximumMatvecs { get; init; } = 1000;

    /// <summary>What decides the vectors that it starts from. Default: <c>Key.OfSeed(0)</c>.</summary>
    public Key Key { get; init; } = Key.OfSeed(0);
}

/// <summary>Eigenpairs of largest magnitude by repeated products (von Mises &amp; Pollaczek-Geiringer 1929), each outside of those found
/// before, as PyHessian does it. The error falls by |λ₂/λ₁| a step, and not at all for a pair ±λ: <see cref="ThickRestartLanczos"/>
/// needs far fewer products.</summary>
public static class PowerIteration
{
    extension(PowerStop)
    {
        /// <summary>When ‖Av − λv‖ ≤ tolerance·|λ|, not counting the part along the pairs found before.</summary>
        /// <exception cref="ArgumentRangeException">The tolerance is not above 0.</exception>
        public static PowerStop Residual(double tolerance) => FSharp.PowerStop.residual(tolerance);

        /// <summary>PyHessian's rule: when one more step moves λ by less than the tolerance (there 1e-3), relatively. It says nothing about
        /// the error where eigenvalues lie close together, and is met by λ = 0 for a pair ±λ: the residual tells.</summary>
        /// <exception cref="ArgumentRangeException">The tolerance is not above 0.</exception>
        public static PowerStop PyHessian(double tolerance) => FSharp.PowerStop.pyHessian(tolerance);
    }

    /// <summary>The eigenpairs of largest magnitude, with their residuals. Pairs that the limit leaves unfinished are returned as not
    /// converged. Cancelling returns the pairs that were begun; before the first product it raises
    /// <see cref="OperationCanceledException"/>.</summary>
    /// <exception cref="OperatorException">The operator is not square, does not claim to be symmetric or turns out not to be.</exception>
    /// <exception cref="ArgumentRangeException">Less than one pair or more than n are asked for.</exception>
    /// <exception cref="NonFiniteException">A product is NaN or infinite.</exception>
    public static EigenPairs Find(
        LinearOperator linearOperator,
        int count,
        PowerIterationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new PowerIterationOptions();
        return FSharp.PowerIteration.findWith(
            cancellationToken, options.Stop, options.MaximumMatvecs, count, options.Key, linearOperator.NotNull());
    }

    /// <inheritdoc cref="Find"/>
    public static Task<EigenPairs> FindAsync(
        LinearOperator linearOperator,
        int count,
        PowerIterationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => Find(linearOperator, count, options, cancellationToken), cancellationToken);
    }
}
