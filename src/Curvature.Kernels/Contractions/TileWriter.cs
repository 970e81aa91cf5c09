using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Moves a tile from its buffer to C, where its columns are fewer than whole vectors or not side by
/// side.</summary>
internal static unsafe class TileWriter<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>C[rows[row + i] + columns[column + j]] (+)= tile[i·width + j], where width is the padded one.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="transposed">Room for the transposed tile.</param>
    /// <param name="result">C.</param>
    /// <param name="rows">The offsets of C's rows.</param>
    /// <param name="row">The tile's rows.</param>
    /// <param name="columns">The offsets of C's columns.</param>
    /// <param name="column">The tile's columns.</param>
    /// <param name="accumulate">Whether to add.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(
        T* tile,
        T* transposed,
        T* result,
        OffsetTable rows,
        in RowPanel row,
        OffsetTable columns,
        in ColumnPanel column,
        bool accumulate)
    {
        switch (WritingMethods.Choose(row, column))
        {
            case WritingMethod.Rows:
                for (int j = 0, length; j < column.Width; j += length)
                {
                    length = columns.Run(column.Start + j, column.Width - j);
                    var target = result + columns[column.Start + j];
                    WriteLines(tile + j, column.PaddedWidth, length, target, rows, row.Start, row.Height, accumulate);
                }

                break;
            case WritingMethod.Columns:
                Transpose(tile, row.Height, column, transposed);
                for (int i = 0, length; i < row.Height; i += length)
                {
                    length = rows.Run(row.Start + i, row.Height - i);
                    var target = result + rows[row.Start + i];
                    WriteLines(transposed + i, LineOfRows, length, target, columns, column.Start, column.Width, accumulate);
                }

                break;
            default:
                Scatter(tile, result, rows, row, columns, column, accumulate);
                break;
        }
    }

    /// <summary>The length of a line of a transposed tile: the tallest tile's rows, up to whole vectors.</summary>
    private static int LineOfRows => (V.TileRows + V.Count - 1) / V.Count * V.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(T* tile, int height, in ColumnPanel column, T* transposed)
    {
        var offsets = stackalloc nint[Transposition<V, T>.MostRows];
        for (var i = 0; i < height; i++)
        {
            offsets[i] = (nint)i * column.PaddedWidth;
        }

        Transposition<V, T>.Run(tile, offsets, height, column.PaddedWidth, transposed, LineOfRows);
    }

    /// <summary>target[offsets[first + i] + j] (+)= lines[i·spacing + j] for j &lt; length and i &lt; count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WriteLines(
        T* lines, int spacing, int length, T* target, OffsetTable offsets, int first, int count, bool accumulate)
    {
        for (var i = 0; i < count; i++)
        {
            if (accumulate)
            {
                ShortRows.Add<V, T>(lines, target + offsets[first + i], length);
            }
            else
            {
                ShortRows.Copy<V, T>(lines, target + offsets[first + i], length);
            }

            lines += spacing;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(
        T* tile, T* result, OffsetTable rows, in RowPanel row, OffsetTable columns, in ColumnPanel column, bool accumulate)
    {
        for (var i = 0; i < row.Height; i++)
        {
            var target = result + rows[row.Start + i];
            for (var j = 0; j < column.Width; j++)
            {
                var element = target + columns[column.Start + j];
                *element = accumulate ? *element + tile[j] : tile[j];
            }

            tile += column.PaddedWidth;
        }
    }
}
