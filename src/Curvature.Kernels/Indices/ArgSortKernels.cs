namespace Curvature.Kernels;

/// <summary>Makes the kernels that sort.</summary>
internal static class ArgSortKernels
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(ArgSortDescription sort, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(sort);
        Check.Known(sort.DType, nameof(ArgSortDescription.DType));
        Check.NotNegative(sort.Rows, nameof(ArgSortDescription.Rows));
        Check.NotNegative(sort.Length, nameof(ArgSortDescription.Length));
        Check.Place(sort.Source, nameof(ArgSortDescription.Source));
        Check.Place(sort.Target, nameof(ArgSortDescription.Target));
        return sort.DType switch
        {
            DType.Float32 => new ArgSortKernel<float>(sort, team),
            DType.Float64 => new ArgSortKernel<double>(sort, team),
            _ => new ArgSortKernel<int>(sort, team),
        };
    }
}
