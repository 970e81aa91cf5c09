using System.Numerics;

namespace Curvature.Kernels;

/// <summary>Writes an operand in its packed form.</summary>
internal sealed unsafe class PackKernel<TSimd, TVector, T>(TilePlan plan, PackedLayout layout, int source, long offset, int target)
    : Kernel
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The bytes of the packed operand. The last panel of rows may be followed by part of a vector.</summary>
    public static long Bytes(PackedLayout layout) =>
        ((layout.MatrixElements * layout.Matrices.Length) + TSimd.Count) * sizeof(T);

    /// <inheritdoc/>
    public override string Name =>
        $"pack {(plan.Swapped == layout.IsRows ? 'B' : 'A')} {layout.Matrices.Length}×{layout.Width}×{plan.Shape.Inner}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var from = (T*)slots[source] + offset;
        var to = (T*)slots[target];
        foreach (var matrix in layout.Matrices)
        {
            foreach (ref readonly var depth in plan.DepthBlocks.AsSpan())
            {
                if (layout.IsRows)
                {
                    PackRows(from + matrix, depth, to);
                }
                else
                {
                    PackColumns(from + matrix, depth, to);
                }
            }

            to += layout.MatrixElements;
        }
    }

    private void PackRows(T* from, in DepthBlock depth, T* to)
    {
        var operand = plan.RowOperand;
        foreach (ref readonly var panel in plan.RowPanels.AsSpan())
        {
            PanelPacking<TSimd, TVector, T>.Pack(
                from, operand.Free, panel.Start, panel.Height, operand.Inner, depth.Start, depth.Length,
                to + layout.PanelStart(depth, panel.Start), panel.Height);
        }
    }

    private void PackColumns(T* from, in DepthBlock depth, T* to)
    {
        var operand = plan.ColumnOperand;
        foreach (ref readonly var panel in plan.ColumnPanels.AsSpan())
        {
            PanelPacking<TSimd, TVector, T>.Pack(
                from, operand.Free, panel.Start, panel.Width, operand.Inner, depth.Start, depth.Length,
                to + layout.PanelStart(depth, panel.Start), panel.PaddedWidth);
        }
    }
}
