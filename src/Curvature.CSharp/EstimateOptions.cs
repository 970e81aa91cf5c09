namespace Curvature.CSharp;

/// <summary>How to estimate from random vectors. Each property has a default, so <c>new EstimateOptions { Stop = … }</c> says no more
/// than what differs.</summary>
public sealed class EstimateOptions
{
    /// <summary>The distribution of the random vectors. Default: <c>Probe.Rademacher</c>, independent signs.</summary>
    public Probe Probe
    {
        get;
        init => field = value.NotNull();
    } = Probe.Rademacher;

    /// <summary>When enough is known. Default: when the 95 % interval is within 1 % of the value, or after 1000 products.</summary>
    public StoppingRule Stop
    {
        get;
        init => field = value.NotNull();
    } = StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000));

    /// <summary>What decides the random vectors: the same key gives the same ones. Default: <c>Key.OfSeed(0)</c>.</summary>
    public Key Key { get; init; } = Key.OfSeed(0);

    /// <summary>How many vectors are multiplied together, which changes neither the vectors nor the estimate; 0 for 16, or as many as fit
    /// into 256 MiB. Default: 0.</summary>
    /// <exception cref="ArgumentRangeException">The size is negative.</exception>
    public int BlockSize
    {
        get;
        init => field = value >= 0
            ? value
            : throw new ArgumentRangeException($"{nameof(BlockSize)}: a size cannot be negative, and this one is {value}");
    }

    internal SamplingOptions ToSamplingOptions(IProgress<SamplingProgress>? progress, CancellationToken cancellationToken)
    {
        var sampling = SamplingOptions.Default.WithProgress(progress).WithCancellation(cancellationToken);
        return BlockSize == 0 ? sampling : sampling.WithBlockSize(BlockSize);
    }
}
