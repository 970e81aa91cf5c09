namespace Curvature.Kernels;

/// <summary>How a tile goes from its buffer to C.</summary>
internal enum WritingMethod
{
    /// <summary>Row by row, by runs of contiguous columns.</summary>
    Rows,

    /// <summary>Transposed, then column by column, by runs of contiguous rows.</summary>
    Columns,

    /// <summary>Element by element.</summary>
    Elements,
}

/// <summary>Chooses how a tile goes from its buffer to C.</summary>
internal static class WritingMethods
{
    // Processor cycles.
    private const double Run = 5;
    private const double Element = 3;
    private const double TransposedElement = 0.5;

    public static WritingMethod Choose(in RowPanel row, in ColumnPanel column)
    {
        var rows = Cycles(row, column, WritingMethod.Rows);
        var columns = Cycles(row, column, WritingMethod.Columns);
        return Math.Min(rows, columns) > Cycles(row, column, WritingMethod.Elements) ? WritingMethod.Elements
            : columns < rows ? WritingMethod.Columns
            : WritingMethod.Rows;
    }

    /// <summary>The cycles of the best method.</summary>
    public static double Cycles(in RowPanel row, in ColumnPanel column) => Cycles(row, column, Choose(row, column));

    private static double Cycles(in RowPanel row, in ColumnPanel column, WritingMethod method) => method switch
    {
        WritingMethod.Rows => row.Height * column.Result.Runs * Run,
        WritingMethod.Columns => column.Width * ((row.Result.Runs * Run) + (row.Height * TransposedElement)),
        _ => row.Height * column.Width * Element,
    };
}
