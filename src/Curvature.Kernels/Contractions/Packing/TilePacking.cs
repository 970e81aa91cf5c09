namespace Curvature.Kernels;

/// <summary>Writes an operand as the panels that a tiled contraction reads.</summary>
internal sealed unsafe class TilePacking<V, T>(
    ContractionDescription contraction, TilePlan plan, ContractionSide side, int target) : Kernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PackedBatch _batch = plan.PackedBatchOf(side);

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
        foreach (ref readonly var panel in plan.RowPanels.AsSpan())
        {
            var place = packed + plan.PackedRows.Start(depth, panel.Rows.Start);
            PanelPacking<V, T>.Pack(source, plan.RowOperand, panel.Rows, depth.Inner, place, panel.Height);
        }
    }

    private void PackColumns(T* source, in DepthBlock depth, T* packed)
    {
        foreach (ref readonly var panel in plan.ColumnPanels.AsSpan())
        {
            var place = packed + plan.PackedColumns.Start(depth, panel.Columns.Start);
            PanelPacking<V, T>.Pack(source, plan.ColumnOperand, panel.Columns, depth.Inner, place, panel.PaddedWidth);
        }
    }
}
