namespace Curvature.CSharp;

/// <summary>How a spectrum is sampled by <see cref="StochasticLanczos"/>. Each property has a default.</summary>
public sealed class SpectrumOptions : SamplingOptions
{
    /// <summary>How many random vectors: the error falls with the root of their number. Default: 10.</summary>
    public int Probes { get; init; } = 10;

    /// <summary>How many steps of Lanczos each takes, which is what one vector costs in products: more resolve more of the spectrum.
    /// Default: 50.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>The distribution of the random vectors. Default: <c>Probe.Rademacher</c>, independent signs.</summary>
    public Probe Probe
    {
        get;
        init => field = value.NotNull();
    } = Probe.Rademacher;
}

/// <summary>How a spectrum is sampled by <see cref="ChebyshevMoments"/>. Each property has a default.</summary>
public sealed class ChebyshevOptions : SamplingOptions
{
    /// <summary>How many random vectors: the error falls with the root of their number. Default: 10.</summary>
    public int Probes { get; init; } = 10;

    /// <summary>How many moments: a vector costs half as many products, and a single eigenvalue is smeared by about π/2 times the width of
    /// the spectrum over their number. Default: 100.</summary>
    public int Moments { get; init; } = 100;

    /// <summary>The distribution of the random vectors. Default: <c>Probe.Rademacher</c>, independent signs.</summary>
    public Probe Probe
    {
        get;
        init => field = value.NotNull();
    } = Probe.Rademacher;
}
