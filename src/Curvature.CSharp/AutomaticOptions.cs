namespace Curvature.CSharp;

/// <summary>When to stop, for those who do not want to choose a method.</summary>
public sealed class AutomaticOptions : SamplingOptions
{
    /// <summary>When enough is known. Default: when the 95 % interval is within 1 % of the value, or after 1000 products.</summary>
    public StoppingRule Stop
    {
        get;
        init => field = value.NotNull();
    } = StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000));

    /// <summary>Bytes that vectors which are kept may take. Default: 4 GiB.</summary>
    public long Memory { get; init; } = FSharp.Automatic.memory;
}
