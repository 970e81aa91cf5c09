namespace Curvature.Kernels;

/// <summary>Transposes a few rows, in registers.</summary>
internal static unsafe class Transposition<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The most rows: the widest tile, two vectors of 16.</summary>
    public const int MostRows = 32;

    /// <summary>target[p·width + i] = source[offsets[i] + p] for i &lt; count and p &lt; depth. Writes anything to
    /// target[p·width + i] for count ≤ i up to the next whole vector, unless another element belongs there.</summary>
    /// <param name="source">Rows that are contiguous, each of <paramref name="depth"/> elements.</param>
    /// <param name="offsets">Where each row begins; room for <see cref="MostRows"/>, of which the unused are
    /// overwritten.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="depth">The elements of a row.</param>
    /// <param name="target">The transposed rows.</param>
    /// <param name="width">From one transposed row to the next; at least <paramref name="count"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* source, nint* offsets, int count, int depth, T* target, int width)
    {
        // The last vector may reach beyond the last row; there it repeats that row.
        var blocks = (count + V.Count - 1) / V.Count;
        for (var i = count; i < blocks * V.Count; i++)
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
                var rows = block * V.Count;
                Block(source + p, offsets + rows, target + (p * (nint)width) + rows, width);
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

    /// <summary>Transposes one vector of rows, of which each has 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block(T* source, nint* rows, T* target, nint width)
    {
        // Lane l holds rows l·n … l·n + n − 1, where n is the number of elements in a lane, so that transposing n × n
        // blocks within lanes leaves whole columns.
        var row0 = V.LoadBlocks(source, rows);
        var row1 = V.LoadBlocks(source, rows + 1);
        if (sizeof(T) == sizeof(double))
        {
            V.JoinLow(row0, row1).Store(target);
            V.JoinHigh(row0, row1).Store(target + width);
            return;
        }

        var row2 = V.LoadBlocks(source, rows + 2);
        var row3 = V.LoadBlocks(source, rows + 3);
        var low01 = V.InterleaveLow(row0, row1);
        var low23 = V.InterleaveLow(row2, row3);
        var high01 = V.InterleaveHigh(row0, row1);
        var high23 = V.InterleaveHigh(row2, row3);
        V.JoinLow(low01, low23).Store(target);
        V.JoinHigh(low01, low23).Store(target + width);
        V.JoinLow(high01, high23).Store(target + (2 * width));
        V.JoinHigh(high01, high23).Store(target + (3 * width));
    }
}
