namespace Curvature;

/// <summary>Groups low … high − 1.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Span([property: Id(0)] int Low, [property: Id(1)] int High);

/// <summary>
/// Who sums what, and whose sums it puts together with its own: a tree of workers. The subtree of a worker has
/// neighbouring groups, so that few partial sums go up.
/// </summary>
[GenerateSerializer, Immutable]
internal sealed record SumPlan(
    [property: Id(0)] string Silo,
    [property: Id(1)] Span[] Groups,
    [property: Id(2)] SumPlan[] Children)
{
    /// <summary>How many workers stand below one another, from this one on.</summary>
    internal int Height => 1 + Children.Select(child => child.Height).DefaultIfEmpty(0).Max();

    /// <summary>This worker and all below it.</summary>
    internal IEnumerable<SumPlan> All => Children.SelectMany(child => child.All).Prepend(this);

    /// <summary>A tree of these shares: the middle one is the root.</summary>
    internal static SumPlan? OfShares(ReadOnlySpan<(string Silo, Span[] Groups)> shares)
    {
        if (shares.IsEmpty)
            return null;
        var middle = shares.Length / 2;
        var (left, right) = (OfShares(shares[..middle]), OfShares(shares[(middle + 1)..]));
        return new SumPlan(
            shares[middle].Silo, shares[middle].Groups, [.. new[] { left, right }.OfType<SumPlan>()]);
    }
}

/// <summary>Why the groups of a worker are not in a sum.</summary>
internal enum MissingReason
{
    /// <summary>The worker is dead, or cannot be reached.</summary>
    Gone,

    /// <summary>It needs much longer than another.</summary>
    Slow,

    /// <summary>It has not been told the point.</summary>
    NeedsPoint,
}

/// <summary>Groups that are not in a sum.</summary>
[GenerateSerializer, Immutable]
internal sealed record MissingGroups(
    [property: Id(0)] string Silo,
    [property: Id(1)] Span[] Groups,
    [property: Id(2)] MissingReason Reason,
    [property: Id(3)] string Detail);

/// <summary>
/// The sums of a worker and of those below it, put together: an answer of a shard server, or null for none; what is
/// missing; and how many bytes went between workers for it.
/// </summary>
[GenerateSerializer, Immutable]
internal sealed record SumReply(
    [property: Id(0)] byte[]? Sums,
    [property: Id(1)] MissingGroups[] Missing,
    [property: Id(2)] long BytesMoved);
