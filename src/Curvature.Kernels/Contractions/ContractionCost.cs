namespace Curvature.Kernels;

/// <summary>An estimate of the processor cycles that a plan takes, good enough to choose between two plans.</summary>
internal static class ContractionCost
{
    private const double CyclesPerTile = 20;
    private const double CyclesPerDotTile = 50;
    private const double MultiplyAddLatency = 4;
    private const double OperationsPerCycle = 2;
    private const double LoadsPerCycle = 1.9;

    // Cycles for a run of a panel that is copied, for four bytes of one that is transposed, and for an element of one
    // that is gathered.
    private const double CopiedRun = 5;
    private const double Transposition = 0.4;
    private const double Gathering = 2;

    // Cycles for adding up a vector, and for writing the sum.
    private const double CyclesPerSum = 3;

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
        var copying = plan.CopiesRows ? (double)rows * plan.Shape.Inner * Gathering : 0;
        return plan.Shape.Batch * (copying + (tiles * ((vectors * operations) + (plan.Blocks * sums))));
    }

    private static double Tiles(TilePlan plan)
    {
        // Most panels of columns are alike, and a panel like the last costs the same.
        var sum = 0.0;
        var cycles = 0.0;
        for (var j = 0; j < plan.ColumnPanels.Length; j++)
        {
            ref readonly var column = ref plan.ColumnPanels[j];
            ref readonly var last = ref plan.ColumnPanels[Math.Max(j, 1) - 1];
            if (j == 0 || column.Width != last.Width || column.Result != last.Result)
            {
                cycles = Tiles(plan, column);
            }

            sum += cycles;
        }

        return sum;
    }

    private static double Tiles(TilePlan plan, in ColumnPanel column)
    {
        var vectors = column.PaddedWidth / plan.Tiling.Vector;
        var cycles = 0.0;
        foreach (ref readonly var row in plan.RowPanels.AsSpan())
        {
            var operations = Math.Max(
                row.Height * vectors / OperationsPerCycle, (row.Height + vectors) / LoadsPerCycle);
            cycles += (plan.Shape.Inner * Math.Max(operations, MultiplyAddLatency))
                + (plan.DepthBlocks.Length * (CyclesPerTile + Writing(plan, row, column)));
        }

        return cycles;
    }

    private static double Writing(TilePlan plan, in RowPanel row, in ColumnPanel column) =>
        TilePlan.WritesInPlace(row, column)
            ? row.Height * column.PaddedWidth / plan.Tiling.Vector
            : WritingMethods.Cycles(row, column);

    private static double PackingRows(TilePlan plan)
    {
        var cycles = 0.0;
        foreach (ref readonly var depth in plan.DepthBlocks.AsSpan())
        {
            foreach (ref readonly var panel in plan.RowPanels.AsSpan())
            {
                if (plan.PacksRows || !TilePlan.ReadsInPlace(panel, depth))
                {
                    cycles += Packing(plan, panel.Operand, depth.RowOperand, panel.Height, depth.Length);
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
                    cycles += Packing(plan, panel.Operand, depth.ColumnOperand, panel.Width, depth.Length);
                }
            }
        }

        return cycles;
    }

    private static double Packing(TilePlan plan, OffsetPattern free, OffsetPattern inner, int count, int depth) =>
        depth * PackingMethods.Choose(free, count, inner) switch
        {
            PackingMethod.Copying => CopiedRun * free.Runs,
            PackingMethod.Transposition => Transposition * count * plan.Tiling.ElementBytes / 4,
            _ => Gathering * count,
        };
}
