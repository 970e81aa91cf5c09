namespace Curvature.CSharp;

/// <summary>How to estimate by leaving out one random vector at a time: XTrace, XNysTrace, XDiag, XNysDiag.</summary>
public sealed class LowRankOptions : RunOptions
{
    /// <summary>The distribution of the random vectors. Default: null, for vectors of the sphere where a trace is estimated, and signs for
    /// a diagonal.</summary>
    public Probe? Probe { get; init; }

    /// <summary>When enough is known. Default: when the 95 % interval is within 1 % of the value, or after 1000 products.</summary>
    public StoppingRule Stop
    {
        get;
        init => field = value.NotNull();
    } = StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000));
}

/// <summary>How to estimate in three parts, two for a sketch and one for what is outside it, with a number of products that is known
/// beforehand: Hutch++, NA-Hutch++ and UDiag++.</summary>
public sealed class SketchOptions : RunOptions
{
    /// <summary>How many products are taken. Default: 300.</summary>
    public int Matvecs { get; init; } = 300;
}

/// <summary>How adaptive Hutch++ runs, which is told the error that it has to reach.</summary>
public sealed class AdaptiveSketchOptions : RunOptions
{
    /// <summary>The error is missed with a probability of at most twice this. Default: 0.025.</summary>
    public double Risk { get; init; } = 0.025;
}

/// <summary>How exactly to know the largest singular value, and how surely.</summary>
public sealed class SpectralNormOptions : RunOptions
{
    /// <summary>The share by which the norm may exceed the value. Default: 0.01.</summary>
    public double RelativeError { get; init; } = 0.01;

    /// <summary>The probability with which it does not. Default: 0.95.</summary>
    public double Confidence { get; init; } = 0.95;
}
