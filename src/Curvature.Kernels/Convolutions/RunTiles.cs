using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Where a tile's rows are read and written, and where its columns are.</summary>
/// <param name="runs">Where each run of A begins.</param>
/// <param name="count">The number of runs.</param>
/// <param name="length">The terms of a run.</param>
/// <param name="aRow">From one row of A to the next.</param>
/// <param name="aStep">From one term of A to the next.</param>
/// <param name="bStep">From one term of B to the next.</param>
/// <param name="cRow">From one row of C to the next.</param>
internal readonly unsafe struct RunTerms(nint* runs, int count, int length, nint aRow, nint aStep, nint bStep, nint cRow)
{
    public readonly nint* Runs = runs;
    public readonly int Count = count;
    public readonly int Length = length;
    public readonly nint ARow = aRow;
    public readonly nint AStep = aStep;
    public readonly nint BStep = bStep;
    public readonly nint CRow = cRow;
}

/// <summary>Some columns of C, side by side.</summary>
/// <param name="Start">The first column.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Vectors">The vectors that hold them, 1 or 2.</param>
internal readonly record struct RunPanel(int Start, int Width, int Vectors);

/// <summary>Cuts C into tiles and computes them.</summary>
internal static unsafe class RunTiles<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int TallestTile = 14;

    private static readonly RunFunction[] Narrow = OfWidth<Extent.Of1>();
    private static readonly RunFunction[] Wide = OfWidth<Extent.Of2>();

    /// <summary>Elements of the largest tile.</summary>
    public static int TileLength => TallestTile * 2 * V.Count;

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
    /// <param name="terms">Where things are.</param>
    /// <param name="panel">The columns.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B's panel.</param>
    /// <param name="c">C's panel.</param>
    /// <param name="tile">Room for a tile.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        in RunTerms terms, in RunPanel panel, int rows, T* a, T* b, T* c, T* tile, bool accumulate)
    {
        var functions = panel.Vectors == 1 ? Narrow : Wide;
        var tallest = panel.Vectors == 1 ? Math.Min(TallestTile, 2 * V.TileRows) : V.TileRows;
        var tiles = (rows + tallest - 1) / tallest;
        var whole = panel.Width == panel.Vectors * V.Count;
        var row = 0;
        for (var i = 1; i <= tiles; i++)
        {
            var end = rows * i / tiles;
            var height = end - row;
            var run = functions[height].Run;
            if (whole)
            {
                run(terms.Count, terms.Runs, terms.Length, a, terms.ARow, terms.AStep, b, terms.BStep,
                    c, terms.CRow, accumulate);
            }
            else
            {
                run(terms.Count, terms.Runs, terms.Length, a, terms.ARow, terms.AStep, b, terms.BStep,
                    tile, panel.Vectors * V.Count, false);
                Write(tile, panel, height, c, terms.CRow, accumulate);
            }

            row = end;
            a += height * terms.ARow;
            c += height * terms.CRow;
        }
    }

    private static void Write(T* tile, in RunPanel panel, int height, T* c, nint cRow, bool accumulate)
    {
        for (var i = 0; i < height; i++)
        {
            if (accumulate)
            {
                ShortRows.Add<V, T>(tile, c, panel.Width);
            }
            else
            {
                ShortRows.Copy<V, T>(tile, c, panel.Width);
            }

            tile += panel.Vectors * V.Count;
            c += cRow;
        }
    }

    private static RunFunction[] OfWidth<TWidth>()
        where TWidth : struct, IExtent =>
    [
        default,
        new(&RunKernel<V, T, Extent.Of1, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of2, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of3, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of4, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of5, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of6, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of7, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of8, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of9, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of10, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of11, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of12, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of13, TWidth>.Run),
        new(&RunKernel<V, T, Extent.Of14, TWidth>.Run),
    ];

    /// <summary>A micro-kernel for one size of tile.</summary>
    private readonly struct RunFunction(delegate*<int, nint*, int, T*, nint, nint, T*, nint, T*, nint, bool, void> run)
    {
        public readonly delegate*<int, nint*, int, T*, nint, nint, T*, nint, T*, nint, bool, void> Run = run;
    }
}
