namespace Curvature.CSharp;

/// <summary>How to estimate from random vectors. Each property has a default, so <c>new EstimateOptions { Stop = … }</c> says no more
/// than what differs.</summary>
public sealed class EstimateOptions : SamplingOptions
{
    /// <summary>The distribution of the random vectors. Default: null, for what fits the method: vectors of the sphere for XTrace and
    /// XNysTrace, independent signs for all others.</summary>
    public Probe? Probe { get; init; }

    /// <summary>When enough is known. Default: when the 95 % interval is within 1 % of the value, or after 1000 products.</summary>
    public StoppingRule Stop
    {
        get;
        init => field = value.NotNull();
    } = StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000));
}
