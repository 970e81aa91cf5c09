namespace Curvature.Kernels;

/// <summary>An estimate of the processor cycles that a plan takes, good enough to choose between two plans.</summary>
internal static class ContractionCost
{
    private const double CyclesPerTile = 20;
    private const double CyclesPerDotTile = 50;
    private const double MultiplyAddLatency = 4;
    private const double OperationsPerCycle = 2;
    private const double LoadsPerCycle = 1.9;

    // Cycles for four bytes.
    private const double Copy = 0.2;
    private const double Transposition = 0.4;
    private const double Gathering = 2;
    private const double Scattering = 3;
    private const double WritingTransposed = 0.5;

    // Cycles for adding up a vector, and for writing the sum.
    private const double CyclesPerSum = 3;

    // Cycles for a row of a tile that goes to C by way of a buffer.
    private const double BufferedRow = 5;

    /// <summary>The cycles of a tiled contraction.</summary>
    public static double Cycles(TilePlan plan) =>
        plan.Shape.Batch * (Tiles(plan)
            + (plan.RowsArePacked ? 0 : PackingRows(plan))
            + (plan.ColumnsArePacked ? 0 : PackingColumns(plan)));

    /// <summary>The cycles of dot products.</summary>
    public static double Cycles(DotPlan plan)
    {
        var rows = plan.Rows;
        var tiles = (double)plan.ColumnTiles * ((rows + DotPlan.TileRows - 1) / DotPlan.TileRows);
        var rowsPerTile = (double)Math.Min(rows, DotPlan.TileRows);
        var vectors = Math.Ceiling((double)plan.Shape.Inner / plan.Tiling.Vector);
        var operations = Math.Max(rowsPerTile * DotPlan.TileColumns / OperationsPerCycle, MultiplyAddLatency);
        var sums = CyclesPerDotTile + (rowsPerTile * DotPlan.TileColumns * CyclesPerSum);
        var copying = plan.CopiesRows ? (double)rows * plan.Shape.Inner * Gathering * plan.Tiling.ElementBytes / 4 : 0;
        return plan.Shape.Batch * (copying + (tiles * ((vectors * operations) + (plan.Blocks * sums))));
    }

    private static double Tiles(TilePlan plan)
    {
        var cycles = 0.0;
        var alike = plan.ColumnPanels.GroupBy(panel => (panel.Width, panel.PaddedWidth, panel.ResultSpacing));
        foreach (var columns in alike)
        {
            var vectors = columns.Key.PaddedWidth / plan.Tiling.Vector;
            var sum = 0.0;
            foreach (ref readonly var row in plan.RowPanels.AsSpan())
            {
                var operations = Math.Max(
                    row.Height * vectors / OperationsPerCycle, (row.Height + vectors) / LoadsPerCycle);
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
        : row.ResultSpacing == 1 ? column.Width * (BufferedRow + (row.Height * WritingTransposed))
        : row.Height * column.Width * Scattering;

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
