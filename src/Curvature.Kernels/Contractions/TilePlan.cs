namespace Curvature.Kernels;

/// <summary>Rows of C, and of the operand that carries them, that make one tile high.</summary>
/// <param name="Start">The first row.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="OperandSpacing">From one row to the next in the operand; null if that varies.</param>
/// <param name="ResultSpacing">From one row to the next in C; null if that varies.</param>
internal readonly record struct RowPanel(int Start, int Height, nint? OperandSpacing, nint? ResultSpacing);

/// <summary>Columns of C, and of the operand that carries them, that make one tile wide.</summary>
/// <param name="Start">The first column.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="PaddedWidth">The same, up to whole vectors.</param>
/// <param name="OperandSpacing">From one column to the next in the operand; null if that varies.</param>
/// <param name="ResultSpacing">From one column to the next in C; null if that varies.</param>
internal readonly record struct ColumnPanel(
    int Start, int Width, int PaddedWidth, nint? OperandSpacing, nint? ResultSpacing);

/// <summary>A range of the inner index.</summary>
/// <param name="Start">The first inner index.</param>
/// <param name="Length">The number of inner indices.</param>
/// <param name="RowSpacing">From one to the next in the rows' operand; null if that varies.</param>
/// <param name="ColumnSpacing">From one to the next in the columns' operand; null if that varies.</param>
internal readonly record struct DepthBlock(int Start, int Length, nint? RowSpacing, nint? ColumnSpacing);

/// <summary>How a contraction is cut into tiles, and which operands are rearranged first.</summary>
internal sealed class TilePlan : ContractionPlan
{
    // Measured on a core with 1 MiB of second-level cache; anything from half to twice as much does as well.
    private const long LargestUnpackedBytes = 600 * 1024;
    private const int FewestReads = 4;

    public TilePlan(Contraction contraction, ContractionShape shape, Tiling tiling, bool swapped)
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
    public int PaddedColumns => ColumnPanels.Length == 0 ? 0 : ColumnPanels[^1].Start + ColumnPanels[^1].PaddedWidth;

    public PackedPanels PackedRows => new(Rows);

    public PackedPanels PackedColumns => new(PaddedColumns);

    public PackedBatch PackedRowBatch => new(RowOperand.Batch, (long)Rows * Shape.Inner);

    public PackedBatch PackedColumnBatch => new(ColumnOperand.Batch, (long)PaddedColumns * Shape.Inner);

    /// <summary>The length of the longest block of inner indices.</summary>
    public int LongestDepth => DepthBlocks[0].Length;

    /// <summary>Panels of the rows' operand are copied before use, even where tiles could read them in place.</summary>
    public bool PacksRows => Pays(Rows, ColumnPanels.Length);

    /// <summary>Panels of the columns' operand are copied before use, even where tiles could read them in
    /// place.</summary>
    public bool PacksColumns => Pays(Columns, RowPanels.Length);

    /// <summary>A run copies panels of the rows' operand.</summary>
    public bool CopiesRows => !RowsArePacked
        && (PacksRows || !RowPanels.All(panel => ReadsInPlace(panel, DepthBlocks[0])));

    /// <summary>A run copies panels of the columns' operand.</summary>
    public bool CopiesColumns => !ColumnsArePacked
        && (PacksColumns || !ColumnPanels.All(panel => ReadsInPlace(panel, DepthBlocks[0])));

    /// <summary>A tile reads a panel of the rows' operand where it lies if that is evenly spaced.</summary>
    public static bool ReadsInPlace(in RowPanel panel, in DepthBlock depth) =>
        panel.OperandSpacing is not null && depth.RowSpacing is not null;

    /// <summary>A tile reads a panel of the columns' operand where it lies if its rows are whole vectors.</summary>
    public static bool ReadsInPlace(in ColumnPanel panel, in DepthBlock depth) =>
        panel.OperandSpacing == 1 && panel.Width == panel.PaddedWidth && depth.ColumnSpacing is not null;

    /// <summary>A tile is written where it belongs, not by way of a buffer.</summary>
    public static bool WritesInPlace(in RowPanel row, in ColumnPanel column) =>
        row.ResultSpacing is not null && column.ResultSpacing == 1 && column.Width == column.PaddedWidth;

    /// <summary>Panels of equal height, give or take one: a low panel at the end would run at a fraction of the
    /// speed.</summary>
    private RowPanel[] CutRows()
    {
        var panels = new RowPanel[CeilingDivide(Rows, Tiling.Rows)];
        for (int i = 0, start = 0; i < panels.Length; i++)
        {
            var height = (Rows / panels.Length) + (i < Rows % panels.Length ? 1 : 0);
            panels[i] = new RowPanel(
                start, height, RowOperand.Free.Spacing(start, height), RowResult.Spacing(start, height));
            start += height;
        }

        return panels;
    }

    private ColumnPanel[] CutColumns()
    {
        var panels = new ColumnPanel[CeilingDivide(Columns, Tiling.Columns)];
        for (var i = 0; i < panels.Length; i++)
        {
            var start = i * Tiling.Columns;
            var width = Math.Min(Tiling.Columns, Columns - start);
            var padded = CeilingDivide(width, Tiling.Vector) * Tiling.Vector;
            panels[i] = new ColumnPanel(
                start, width, padded, ColumnOperand.Free.Spacing(start, width), ColumnResult.Spacing(start, width));
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
            var length = (inner / blocks.Length) + (i < inner % blocks.Length ? 1 : 0);
            blocks[i] = new DepthBlock(
                start, length, RowOperand.Inner.Spacing(start, length), ColumnOperand.Inner.Spacing(start, length));
            start += length;
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
