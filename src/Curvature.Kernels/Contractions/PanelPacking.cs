using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Copies panels of an operand into the layout that a micro-kernel reads fastest: for each inner index in
/// turn, the panel's rows (or columns) side by side.</summary>
internal static unsafe class PanelPacking<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>target[p·width + i] = source[free[start + i] + inner[first + p]] for i &lt; count and p &lt; depth.
    /// May write anything to the rest of the panel (count ≤ i &lt; width), and up to a vector beyond its end: panels
    /// are to be packed in ascending order.</summary>
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

        var offsets = stackalloc nint[Transposition<V, T>.MostRows];
        for (var i = 0; i < count; i++)
        {
            offsets[i] = free[start + i];
        }

        switch (PackingMethods.Choose(free.Pattern(start, count), count, inner.Pattern(first, depth)))
        {
            case PackingMethod.Copying:
                CopyRuns(source, offsets, count, inner, first, depth, target, width);
                break;
            case PackingMethod.Transposition:
                Transposition<V, T>.Run(source + inner[first], offsets, count, depth, target, width);
                break;
            default:
                Gather(source, offsets, count, inner, first, depth, target, width);
                break;
        }
    }

    /// <summary>Copies runs of contiguous free indices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRuns(
        T* source, nint* offsets, int count, OffsetTable inner, int first, int depth, T* target, int width)
    {
        for (var i = 0; i < count;)
        {
            var length = 1;
            while (i + length < count && offsets[i + length] == offsets[i] + length)
            {
                length++;
            }

            var to = target + i;
            for (var p = 0; p < depth; p++)
            {
                ShortRows.Copy<V, T>(source + offsets[i] + inner[first + p], to, length);
                to += width;
            }

            i += length;
        }
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
