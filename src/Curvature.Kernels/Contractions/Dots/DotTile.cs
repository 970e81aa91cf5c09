namespace Curvature.Kernels;

/// <summary>Dot products of a few rows with four columns, vectorised along the inner index.</summary>
/// <remarks>As in <see cref="MicroKernel{V, T, TRows, TWidth}"/> the accumulators have names, and rows beyond the
/// extent compile to nothing. The order of each sum does not depend on the extent.</remarks>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="T">The element.</typeparam>
/// <typeparam name="TRows">Rows, 1 to 4.</typeparam>
internal static unsafe class DotTile<V, T, TRows>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TRows : struct, IExtent
{
    /// <summary>sums[4i + j] = Σ_p rows[i][start + p] · columns[j][start + p] for p &lt; length, which is at least a
    /// vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T** rows, T** columns, nint start, nint length, T* sums)
    {
        V s00 = default, s01 = default, s02 = default, s03 = default;
        V s10 = default, s11 = default, s12 = default, s13 = default;
        V s20 = default, s21 = default, s22 = default, s23 = default;
        V s30 = default, s31 = default, s32 = default, s33 = default;

        var row0 = rows[0] + start;
        var row1 = TRows.Value > 1 ? rows[1] + start : row0;
        var row2 = TRows.Value > 2 ? rows[2] + start : row0;
        var row3 = TRows.Value > 3 ? rows[3] + start : row0;
        var column0 = columns[0] + start;
        var column1 = columns[1] + start;
        var column2 = columns[2] + start;
        var column3 = columns[3] + start;

        nint p = 0;
        for (; p + V.Count <= length; p += V.Count)
        {
            var c0 = V.Load(column0 + p);
            var c1 = V.Load(column1 + p);
            var c2 = V.Load(column2 + p);
            var c3 = V.Load(column3 + p);
            var firstRow = V.Load(row0 + p);
            MultiplyAdd(firstRow, c0, c1, ref s00, ref s01);
            MultiplyAdd(firstRow, c2, c3, ref s02, ref s03);
            if (TRows.Value > 1)
            {
                var row = V.Load(row1 + p);
                MultiplyAdd(row, c0, c1, ref s10, ref s11);
                MultiplyAdd(row, c2, c3, ref s12, ref s13);
            }

            if (TRows.Value > 2)
            {
                var row = V.Load(row2 + p);
                MultiplyAdd(row, c0, c1, ref s20, ref s21);
                MultiplyAdd(row, c2, c3, ref s22, ref s23);
            }

            if (TRows.Value > 3)
            {
                var row = V.Load(row3 + p);
                MultiplyAdd(row, c0, c1, ref s30, ref s31);
                MultiplyAdd(row, c2, c3, ref s32, ref s33);
            }
        }

        if (p < length)
        {
            // The last vector overlaps the one before; zeros on both sides, so that no product with infinity is a NaN.
            var last = length - V.Count;
            var first = (int)(p - last);
            var c0 = V.KeepFrom(V.Load(column0 + last), first);
            var c1 = V.KeepFrom(V.Load(column1 + last), first);
            var c2 = V.KeepFrom(V.Load(column2 + last), first);
            var c3 = V.KeepFrom(V.Load(column3 + last), first);
            var firstLast = Last(row0);
            MultiplyAdd(firstLast, c0, c1, ref s00, ref s01);
            MultiplyAdd(firstLast, c2, c3, ref s02, ref s03);
            if (TRows.Value > 1)
            {
                var row = Last(row1);
                MultiplyAdd(row, c0, c1, ref s10, ref s11);
                MultiplyAdd(row, c2, c3, ref s12, ref s13);
            }

            if (TRows.Value > 2)
            {
                var row = Last(row2);
                MultiplyAdd(row, c0, c1, ref s20, ref s21);
                MultiplyAdd(row, c2, c3, ref s22, ref s23);
            }

            if (TRows.Value > 3)
            {
                var row = Last(row3);
                MultiplyAdd(row, c0, c1, ref s30, ref s31);
                MultiplyAdd(row, c2, c3, ref s32, ref s33);
            }

            V Last(T* row) => V.KeepFrom(V.Load(row + last), first);
        }

        StoreSums(s00, s01, s02, s03, sums);
        if (TRows.Value > 1) StoreSums(s10, s11, s12, s13, sums + 4);
        if (TRows.Value > 2) StoreSums(s20, s21, s22, s23, sums + 8);
        if (TRows.Value > 3) StoreSums(s30, s31, s32, s33, sums + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(V row, V column0, V column1, ref V sum0, ref V sum1)
    {
        sum0.AddProduct(row, column0);
        sum1.AddProduct(row, column1);
    }

    /// <summary>Stores the sums of the elements of four vectors side by side: transposing within lanes brings
    /// elements of the same vector to the same place, and then whole vectors are added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSums(V a, V b, V c, V d, T* sums)
    {
        var ab = V.InterleaveLow(a, b) + V.InterleaveHigh(a, b);
        var cd = V.InterleaveLow(c, d) + V.InterleaveHigh(c, d);
        if (sizeof(T) == sizeof(double))
        {
            ab.StoreBlockSum(sums);
            cd.StoreBlockSum(sums + 2);
        }
        else
        {
            (V.JoinLow(ab, cd) + V.JoinHigh(ab, cd)).StoreBlockSum(sums);
        }
    }
}
