using System.Numerics;

namespace Curvature.Kernels;

/// <summary>Writes an operand as the panels that a tiled contraction reads.</summary>
internal sealed unsafe class TilePacking<V, T>(
    Contraction contraction, TilePlan plan, ContractionSide side, int target) : Kernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PackedBatch _batch = plan.RowSide == side ? plan.PackedRowBatch : plan.PackedColumnBatch;

    /// <inheritdoc/>
    public override string Name => plan.Shape.DescribePacking(side);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var source = contraction.Operand<T>(side, slots);
        var packed = (T*)slots[target];
        foreach (var matrix in _batch.Matrices)
        {
            foreach (ref readonly var depth in plan.DepthBlocks.AsSpan())
            {
                if (plan.RowSide == side)
                {
                    PackRows(source + matrix, depth, packed);
                }
                else
                {
                    PackColumns(source + matrix, depth, packed);
                }
            }

            packed += _batch.MatrixElements;
        }
    }

    private void PackRows(T* source, in DepthBlock depth, T* packed)
    {
        var operand = plan.RowOperand;
        foreach (ref readonly var panel in plan.RowPanels.AsSpan())
        {
            PanelPacking<V, T>.Pack(
                source, operand.Free, panel.Start, panel.Height, operand.Inner, depth.Start, depth.Length,
                packed + plan.PackedRows.Start(depth, panel.Start), panel.Height);
        }
    }

    private void PackColumns(T* source, in DepthBlock depth, T* packed)
    {
        var operand = plan.ColumnOperand;
        foreach (ref readonly var panel in plan.ColumnPanels.AsSpan())
        {
            PanelPacking<V, T>.Pack(
                source, operand.Free, panel.Start, panel.Width, operand.Inner, depth.Start, depth.Length,
                packed + plan.PackedColumns.Start(depth, panel.Start), panel.PaddedWidth);
        }
    }
}
