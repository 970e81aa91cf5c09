namespace Curvature.Kernels;

/// <summary>A matrix of numbers in a span, or its transpose.</summary>
/// <typeparam name="T">The element.</typeparam>
public readonly ref struct MatrixSpan<T>
{
    /// <summary>A row-major matrix: element (i, j) is at i·leading + j.</summary>
    /// <param name="elements">The span.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="leading">From one row to the next; no less than the columns, and at least 1.</param>
    /// <exception cref="DescriptionException">A size is negative, the leading dimension too small, or the span too
    /// short.</exception>
    public MatrixSpan(ReadOnlySpan<T> elements, int rows, int columns, int leading)
    {
        Check(elements.Length, rows, columns, leading);
        Elements = elements;
        (Rows, Columns) = (rows, columns);
        (RowStride, ColumnStride) = (leading, 1);
    }

    private MatrixSpan(MatrixSpan<T> transposed)
    {
        Elements = transposed.Elements;
        (Rows, Columns) = (transposed.Columns, transposed.Rows);
        (RowStride, ColumnStride) = (transposed.ColumnStride, transposed.RowStride);
    }

    /// <summary>Rows.</summary>
    public int Rows { get; }

    /// <summary>Columns.</summary>
    public int Columns { get; }

    /// <summary>From an element to the one below.</summary>
    public int RowStride { get; }

    /// <summary>From an element to the next of its row.</summary>
    public int ColumnStride { get; }

    /// <summary>The span.</summary>
    public ReadOnlySpan<T> Elements { get; }

    /// <summary>The transpose, of the same elements.</summary>
    public MatrixSpan<T> Transpose() => new(this);

    /// <summary>That a span of so many elements holds a matrix.</summary>
    internal static void Check(int length, int rows, int columns, int leading)
    {
        Kernels.Check.NotNegative(rows, nameof(rows));
        Kernels.Check.NotNegative(columns, nameof(columns));
        if (leading < Math.Max(1, columns))
        {
            throw new DescriptionException(
                $"The matrix has {columns} columns; its leading dimension is at least as much, and at least 1; "
                + $"got {leading}.",
                nameof(leading));
        }

        var needed = rows == 0 || columns == 0 ? 0 : ((long)(rows - 1) * leading) + columns;
        if (length < needed)
        {
            throw new DescriptionException(
                $"A {rows} × {columns} matrix with leading dimension {leading} takes {needed} elements, "
                + $"and the span has {length}.",
                "elements");
        }
    }
}
