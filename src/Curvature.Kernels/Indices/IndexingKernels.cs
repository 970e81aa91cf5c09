using System.Diagnostics.CodeAnalysis;

namespace Curvature.Kernels;

/// <summary>Makes gather and scatter-add kernels.</summary>
internal static class IndexingKernels
{
    /// <summary>The kernel of a gather.</summary>
    public static Kernel Gather(IndexingDescription indexing, ThreadTeam team)
    {
        Validate(indexing);
        return indexing.DType == DType.Float64
            ? new GatherKernel<ulong>(indexing, team)
            : new GatherKernel<uint>(indexing, team);
    }

    /// <summary>The kernel of a scatter-add.</summary>
    public static Kernel ScatterAdd(IndexingDescription indexing, ThreadTeam team)
    {
        Validate(indexing);
        return indexing.DType switch
        {
            DType.Float32 => new ScatterAddKernel<float>(indexing, team),
            DType.Float64 => new ScatterAddKernel<double>(indexing, team),
            _ => new ScatterAddKernel<int>(indexing, team),
        };
    }

    /// <summary>Reports an index that is out of range.</summary>
    [DoesNotReturn]
    public static void ThrowOutOfRange(IndexingSizes sizes, long batch, int position, int index)
    {
        var place = sizes.Batch == 1 ? $"position {position}" : $"position [{batch}, {position}]";
        throw new ArgumentRangeException(
            sizes.Length == 0
                ? $"index: Expected no index into an empty axis, got {index} at {place}."
                : $"index: Expected an index from 0 to {sizes.Length - 1}, got {index} at {place}.");
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(IndexingDescription indexing)
    {
        ArgumentNullException.ThrowIfNull(indexing);
        Check.Known(indexing.DType, nameof(IndexingDescription.DType));
        var (batch, outer, length, count, inner) = indexing.Sizes;
        Check.NotNegative(batch, nameof(IndexingSizes.Batch));
        Check.NotNegative(outer, nameof(IndexingSizes.Outer));
        Check.NotNegative(length, nameof(IndexingSizes.Length));
        Check.NotNegative(count, nameof(IndexingSizes.Count));
        Check.NotNegative(inner, nameof(IndexingSizes.Inner));
        Check.Place(indexing.Source, nameof(IndexingDescription.Source));
        Check.Place(indexing.Index, nameof(IndexingDescription.Index));
        Check.Place(indexing.Target, nameof(IndexingDescription.Target));
    }
}
