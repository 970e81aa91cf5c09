namespace Curvature.Kernels;

/// <summary>Where the panels of a packed operand lie in its packed matrix: for each block of inner indices, panel after
/// panel, each (inner indices) × (its rows, or padded columns).</summary>
internal readonly struct PackedPanels(int width)
{
    /// <summary>Where a panel begins.</summary>
    public nint Start(in DepthBlock depth, int firstFreeIndex) =>
        ((nint)depth.Inner.Start * width) + ((nint)firstFreeIndex * depth.Length);
}
