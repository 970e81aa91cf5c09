namespace Curvature.Kernels;

/// <summary>Moves a tile from its buffer to C, where its columns are fewer than whole vectors or not side by
/// side.</summary>
internal static unsafe class TileWriter<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes the tile in <paramref name="scratch"/> to the rows and columns of C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(in TileScratch<T> scratch, in TileResult<T> result, in RowPanel row, in ColumnPanel column)
    {
        switch (WritingMethods.Choose(row, column))
        {
            case WritingMethod.Rows:
                var columns = column.Columns;
                for (int j = 0, length; j < columns.Count; j += length)
                {
                    length = result.Columns.Run(columns.Start + j, columns.Count - j);
                    var lines = new TileLines<T>(scratch.Tile + j, column.PaddedWidth, length);
                    var target = result.Elements + result.Columns[columns.Start + j];
                    WriteLines(lines, target, result.Rows, row.Rows, result.Accumulate);
                }

                break;
            case WritingMethod.Columns:
                Transpose(scratch, row.Height, column);
                var rows = row.Rows;
                for (int i = 0, length; i < rows.Count; i += length)
                {
                    length = result.Rows.Run(rows.Start + i, rows.Count - i);
                    var lines = new TileLines<T>(scratch.TransposedTile + i, LineOfRows, length);
                    var target = result.Elements + result.Rows[rows.Start + i];
                    WriteLines(lines, target, result.Columns, column.Columns, result.Accumulate);
                }

                break;
            default:
                Scatter(scratch.Tile, result, row, column);
                break;
        }
    }

    /// <summary>The length of a line of a transposed tile: the tallest tile's rows, up to whole vectors.</summary>
    private static int LineOfRows => (V.TileRows + V.Count - 1) / V.Count * V.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(in TileScratch<T> scratch, int height, in ColumnPanel column)
    {
        var offsets = stackalloc nint[Transposition<V, T>.MostRows];
        for (var i = 0; i < height; i++)
        {
            offsets[i] = (nint)i * column.PaddedWidth;
        }

        Transposition<V, T>.Run(
            scratch.Tile, offsets, height, column.PaddedWidth, scratch.TransposedTile, LineOfRows);
    }

    /// <summary>target[offsets[i] + j] (+)= element j of the next line, for each i of a range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WriteLines(
        TileLines<T> lines, T* target, OffsetTable offsets, IndexRange range, bool accumulate)
    {
        var line = lines.Elements;
        for (var i = range.Start; i < range.End; i++)
        {
            if (accumulate)
            {
                ShortRows.Add<V, T>(line, target + offsets[i], lines.Length);
            }
            else
            {
                ShortRows.Copy<V, T>(line, target + offsets[i], lines.Length);
            }

            line += lines.Spacing;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(T* tile, in TileResult<T> result, in RowPanel row, in ColumnPanel column)
    {
        for (var i = row.Rows.Start; i < row.Rows.End; i++)
        {
            var target = result.Elements + result.Rows[i];
            for (var j = 0; j < column.Width; j++)
            {
                var element = target + result.Columns[column.Columns.Start + j];
                *element = result.Accumulate ? *element + tile[j] : tile[j];
            }

            tile += column.PaddedWidth;
        }
    }
}

/// <summary>Lines of a tile, or parts of them.</summary>
/// <param name="elements">The first element.</param>
/// <param name="spacing">From one line to the next.</param>
/// <param name="length">The elements of a line.</param>
internal readonly unsafe struct TileLines<T>(T* elements, int spacing, int length)
    where T : unmanaged
{
    public readonly T* Elements = elements;
    public readonly int Spacing = spacing;
    public readonly int Length = length;
}

/// <summary>Where tiles go.</summary>
/// <param name="elements">The first element of C.</param>
/// <param name="rows">The offsets of C's rows.</param>
/// <param name="columns">The offsets of C's columns.</param>
/// <param name="accumulate">Whether to add to C.</param>
internal readonly unsafe struct TileResult<T>(T* elements, OffsetTable rows, OffsetTable columns, bool accumulate)
    where T : unmanaged
{
    public readonly T* Elements = elements;
    public readonly OffsetTable Rows = rows;
    public readonly OffsetTable Columns = columns;
    public readonly bool Accumulate = accumulate;
}
