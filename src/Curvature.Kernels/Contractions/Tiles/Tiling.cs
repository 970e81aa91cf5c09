namespace Curvature.Kernels;

/// <summary>The sizes in which a family of micro-kernels cuts a product.</summary>
/// <param name="ElementBytes">Bytes of an element.</param>
/// <param name="Vector">Elements of a vector.</param>
/// <param name="Rows">Rows of the tallest tile.</param>
internal sealed record Tiling(int ElementBytes, int Vector, int Rows)
{
    // A panel of the columns' operand, Depth × Columns, stays in the first-level cache while panels of the rows'
    // operand pass by. A block of the rows' operand stays in the second-level cache, and one of the columns' operand
    // in the third.
    private const int FirstLevelBytes = 28 * 1024;
    private const int RowBlockBytes = 320 * 1024;
    private const int ColumnBlockBytes = 2 * 1024 * 1024;

    // Sums of float32 lose accuracy with their length; those of blocks lose it with the length of a block.
    private const int MostDepth = 512;

    /// <summary>Columns of the widest tile.</summary>
    public int Columns => 2 * Vector;

    /// <summary>The rows of the tallest tile, up to whole vectors.</summary>
    public int PaddedRows => (Rows + Vector - 1) / Vector * Vector;

    /// <summary>The most inner indices that are multiplied before a tile goes back to C.</summary>
    public int Depth => Math.Min(MostDepth, FirstLevelBytes / ElementBytes / Columns);

    /// <summary>Row panels that are packed at a time.</summary>
    public int RowPanelsPerBlock => RowBlockBytes / (ElementBytes * Depth * Rows);

    /// <summary>Column panels that are packed at a time.</summary>
    public int ColumnPanelsPerBlock => ColumnBlockBytes / (ElementBytes * Depth * Columns);
}
