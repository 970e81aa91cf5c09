namespace Curvature.Kernels;

/// <summary>Rows of C, and of the operand that carries them, that make one tile high.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Operand">From one row to the next in the operand.</param>
/// <param name="Result">From one row to the next in C.</param>
internal readonly record struct RowPanel(IndexRange Rows, OffsetPattern Operand, OffsetPattern Result)
{
    public int Height => Rows.Count;
}

/// <summary>Columns of C, and of the operand that carries them, that make one tile wide.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="PaddedWidth">Their number, up to whole vectors.</param>
/// <param name="Operand">From one column to the next in the operand.</param>
/// <param name="Result">From one column to the next in C.</param>
internal readonly record struct ColumnPanel(
    IndexRange Columns, int PaddedWidth, OffsetPattern Operand, OffsetPattern Result)
{
    public int Width => Columns.Count;
}

/// <summary>A range of the inner index.</summary>
/// <param name="Inner">The inner indices.</param>
/// <param name="RowOperand">From one to the next in the rows' operand.</param>
/// <param name="ColumnOperand">From one to the next in the columns' operand.</param>
internal readonly record struct DepthBlock(IndexRange Inner, OffsetPattern RowOperand, OffsetPattern ColumnOperand)
{
    public int Length => Inner.Count;
}

/// <summary>How a contraction is cut into tiles, and which operands are rearranged first.</summary>
internal sealed class TilePlan : ContractionPlan
{
    // Measured on a core with 1 MiB of second-level cache; anything from half to twice as much does as well.
    private const long LargestUnpackedBytes = 600 * 1024;
    private const int FewestReads = 4;

    public TilePlan(ContractionDescription contraction, ContractionShape shape, Tiling tiling, bool swapped)
        : base(contraction, shape, tiling, swapped)
    {
        RowPanels = CutRows();
        ColumnPanels = CutColumns();
        DepthBlocks = CutDepth();
    }

    public RowPanel[] RowPanels { get; }

    public ColumnPanel[] ColumnPanels { get; }

    public DepthBlock[] DepthBlocks { get; }

    /// <summary>The columns, up to whole vectors.</summary>
    public int PaddedColumns =>
        ColumnPanels.Length == 0 ? 0 : ColumnPanels[^1].Columns.Start + ColumnPanels[^1].PaddedWidth;

    public PackedPanels PackedRows => new(Rows);

    public PackedPanels PackedColumns => new(PaddedColumns);

    public PackedBatch PackedRowBatch => new(RowOperand.Batch, (long)Rows * Shape.Inner);

    public PackedBatch PackedColumnBatch => new(ColumnOperand.Batch, (long)PaddedColumns * Shape.Inner);

    /// <inheritdoc/>
    public override PackedBatch PackedBatchOf(ContractionSide side) =>
        side == RowSide ? PackedRowBatch : PackedColumnBatch;

    /// <summary>The length of the longest block of inner indices.</summary>
    public int LongestDepth => DepthBlocks[0].Length;

    /// <summary>Panels of the rows' operand are copied before use, even where tiles could read them in place.</summary>
    public bool PacksRows => Pays(Rows, ColumnPanels.Length);

    /// <summary>Panels of the columns' operand are copied before use, even where tiles could read them in
    /// place.</summary>
    public bool PacksColumns => Pays(Columns, RowPanels.Length);

    /// <summary>A run copies the rows' operand.</summary>
    public bool CopiesRows => !RowsArePacked
        && RowPanels.Length > 0 && (PacksRows || !ReadsInPlace(RowPanels[0], DepthBlocks[0]));

    /// <summary>A run copies the columns' operand.</summary>
    public bool CopiesColumns => !ColumnsArePacked
        && ColumnPanels.Length > 0 && (PacksColumns || !ReadsInPlace(ColumnPanels[0], DepthBlocks[0]));

    /// <summary>A tile reads a panel of the rows' operand where it lies if that is evenly spaced.</summary>
    public static bool ReadsInPlace(in RowPanel panel, in DepthBlock depth) =>
        panel.Operand.Spacing is not null && depth.RowOperand.Spacing is not null;

    /// <summary>A tile reads a panel of the columns' operand where it lies if its rows are whole vectors.</summary>
    public static bool ReadsInPlace(in ColumnPanel panel, in DepthBlock depth) =>
        panel.Operand.Spacing == 1 && panel.Width == panel.PaddedWidth && depth.ColumnOperand.Spacing is not null;

    /// <summary>A tile is written where it belongs, not by way of a buffer.</summary>
    public static bool WritesInPlace(in RowPanel row, in ColumnPanel column) =>
        row.Result.Spacing is not null && column.Result.Spacing == 1 && column.Width == column.PaddedWidth;

    /// <summary>Panels of equal height, give or take one: a low panel at the end would run at a fraction of the
    /// speed.</summary>
    private RowPanel[] CutRows()
    {
        var panels = new RowPanel[CeilingDivide(Rows, Tiling.Rows)];
        for (int i = 0, start = 0; i < panels.Length; i++)
        {
            var rows = new IndexRange(start, (Rows / panels.Length) + (i < Rows % panels.Length ? 1 : 0));
            panels[i] = new RowPanel(rows, RowOperand.Free.Pattern(rows), RowResult.Pattern(rows));
            start = rows.End;
        }

        return panels;
    }

    private ColumnPanel[] CutColumns()
    {
        var panels = new ColumnPanel[CeilingDivide(Columns, Tiling.Columns)];
        for (var i = 0; i < panels.Length; i++)
        {
            var columns = new IndexRange(0, Columns).From(i * Tiling.Columns, Tiling.Columns);
            var padded = CeilingDivide(columns.Count, Tiling.Vector) * Tiling.Vector;
            panels[i] = new ColumnPanel(
                columns, padded, ColumnOperand.Free.Pattern(columns), ColumnResult.Pattern(columns));
        }

        return panels;
    }

    /// <summary>Blocks of equal length, give or take one. An empty sum is one block of length 0, which writes
    /// zeros.</summary>
    private DepthBlock[] CutDepth()
    {
        var inner = Shape.Inner;
        var blocks = new DepthBlock[Math.Max(1, CeilingDivide(inner, Tiling.Depth))];
        for (int i = 0, start = 0; i < blocks.Length; i++)
        {
            var block = new IndexRange(start, (inner / blocks.Length) + (i < inner % blocks.Length ? 1 : 0));
            blocks[i] = new DepthBlock(block, RowOperand.Inner.Pattern(block), ColumnOperand.Inner.Pattern(block));
            start = block.End;
        }

        return blocks;
    }

    /// <summary>Whether to pack an operand that could be read in place: it pays for one that is read often, and too
    /// large to stay in the second-level cache.</summary>
    private bool Pays(int freeIndices, int reads) =>
        reads >= FewestReads && (long)freeIndices * Shape.Inner * Tiling.ElementBytes > LargestUnpackedBytes;

    private static int CeilingDivide(int dividend, int divisor) =>
        (dividend / divisor) + (dividend % divisor == 0 ? 0 : 1);
}
