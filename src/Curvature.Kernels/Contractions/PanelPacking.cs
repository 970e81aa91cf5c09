using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Copies panels of an operand into the layout that a micro-kernel reads fastest: for each inner index in turn, the
/// panel's rows (or columns) side by side.</summary>
internal static unsafe class PanelPacking<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // The widest tile, two vectors of 16, and no less than the tallest up to whole vectors.
    private const int MostOffsets = 32;

    /// <summary>target[p·width + i] = source[free[start + i] + inner[first + p]] for i &lt; count and p &lt; depth. May write
    /// anything to the rest of the panel (count ≤ i &lt; width), and up to a vector beyond its end: panels are to be
    /// packed in ascending order.</summary>
    /// <param name="source">The operand.</param>
    /// <param name="free">Its free offsets.</param>
    /// <param name="start">The panel's first free index.</param>
    /// <param name="count">The panel's free indices.</param>
    /// <param name="inner">The operand's inner offsets.</param>
    /// <param name="first">The first inner index.</param>
    /// <param name="depth">The number of inner indices.</param>
    /// <param name="target">The packed panel.</param>
    /// <param name="width">From one inner index to the next in the packed panel; a multiple of the vector or equal to
    /// <paramref name="count"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(
        T* source, OffsetTable free, int start, int count, OffsetTable inner, int first, int depth, T* target, int width)
    {
        if (depth == 0)
        {
            return;
        }

        var offsets = stackalloc nint[MostOffsets];
        for (var i = 0; i < count; i++)
        {
            offsets[i] = free[start + i];
        }

        if (free.Spacing(start, count) == 1 && count > 1)
        {
            CopyRows(source + offsets[0], count, inner, first, depth, target, width);
        }
        else if (inner.Spacing(first, depth) == 1)
        {
            Transpose(source + inner[first], offsets, count, depth, target, width);
        }
        else
        {
            Gather(source, offsets, count, inner, first, depth, target, width);
        }
    }

    /// <summary>The free index is contiguous in the operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRows(T* source, int count, OffsetTable inner, int first, int depth, T* target, int width)
    {
        for (var p = 0; p < depth; p++)
        {
            ShortCopy.Run<TSimd, TVector, T>(source + inner[first + p], target, count);
            target += width;
        }
    }

    /// <summary>The inner index is contiguous in the operand: small blocks are transposed in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(T* source, nint* offsets, int count, int depth, T* target, int width)
    {
        // Vectors reach beyond the last row; there they repeat it.
        var blocks = (count + TSimd.Count - 1) / TSimd.Count;
        for (var i = count; i < blocks * TSimd.Count; i++)
        {
            offsets[i] = offsets[count - 1];
        }

        var step = 16 / sizeof(T);
        var p = 0;
        for (; p + step <= depth; p += step)
        {
            // The last block first: what it writes beyond the rows of one inner index belongs to the first rows of the
            // next, and is overwritten by them.
            for (var block = blocks - 1; block >= 0; block--)
            {
                var rows = block * TSimd.Count;
                TransposeBlock(source + p, offsets + rows, target + (p * (nint)width) + rows, width);
            }
        }

        for (; p < depth; p++)
        {
            for (var i = 0; i < count; i++)
            {
                target[(p * (nint)width) + i] = source[offsets[i] + p];
            }
        }
    }

    /// <summary>Transposes one vector of rows by 16 bytes of inner indices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeBlock(T* source, nint* rows, T* target, nint width)
    {
        // Lane l holds rows l·n … l·n + n − 1, where n is the number of elements in a lane, so that transposing n × n
        // blocks within lanes leaves whole columns.
        var row0 = TSimd.LoadLanes(source, rows);
        var row1 = TSimd.LoadLanes(source, rows + 1);
        if (sizeof(T) == sizeof(double))
        {
            TSimd.Store(TSimd.JoinLow(row0, row1), target);
            TSimd.Store(TSimd.JoinHigh(row0, row1), target + width);
            return;
        }

        var row2 = TSimd.LoadLanes(source, rows + 2);
        var row3 = TSimd.LoadLanes(source, rows + 3);
        var low01 = TSimd.InterleaveLow(row0, row1);
        var low23 = TSimd.InterleaveLow(row2, row3);
        var high01 = TSimd.InterleaveHigh(row0, row1);
        var high23 = TSimd.InterleaveHigh(row2, row3);
        TSimd.Store(TSimd.JoinLow(low01, low23), target);
        TSimd.Store(TSimd.JoinHigh(low01, low23), target + width);
        TSimd.Store(TSimd.JoinLow(high01, high23), target + (2 * width));
        TSimd.Store(TSimd.JoinHigh(high01, high23), target + (3 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(
        T* source, nint* offsets, int count, OffsetTable inner, int first, int depth, T* target, int width)
    {
        for (var p = 0; p < depth; p++)
        {
            var from = source + inner[first + p];
            for (var i = 0; i < count; i++)
            {
                target[i] = from[offsets[i]];
            }

            target += width;
        }
    }
}
