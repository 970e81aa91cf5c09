namespace Curvature.CSharp;

/// <summary>Where the eigenvalues lie, from a sample of the spectrum: as a density, as a cumulative density with a band that no smoothing
/// decides, and as numbers of eigenvalues in intervals.</summary>
public static class SpectralDensities
{
    extension(Smoothing)
    {
        /// <summary>Gaussians of a standard deviation, in the units of eigenvalues, on a grid that reaches 5 of them beyond the outermost Ritz
        /// values: 1024 points, or as many as leave two in each standard deviation, up to a million.</summary>
        /// <exception cref="ArgumentRangeException">It is not above 0.</exception>
        public static Smoothing Gaussian(double standardDeviation) => FSharp.Smoothing.gaussian(standardDeviation);

        /// <summary>PyHessian's: 10000 points, variance 1e-5·max(1, range). In the units of the loss: a spectrum much narrower than 0.01
        /// shows as one bump.</summary>
        public static Smoothing PyHessian => FSharp.Smoothing.pyHessian;

        /// <summary>Papyan's (2019): a width of about 1/steps of the spectrum's, on 1024 points with a margin of 5 %.</summary>
        public static Smoothing Papyan => FSharp.Smoothing.papyan;
    }

    /// <summary>The mean over random vectors of Σ wⱼ N(x; θⱼ, σ²) (Lin, Saad &amp; Yang 2016), with an error bar at each point.</summary>
    /// <param name="sample">What was seen of the spectrum.</param>
    /// <param name="smoothing">How points become a density; Papyan's where there is none.</param>
    /// <exception cref="ArgumentRangeException">The operator has no eigenvalues.</exception>
    public static SpectralDensity Density(this SpectralSample sample, Smoothing? smoothing = null) =>
        FSharp.SpectralDensity.ofSample(smoothing ?? Smoothing.Papyan, sample.NotNull());

    /// <summary>The share of eigenvalues at or below each number, with a band.</summary>
    /// <exception cref="ArgumentRangeException">The operator has no eigenvalues.</exception>
    public static CumulativeDensity CumulativeDensity(this SpectralSample sample) =>
        FSharp.CumulativeDensity.ofSample(sample.NotNull());

    /// <summary>The number of eigenvalues in [low, high], with the error of the random vectors and of the quadrature.</summary>
    /// <exception cref="ArgumentRangeException">The interval is empty or not a number.</exception>
    public static Estimate<double> CountEigenvalues(this SpectralSample sample, double low, double high) =>
        FSharp.CumulativeDensity.count(low, high, sample.NotNull());
}
