namespace Curvature;

/// <summary>The shards of one silo, whose address is the grain's key.</summary>
[Alias("Curvature.IShardGrain")]
internal interface IShardGrain : IGrainWithStringKey
{
    /// <summary>The answer of this silo's server to a message.</summary>
    [Alias("Answer")]
    Task<byte[]> Answer([Immutable] byte[] message);

    /// <summary>
    /// The answers to a question about groups of this worker and of those below it, put together. The number of the
    /// call is what <see cref="IsAtWork"/> is asked by.
    /// </summary>
    [Alias("Sum")]
    Task<SumReply> Sum(long call, SumPlan plan, [Immutable] byte[] question, SumPatience patience);

    /// <summary>Whether a call came, and has not been answered yet.</summary>
    [Alias("IsAtWork")]
    Task<bool> IsAtWork(long call);

    /// <summary>How many calls have not been answered yet.</summary>
    [Alias("Calls")]
    Task<int> Calls();
}

/// <summary>How long a worker waits for those below it, beside its own time.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct SumPatience(
    [property: Id(0)] double Factor, [property: Id(1)] TimeSpan Least, [property: Id(2)] TimeSpan Silence)
{
    /// <summary>How long a subtree may take, where a worker took so long for its own groups.</summary>
    internal TimeSpan Limit(SumPlan plan, TimeSpan own) => plan.Height * (Least + Factor * own);
}

/// <summary>A call of a worker, and what it is about.</summary>
internal sealed record SumCall(long Number, SumPlan Plan, byte[] Question, SumPatience Patience);
