namespace Curvature.CSharp;

/// <summary>How adaptive Hutch++ runs, which is told the error that it has to reach.</summary>
public sealed class AdaptiveSketchOptions : SamplingOptions
{
    /// <summary>The error is missed with a probability of at most twice this. Default: 0.025.</summary>
    public double Risk { get; init; } = 0.025;
}
