namespace Curvature.Kernels;

/// <summary>Copies panels of an operand into the layout that a micro-kernel reads fastest: for each inner index in
/// turn, the panel's rows (or columns) side by side.</summary>
internal static unsafe class PanelPacking<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>panel[p·width + i] = source[free index i, inner index p] for the given ranges of both. May write
    /// anything to the rest of the panel, and up to a vector beyond its end: panels are to be packed in ascending
    /// order.</summary>
    /// <param name="source">The operand's first element.</param>
    /// <param name="operand">Where its elements are.</param>
    /// <param name="free">The panel's free indices.</param>
    /// <param name="inner">The panel's inner indices.</param>
    /// <param name="panel">The packed panel.</param>
    /// <param name="width">From one inner index to the next in the packed panel; a multiple of the vector or equal to
    /// the number of free indices.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(T* source, OperandOffsets operand, IndexRange free, IndexRange inner, T* panel, int width)
    {
        if (inner.Count == 0)
        {
            return;
        }

        var offsets = stackalloc nint[Transposition<V, T>.MostRows];
        for (var i = 0; i < free.Count; i++)
        {
            offsets[i] = operand.Free[free.Start + i];
        }

        switch (PackingMethods.Choose(operand.Free.Pattern(free), free.Count, operand.Inner.Pattern(inner)))
        {
            case PackingMethod.Transposition:
                var first = source + operand.Inner[inner.Start];
                Transposition<V, T>.Run(first, offsets, free.Count, inner.Count, panel, width);
                break;
            case PackingMethod.Copying:
                for (int i = 0, length; i < free.Count; i += length)
                {
                    length = operand.Free.Run(free.Start + i, free.Count - i);
                    CopyRun(source + offsets[i], length, operand.Inner, inner, panel + i, width);
                }

                break;
            default:
                Gather(source, new ReadOnlySpan<nint>(offsets, free.Count), operand.Inner, inner, panel, width);
                break;
        }
    }

    /// <summary>Copies one run of contiguous free indices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRun(T* source, int length, OffsetTable table, IndexRange inner, T* panel, int width)
    {
        for (var p = inner.Start; p < inner.End; p++)
        {
            ShortRows.Copy<V, T>(source + table[p], panel, length);
            panel += width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(
        T* source, ReadOnlySpan<nint> offsets, OffsetTable table, IndexRange inner, T* panel, int width)
    {
        for (var p = inner.Start; p < inner.End; p++)
        {
            var from = source + table[p];
            for (var i = 0; i < offsets.Length; i++)
            {
                panel[i] = from[offsets[i]];
            }

            panel += width;
        }
    }
}
