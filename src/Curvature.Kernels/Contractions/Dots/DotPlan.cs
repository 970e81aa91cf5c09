namespace Curvature.Kernels;

/// <summary>How a contraction is computed as dot products: the inner index is contiguous in the operand with more free
/// indices, its columns; the other operand's rows are copied first where it is not contiguous in them. This suits
/// matrices with few rows or columns, where a tile would use a small part of each vector, or would have to be
/// transposed first.</summary>
internal sealed class DotPlan : ContractionPlan
{
    /// <summary>Rows and columns of a tile.</summary>
    public const int TileRows = 4;
    public const int TileColumns = 4;

    // The rows are read again for every tile of columns and should stay in the second-level cache.
    private const long LargestRowBytes = 256 * 1024;

    // Partial sums of this many elements are added in double precision.
    private const int BlockLength = 1024;

    private DotPlan(ContractionDescription contraction, ContractionShape shape, Tiling tiling)
        : base(contraction, shape, tiling, swapped: shape.Left > shape.Right)
    {
        CopiesRows = !RowsArePacked && RowOperand.Inner.Pattern(new(0, shape.Inner)).Spacing != 1;
    }

    /// <summary>The inner index is not contiguous in the rows.</summary>
    public bool CopiesRows { get; }

    /// <summary>Elements of all the rows of one matrix.</summary>
    public long RowElements => (long)Rows * Shape.Inner;

    public PackedBatch PackedRowBatch => new(RowOperand.Batch, RowElements);

    /// <inheritdoc/>
    public override PackedBatch PackedBatchOf(ContractionSide side) => PackedRowBatch;

    /// <summary>The inner index is cut into this many blocks; the last is the longest.</summary>
    public int Blocks => Math.Max(1, Shape.Inner / BlockLength);

    public int ColumnTiles => (Columns + TileColumns - 1) / TileColumns;

    /// <summary>The plan, or null if the contraction is not one for dot products.</summary>
    public static DotPlan? Of(ContractionDescription contraction, ContractionShape shape, Tiling tiling)
    {
        var plan = new DotPlan(contraction, shape, tiling);
        var contiguous = plan.ColumnOperand.Inner.Pattern(new(0, shape.Inner)).Spacing == 1;
        var rowsStayInCache = plan.RowElements * tiling.ElementBytes <= LargestRowBytes;
        var fits = shape.Inner >= tiling.Vector && (rowsStayInCache || plan.ReadsRowsOnce);
        return contiguous && fits && !plan.ColumnsArePacked ? plan : null;
    }

    private bool ReadsRowsOnce => Rows <= TileRows && !CopiesRows;

    /// <summary>Where a block begins, and how long it is.</summary>
    public (int Start, int Length) Block(int block)
    {
        var start = block * BlockLength;
        return (start, block == Blocks - 1 ? Shape.Inner - start : BlockLength);
    }
}
