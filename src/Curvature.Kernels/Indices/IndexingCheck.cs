using System.Diagnostics.CodeAnalysis;

namespace Curvature.Kernels;

/// <summary>Checks of gathers and scatters.</summary>
internal static class IndexingCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(Indexing indexing)
    {
        ArgumentNullException.ThrowIfNull(indexing);
        Check.Known(indexing.DType, nameof(Indexing.DType));
        Check.NotNegative(indexing.Batch, nameof(Indexing.Batch));
        Check.NotNegative(indexing.Outer, nameof(Indexing.Outer));
        Check.NotNegative(indexing.Length, nameof(Indexing.Length));
        Check.NotNegative(indexing.Count, nameof(Indexing.Count));
        Check.NotNegative(indexing.Inner, nameof(Indexing.Inner));
        Check.NotNegative(indexing.SourceSlot, nameof(Indexing.SourceSlot));
        Check.NotNegative(indexing.SourceOffset, nameof(Indexing.SourceOffset));
        Check.NotNegative(indexing.IndexSlot, nameof(Indexing.IndexSlot));
        Check.NotNegative(indexing.IndexOffset, nameof(Indexing.IndexOffset));
        Check.NotNegative(indexing.TargetSlot, nameof(Indexing.TargetSlot));
        Check.NotNegative(indexing.TargetOffset, nameof(Indexing.TargetOffset));
    }

    /// <summary>Reports an index that is out of range.</summary>
    [DoesNotReturn]
    public static void ThrowOutOfRange(Indexing indexing, long batch, int position, int index)
    {
        var place = indexing.Batch == 1 ? $"position {position}" : $"position [{batch}, {position}]";
        throw new ArgumentRangeException(
            indexing.Length == 0
                ? $"index: Expected no index into an empty axis, got {index} at {place}."
                : $"index: Expected an index from 0 to {indexing.Length - 1}, got {index} at {place}.");
    }
}
