namespace Curvature.CSharp;

/// <summary>The kernel polynomial method (Weiße, Wellein, Alvermann &amp; Fehske 2006): densities of eigenvalues from Chebyshev moments,
/// without a basis. It needs the memory of three vectors a probe, whatever the number of moments.</summary>
public static class ChebyshevMoments
{
    /// <summary>Chebyshev moments of a spectrum: half as many products a vector as there are moments, and 24 for the ends of the
    /// spectrum.</summary>
    /// <param name="linearOperator">A symmetric operator.</param>
    /// <param name="options">How many vectors and moments; 10 and 100 where there are none.</param>
    /// <param name="progress">Told before the first product how many products and bytes it will take, and after each
    /// block of vectors of the trace that they show.</param>
    /// <param name="cancellationToken">Ends it: the moments found until then are returned, with <see cref="StopReason.Cancelled"/>, or where
    /// there are none <see cref="OperationCanceledException"/> is raised.</param>
    /// <exception cref="OperatorException">The operator is not square, does not claim to be symmetric or turns out not to be.</exception>
    /// <exception cref="ArgumentRangeException">There are less than two moments or one vector, or the operator has no eigenvalues.</exception>
    /// <exception cref="NonFiniteException">A product is NaN or infinite.</exception>
    public static ChebyshevSample Sample(
        LinearOperator linearOperator,
        ChebyshevOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new ChebyshevOptions();
        return FSharp.ChebyshevMoments.sampleWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Probe,
            options.Probes,
            options.Moments,
            options.Key,
            linearOperator.NotNull());
    }

    /// <summary>The density at Chebyshev nodes, never negative, with an error bar from the spread over random vectors.</summary>
    /// <exception cref="ArgumentRangeException">There are less than two points.</exception>
    public static SpectralDensity Density(this ChebyshevSample sample, int points = 1024) =>
        FSharp.ChebyshevMoments.density(points, sample.NotNull());

    /// <summary>Jackson's factors g_j (1912), which make the truncated series of a measure that is not negative a function that is not
    /// negative.</summary>
    public static IReadOnlyList<double> Jackson(int count) => FSharp.ChebyshevMoments.jackson(count);
}
