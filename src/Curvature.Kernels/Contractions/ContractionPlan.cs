namespace Curvature.Kernels;

/// <summary>How a contraction is computed: which operand lies along the rows of a tile of C and which along its
/// columns, and, in the derived classes, where the tiles are and how they are computed.</summary>
internal abstract class ContractionPlan
{
    protected ContractionPlan(ContractionDescription contraction, ContractionShape shape, Tiling tiling, bool swapped)
    {
        Shape = shape;
        Tiling = tiling;
        RowSide = swapped ? ContractionSide.B : ContractionSide.A;
        ColumnSide = swapped ? ContractionSide.A : ContractionSide.B;
        RowOperand = swapped ? shape.B : shape.A;
        ColumnOperand = swapped ? shape.A : shape.B;
        RowResult = swapped ? shape.C.Right : shape.C.Left;
        ColumnResult = swapped ? shape.C.Left : shape.C.Right;
        RowsArePacked = contraction.Packed == RowSide;
        ColumnsArePacked = contraction.Packed == ColumnSide;
    }

    public ContractionShape Shape { get; }

    public Tiling Tiling { get; }

    /// <summary>The operand that lies along the rows. If it is B, the transposed product is computed.</summary>
    public ContractionSide RowSide { get; }

    /// <summary>The operand that lies along the columns.</summary>
    public ContractionSide ColumnSide { get; }

    public OperandOffsets RowOperand { get; }

    public OperandOffsets ColumnOperand { get; }

    public OffsetTable RowResult { get; }

    public OffsetTable ColumnResult { get; }

    public bool RowsArePacked { get; }

    public bool ColumnsArePacked { get; }

    /// <summary>The packed matrices of an operand.</summary>
    public abstract PackedBatch PackedBatchOf(ContractionSide side);

    public int Rows => RowResult.Count;

    public int Columns => ColumnResult.Count;
}
