namespace Curvature.Kernels;

/// <summary>The sizes in which a family of micro-kernels cuts a product.</summary>
/// <param name="ElementBytes">Bytes of an element.</param>
/// <param name="Vector">Elements of a vector.</param>
/// <param name="Rows">Rows of the tallest tile.</param>
internal sealed record Tiling(int ElementBytes, int Vector, int Rows)
{
    // A panel of the columns' operand, Depth × Columns, should fit the first-level cache beside the rows' panel that
    // passes by; a block of the rows' operand half of the second-level cache.
    private const int FirstLevelBytes = 40 * 1024;
    private const int RowBlockBytes = 320 * 1024;
    private const int ColumnBlockBytes = 2 * 1024 * 1024;

    /// <summary>Columns of the widest tile.</summary>
    public int Columns => 2 * Vector;

    /// <summary>The most inner indices that are multiplied before a tile goes back to C.</summary>
    public int Depth => FirstLevelBytes / ElementBytes / Columns;

    /// <summary>Row panels that are packed at a time.</summary>
    public int RowPanelsPerBlock => RowBlockBytes / (ElementBytes * Depth * Rows);

    /// <summary>Column panels that are packed at a time.</summary>
    public int ColumnPanelsPerBlock => ColumnBlockBytes / (ElementBytes * Depth * Columns);
}
