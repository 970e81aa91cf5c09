namespace Curvature.CSharp;

/// <summary>Samples of the whole spectrum of a symmetric operator from random vectors, and what they say: traces of
/// functions, densities and counts of eigenvalues. Without a probe, vectors are independent signs.</summary>
/// <remarks>The interval of each trace holds the spread over random vectors, and beside it what the quadrature and
/// rounding leave open, by a bound, <c>Bias</c>, which is infinite (<c>IsResolved</c> is false) where steps and element
/// type do not resolve the function. The standard error is the root of the sum of the squares of both.</remarks>
public static class SpectralSamples
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.StochasticLanczos.sample"/>
        public SpectralSample StochasticLanczos(
            int probes = 10, int steps = 50, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            FSharp.StochasticLanczos.sampleWith(
                options.OrDefault(), probe ?? Probe.Rademacher, probes, steps, key, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Spectrum.exact"/>
        public SpectralSample ExactSpectrum(RunOptions? options = null) =>
            FSharp.Spectrum.exactWith(options.OrDefault(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Spectrum.automatic"/>
        public SpectralSample AutomaticSpectrum(
            int probes = 10, int steps = 50, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            FSharp.Spectrum.automaticWith(
                options.OrDefault(), probe ?? Probe.Rademacher, probes, steps, key, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.ChebyshevMoments.sample"/>
        public ChebyshevSample ChebyshevMoments(
            int probes = 10, int moments = 100, Key key = default, Probe? probe = null, RunOptions? options = null) =>
            FSharp.ChebyshevMoments.sampleWith(
                options.OrDefault(), probe ?? Probe.Rademacher, probes, moments, key, linearOperator.NotNull());
    }

    extension(SpectralSample sample)
    {
        /// <inheritdoc cref="FSharp.StochasticLanczos.within"/>
        public SpectralSample Within(SpectrumBounds bounds) =>
            FSharp.StochasticLanczos.within(bounds.NotNull(), sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.trace"/>
        public Estimate<double> Trace(Func<double, double> f) =>
            FSharp.StochasticLanczos.trace(f.ToFSharp(), sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.logDeterminant"/>
        public Estimate<double> LogDeterminant() => FSharp.StochasticLanczos.logDeterminant(sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.logDeterminantShifted"/>
        public Estimate<double> LogDeterminant(double lambda) =>
            FSharp.StochasticLanczos.logDeterminantShifted(lambda, sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.traceOfInverse"/>
        public Estimate<double> TraceOfInverse() => FSharp.StochasticLanczos.traceOfInverse(sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.entropy"/>
        public Estimate<double> Entropy() => FSharp.StochasticLanczos.entropy(sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.effectiveDimension"/>
        public Estimate<double> EffectiveDimension(double lambda) =>
            FSharp.StochasticLanczos.effectiveDimension(lambda, sample.NotNull());

        /// <inheritdoc cref="FSharp.StochasticLanczos.schattenNorm"/>
        public Estimate<double> SchattenNorm(double p) => FSharp.StochasticLanczos.schattenNorm(p, sample.NotNull());

        /// <inheritdoc cref="FSharp.Rank.effective"/>
        public Estimate<double> EffectiveRank() => FSharp.Rank.effective(sample.NotNull());

        /// <inheritdoc cref="FSharp.Rank.normalisedEffective"/>
        public Estimate<double> NormalisedEffectiveRank() => FSharp.Rank.normalisedEffective(sample.NotNull());

        /// <inheritdoc cref="FSharp.SpectralDensity.ofSample"/>
        public SpectralDensity Density(Smoothing? smoothing = null) =>
            FSharp.SpectralDensity.ofSample(smoothing ?? Smoothing.Papyan, sample.NotNull());

        /// <inheritdoc cref="FSharp.CumulativeDensity.ofSample"/>
        public CumulativeDensity CumulativeDensity() => FSharp.CumulativeDensity.ofSample(sample.NotNull());

        /// <inheritdoc cref="FSharp.CumulativeDensity.count"/>
        public Estimate<double> CountEigenvalues(double low, double high) =>
            FSharp.CumulativeDensity.count(low, high, sample.NotNull());
    }

    extension(ChebyshevSample sample)
    {
        /// <inheritdoc cref="FSharp.ChebyshevMoments.density"/>
        public SpectralDensity Density(int points = 1024) => FSharp.ChebyshevMoments.density(points, sample.NotNull());

        /// <inheritdoc cref="FSharp.ChebyshevMoments.jackson"/>
        public static IReadOnlyList<double> Jackson(int count) => FSharp.ChebyshevMoments.jackson(count);
    }

    extension(Smoothing)
    {
        /// <inheritdoc cref="FSharp.Smoothing.gaussian"/>
        public static Smoothing Gaussian(double standardDeviation) => FSharp.Smoothing.gaussian(standardDeviation);

        /// <inheritdoc cref="FSharp.Smoothing.pyHessian"/>
        public static Smoothing PyHessian => FSharp.Smoothing.pyHessian;

        /// <inheritdoc cref="FSharp.Smoothing.papyan"/>
        public static Smoothing Papyan => FSharp.Smoothing.papyan;
    }
}
