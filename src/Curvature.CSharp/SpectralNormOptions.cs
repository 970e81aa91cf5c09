namespace Curvature.CSharp;

/// <summary>How exactly to know the largest singular value, and how surely.</summary>
public sealed class SpectralNormOptions : SamplingOptions
{
    /// <summary>The share by which the norm may exceed the value. Default: 0.01.</summary>
    public double RelativeError { get; init; } = 0.01;

    /// <summary>The probability with which it does not. Default: 0.95.</summary>
    public double Confidence { get; init; } = 0.95;
}
