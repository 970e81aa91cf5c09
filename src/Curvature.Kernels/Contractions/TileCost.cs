namespace Curvature.Kernels;

/// <summary>An estimate of the processor cycles that a plan takes, good enough to choose between two plans.</summary>
internal static class TileCost
{
    private const double CyclesPerTile = 20;
    private const double MultiplyAddLatency = 4;
    private const double OperationsPerCycle = 2;

    // Cycles for four bytes.
    private const double Copy = 0.2;
    private const double Transposition = 0.35;
    private const double Gathering = 2;
    private const double WritingAcross = 1.5;

    // Cycles for a row of a tile that goes to C by way of a buffer.
    private const double BufferedRow = 5;

    public static double Cycles(Contraction contraction, TilePlan plan)
    {
        var rowsPacked = plan.RowSide == ContractionSide.A ? contraction.PackedA : contraction.PackedB;
        var columnsPacked = plan.RowSide == ContractionSide.A ? contraction.PackedB : contraction.PackedA;
        return plan.Shape.Batch
            * (Tiles(plan) + (rowsPacked ? 0 : PackingRows(plan)) + (columnsPacked ? 0 : PackingColumns(plan)));
    }

    private static double Tiles(TilePlan plan)
    {
        var cycles = 0.0;
        foreach (var columns in plan.ColumnPanels.GroupBy(panel => (panel.Width, panel.PaddedWidth, panel.ResultSpacing)))
        {
            var vectors = columns.Key.PaddedWidth / plan.Tiling.Vector;
            var sum = 0.0;
            foreach (ref readonly var row in plan.RowPanels.AsSpan())
            {
                var operations = Math.Max(row.Height * vectors, row.Height + vectors) / OperationsPerCycle;
                sum += (plan.Shape.Inner * Math.Max(operations, MultiplyAddLatency))
                    + (plan.DepthBlocks.Length * (CyclesPerTile + Writing(plan, row, columns.First())));
            }

            cycles += sum * columns.Count();
        }

        return cycles;
    }

    private static double Writing(TilePlan plan, in RowPanel row, in ColumnPanel column) =>
        TilePlan.WritesInPlace(row, column) ? row.Height * column.PaddedWidth / plan.Tiling.Vector
        : column.ResultSpacing == 1 ? row.Height * BufferedRow
        : row.Height * column.Width * WritingAcross;

    private static double PackingRows(TilePlan plan)
    {
        var cycles = 0.0;
        foreach (ref readonly var depth in plan.DepthBlocks.AsSpan())
        {
            foreach (ref readonly var panel in plan.RowPanels.AsSpan())
            {
                if (plan.PacksRows || !TilePlan.ReadsInPlace(panel, depth))
                {
                    cycles += Packing(plan, panel.OperandSpacing, depth.RowSpacing, panel.Height, depth.Length);
                }
            }
        }

        return cycles;
    }

    private static double PackingColumns(TilePlan plan)
    {
        var cycles = 0.0;
        foreach (ref readonly var depth in plan.DepthBlocks.AsSpan())
        {
            foreach (ref readonly var panel in plan.ColumnPanels.AsSpan())
            {
                if (plan.PacksColumns || !TilePlan.ReadsInPlace(panel, depth))
                {
                    cycles += Packing(plan, panel.OperandSpacing, depth.ColumnSpacing, panel.PaddedWidth, depth.Length);
                }
            }
        }

        return cycles;
    }

    private static double Packing(TilePlan plan, nint? spacing, nint? depthSpacing, int width, int depth) =>
        (spacing == 1 ? Copy : depthSpacing == 1 ? Transposition : Gathering)
        * width * depth * plan.Tiling.ElementBytes / 4;
}
