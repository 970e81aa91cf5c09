namespace Curvature.Kernels;

/// <summary>Some columns of C, side by side.</summary>
/// <param name="Start">The first column.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Vectors">The vectors that hold them, 1 or 2.</param>
internal readonly record struct RunPanel(int Start, int Width, int Vectors);

/// <summary>What a panel's tiles read and write.</summary>
internal unsafe struct RunArrays<T>
    where T : unmanaged
{
    /// <summary>A.</summary>
    public required T* A;

    /// <summary>B's panel.</summary>
    public required T* B;

    /// <summary>C's panel.</summary>
    public required T* C;

    /// <summary>From one row of C to the next.</summary>
    public required nint CRow;

    /// <summary>Room for a tile.</summary>
    public required T* Tile;

    /// <summary>Whether to add to C.</summary>
    public required bool Accumulate;
}

/// <summary>Cuts C into tiles and computes them.</summary>
internal static unsafe class RunTiles<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Elements of the largest tile.</summary>
    public static int TileLength => MicroKernels<V, T>.Tallest * 2 * V.Count;

    /// <summary>C's columns as panels of two vectors; the last may have one.</summary>
    public static RunPanel[] Panels(int columns)
    {
        var width = 2 * V.Count;
        var panels = new RunPanel[(columns + width - 1L) / width];
        for (var i = 0; i < panels.Length; i++)
        {
            var used = Math.Min(width, columns - (i * width));
            panels[i] = new RunPanel(i * width, used, used > V.Count ? 2 : 1);
        }

        return panels;
    }

    /// <summary>Columns of a packed B: those of C up to a whole vector.</summary>
    public static int PaddedColumns(int columns) => (columns + V.Count - 1) / V.Count * V.Count;

    /// <summary>C (+)= A·B for the columns of a panel and a number of rows, in tiles that are as tall as each other, or
    /// nearly. C's last columns may be fewer than whole vectors, not so B's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in TileTerms terms, in RunPanel panel, int rows, RunArrays<T> arrays)
    {
        var functions = panel.Vectors == 1 ? MicroKernels<V, T>.Narrow : MicroKernels<V, T>.Wide;
        var tallest = panel.Vectors == 1 ? Math.Min(MicroKernels<V, T>.Tallest, 2 * V.TileRows) : V.TileRows;
        var tiles = (rows + tallest - 1) / tallest;
        var width = panel.Vectors * V.Count;
        var a = arrays.A;
        var c = arrays.C;
        var row = 0;
        for (var i = 1; i <= tiles; i++)
        {
            var end = rows * i / tiles;
            var height = end - row;
            if (panel.Width == width)
            {
                functions[height].Run(terms, a, arrays.B, c, arrays.CRow, arrays.Accumulate);
            }
            else
            {
                functions[height].Run(terms, a, arrays.B, arrays.Tile, width, false);
                Write(panel, height, c, arrays);
            }

            row = end;
            a += height * terms.ARow;
            c += height * arrays.CRow;
        }
    }

    private static void Write(in RunPanel panel, int height, T* c, in RunArrays<T> arrays)
    {
        var tile = arrays.Tile;
        for (var i = 0; i < height; i++)
        {
            if (arrays.Accumulate)
            {
                ShortRows.Add<V, T>(tile, c, panel.Width);
            }
            else
            {
                ShortRows.Copy<V, T>(tile, c, panel.Width);
            }

            tile += panel.Vectors * V.Count;
            c += arrays.CRow;
        }
    }
}
