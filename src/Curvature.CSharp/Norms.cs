namespace Curvature.CSharp;

/// <summary>Norms of operators, which need not be square. For the Frobenius norm and those of rows see
/// <see cref="Estimation.EstimateFrobenius"/> and <see cref="Estimation.EstimateRowNorms"/>.</summary>
public static class Norms
{
    /// <summary>‖A‖₂, the largest singular value, by Lanczos' method on AᵀA from a random vector (on A where it is symmetric), with as many
    /// steps as keep the relative error below the one of the options whatever the spectrum (Kuczyński &amp; Woźniakowski 1992, theorem
    /// 4.2). A step costs a product with A and one with Aᵀ, or one where A is symmetric.</summary>
    /// <exception cref="OperatorException">The transpose is needed and not known.</exception>
    /// <exception cref="ArgumentRangeException">The error is not above 0, or the confidence not between 0 and 1.</exception>
    public static SpectralNorm SpectralNorm(
        this LinearOperator linearOperator,
        SpectralNormOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new SpectralNormOptions();
        return FSharp.Norm.spectralWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Confidence,
            options.RelativeError,
            options.Key,
            linearOperator.NotNull());
    }
}
