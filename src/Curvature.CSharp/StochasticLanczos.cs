namespace Curvature.CSharp;

/// <summary>Stochastic Lanczos quadrature (Bai, Fahey &amp; Golub 1996; Ubaru, Chen &amp; Saad 2017): one sample of random vectors answers
/// all questions about traces of functions, densities and counts of eigenvalues.</summary>
/// <remarks>The interval of each trace holds the spread over random vectors, and beside it what the quadrature and
/// rounding leave open, by a bound, <c>Bias</c>, which is infinite (<c>IsResolved</c> is false) where steps and
/// element type do not resolve the function. The standard error is the root of the sum of the squares of
/// both.</remarks>
public static class StochasticLanczos
{
    /// <summary>Quadrature rules of random vectors. It costs probes times steps products and 8n·steps² operations a vector, and the memory
    /// of as many bases of steps vectors as run side by side. More steps than n are as good as n.</summary>
    /// <param name="linearOperator">A symmetric operator.</param>
    /// <param name="options">How many vectors and steps; 10 and 50 where there are none.</param>
    /// <param name="progress">Told before the first product how many products and bytes it will take, and after each
    /// block of vectors of the trace that they show.</param>
    /// <param name="cancellationToken">Ends it: the rules found until then are returned, with <see cref="StopReason.Cancelled"/>, or where
    /// there are none <see cref="OperationCanceledException"/> is raised.</param>
    /// <exception cref="OperatorException">The operator is not square, does not claim to be symmetric or turns out not to be.</exception>
    /// <exception cref="ArgumentRangeException">There is less than one vector or step.</exception>
    /// <exception cref="NonFiniteException">A product is NaN or infinite.</exception>
    public static SpectralSample Sample(
        LinearOperator linearOperator,
        SpectrumOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new SpectrumOptions();
        return FSharp.StochasticLanczos.sampleWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Probe,
            options.Probes,
            options.Steps,
            options.Key,
            linearOperator.NotNull());
    }

    /// <summary>The same sample with bounds that the caller knows for all eigenvalues. With a lower bound, the named
    /// functions of a spectrum are between bounds that hold for every spectrum: Gauss's rule, and Gauss–Radau's with
    /// a node there.</summary>
    /// <exception cref="OperatorException">A Ritz value lies outside by more than rounding.</exception>
    public static SpectralSample Within(this SpectralSample sample, SpectrumBounds bounds) =>
        FSharp.StochasticLanczos.within(bounds.NotNull(), sample.NotNull());

    /// <summary>tr f(A). The function is called at Ritz values, a little beside them and at the ends of the
    /// spectrum.</summary>
    /// <exception cref="NonFiniteException">The function is not finite at a Ritz value.</exception>
    public static Estimate<double> Trace(this SpectralSample sample, Func<double, double> f) =>
        FSharp.StochasticLanczos.trace(f.ToFSharp(), sample.NotNull());

    /// <summary>ln det A for a positive definite A.</summary>
    /// <exception cref="OperatorException">A Ritz value is not positive.</exception>
    public static Estimate<double> LogDeterminant(this SpectralSample sample) =>
        FSharp.StochasticLanczos.logDeterminant(sample.NotNull());

    /// <summary>ln det (A + λI).</summary>
    /// <exception cref="OperatorException">A Ritz value is not above −λ.</exception>
    public static Estimate<double> LogDeterminant(this SpectralSample sample, double lambda) =>
        FSharp.StochasticLanczos.logDeterminantShifted(lambda, sample.NotNull());

    /// <summary>tr A⁻¹ for a positive definite A.</summary>
    /// <exception cref="OperatorException">A Ritz value is not positive.</exception>
    public static Estimate<double> TraceOfInverse(this SpectralSample sample) =>
        FSharp.StochasticLanczos.traceOfInverse(sample.NotNull());

    /// <summary>−tr A ln A for a positive semidefinite A, in nats.</summary>
    /// <exception cref="OperatorException">A Ritz value is negative by more than rounding.</exception>
    public static Estimate<double> Entropy(this SpectralSample sample) => FSharp.StochasticLanczos.entropy(sample.NotNull());

    /// <summary>tr A(A + λI)⁻¹ for a positive semidefinite A and λ > 0: the number of directions that the curvature, rather than the
    /// damping, decides (MacKay 1992).</summary>
    /// <exception cref="OperatorException">A Ritz value is negative by more than rounding.</exception>
    /// <exception cref="ArgumentRangeException">λ is not above 0.</exception>
    public static Estimate<double> EffectiveDimension(this SpectralSample sample, double lambda) =>
        FSharp.StochasticLanczos.effectiveDimension(lambda, sample.NotNull());

    /// <summary>(Σ|λᵢ|ᵖ)^(1/p) for p ≥ 1: the nuclear norm for 1, Frobenius's for 2.</summary>
    /// <exception cref="ArgumentRangeException">p is less than 1.</exception>
    public static Estimate<double> SchattenNorm(this SpectralSample sample, double p) =>
        FSharp.StochasticLanczos.schattenNorm(p, sample.NotNull());
}
