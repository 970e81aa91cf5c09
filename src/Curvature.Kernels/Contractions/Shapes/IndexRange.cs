namespace Curvature.Kernels;

/// <summary>Some consecutive indices.</summary>
/// <param name="Start">The first.</param>
/// <param name="Count">Their number.</param>
internal readonly record struct IndexRange(int Start, int Count)
{
    /// <summary>The index after the last.</summary>
    public int End => Start + Count;

    /// <summary>The part of the range from an index on, of a length at most.</summary>
    public IndexRange From(int start, int most) => new(start, Math.Min(most, End - start));
}
