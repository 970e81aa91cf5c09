namespace Curvature.CSharp;

/// <summary>What every estimator takes: the key of its random vectors, and how many of them are multiplied together.</summary>
public abstract class SamplingOptions
{
    private protected SamplingOptions()
    {
    }

    /// <summary>What decides the random vectors: the same key gives the same ones. Default: <c>Key.OfSeed(0)</c>.</summary>
    public Key Key { get; init; } = Key.OfSeed(0);

    /// <summary>How many vectors are multiplied together, which does not change the vectors; 0 for 16, or as many as fit into 256 MiB.
    /// Default: 0.</summary>
    /// <exception cref="ArgumentRangeException">The size is negative.</exception>
    public int BlockSize
    {
        get;
        init => field = value >= 0
            ? value
            : throw new ArgumentRangeException($"{nameof(BlockSize)}: a size cannot be negative, and this one is {value}");
    }

    /// <summary>The file in which the run is kept. Where it exists, the run goes on from there, and comes to the same bits as one that was
    /// never interrupted. Estimators raise <see cref="DataException"/> for a file that is damaged, cannot be read or written, or belongs to
    /// another run or operator. Default: null, for none.</summary>
    public string? Checkpoint { get; init; }

    internal RunOptions ToRunOptions(IProgress<SamplingProgress>? progress, CancellationToken cancellationToken)
    {
        var run = RunOptions.Default.WithProgress(progress).WithCancellation(cancellationToken);
        run = BlockSize == 0 ? run : run.WithBlockSize(BlockSize);
        return Checkpoint is null ? run : run.WithCheckpoint(Checkpoint);
    }
}
