using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Dot products of a few rows with four columns, vectorised along the inner index.</summary>
/// <remarks>As in <see cref="MicroKernel{TSimd, TVector, T, TRows, TWidth}"/> the accumulators have names, and what
/// lies beyond the extent leaves no trace. Each sum is made in the same order whatever the extent.</remarks>
/// <typeparam name="TSimd">The vector operations.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="T">The element.</typeparam>
/// <typeparam name="TRows">Rows, 1 to 4.</typeparam>
internal static unsafe class DotTile<TSimd, TVector, T, TRows>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TRows : struct, IExtent
{
    /// <summary>sums[4i + j] = Σ_p rows[i][start + p] · columns[j][start + p] for p &lt; length, which is at least a
    /// vector. </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T** rows, T** columns, nint start, nint length, T* sums)
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;

        var row0 = rows[0] + start;
        var row1 = TRows.Value > 1 ? rows[1] + start : row0;
        var row2 = TRows.Value > 2 ? rows[2] + start : row0;
        var row3 = TRows.Value > 3 ? rows[3] + start : row0;
        var column0 = columns[0] + start;
        var column1 = columns[1] + start;
        var column2 = columns[2] + start;
        var column3 = columns[3] + start;

        nint p = 0;
        for (; p + TSimd.Count <= length; p += TSimd.Count)
        {
            var c0 = TSimd.Load(column0 + p);
            var c1 = TSimd.Load(column1 + p);
            var c2 = TSimd.Load(column2 + p);
            var c3 = TSimd.Load(column3 + p);
            MultiplyAdd(TSimd.Load(row0 + p), c0, c1, c2, c3, ref s00, ref s01, ref s02, ref s03);
            if (TRows.Value > 1) MultiplyAdd(TSimd.Load(row1 + p), c0, c1, c2, c3, ref s10, ref s11, ref s12, ref s13);
            if (TRows.Value > 2) MultiplyAdd(TSimd.Load(row2 + p), c0, c1, c2, c3, ref s20, ref s21, ref s22, ref s23);
            if (TRows.Value > 3) MultiplyAdd(TSimd.Load(row3 + p), c0, c1, c2, c3, ref s30, ref s31, ref s32, ref s33);
        }

        if (p < length)
        {
            // The last vector overlaps the one before; zeros on both sides, so that no product with infinity is a NaN.
            var last = length - TSimd.Count;
            var first = (int)(p - last);
            var c0 = TSimd.KeepFrom(TSimd.Load(column0 + last), first);
            var c1 = TSimd.KeepFrom(TSimd.Load(column1 + last), first);
            var c2 = TSimd.KeepFrom(TSimd.Load(column2 + last), first);
            var c3 = TSimd.KeepFrom(TSimd.Load(column3 + last), first);
            MultiplyAdd(Last(row0), c0, c1, c2, c3, ref s00, ref s01, ref s02, ref s03);
            if (TRows.Value > 1) MultiplyAdd(Last(row1), c0, c1, c2, c3, ref s10, ref s11, ref s12, ref s13);
            if (TRows.Value > 2) MultiplyAdd(Last(row2), c0, c1, c2, c3, ref s20, ref s21, ref s22, ref s23);
            if (TRows.Value > 3) MultiplyAdd(Last(row3), c0, c1, c2, c3, ref s30, ref s31, ref s32, ref s33);

            TVector Last(T* row) => TSimd.KeepFrom(TSimd.Load(row + last), first);
        }

        StoreSums(s00, s01, s02, s03, sums);
        if (TRows.Value > 1) StoreSums(s10, s11, s12, s13, sums + 4);
        if (TRows.Value > 2) StoreSums(s20, s21, s22, s23, sums + 8);
        if (TRows.Value > 3) StoreSums(s30, s31, s32, s33, sums + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(
        TVector row,
        TVector column0,
        TVector column1,
        TVector column2,
        TVector column3,
        ref TVector sum0,
        ref TVector sum1,
        ref TVector sum2,
        ref TVector sum3)
    {
        sum0 = TSimd.MultiplyAdd(row, column0, sum0);
        sum1 = TSimd.MultiplyAdd(row, column1, sum1);
        sum2 = TSimd.MultiplyAdd(row, column2, sum2);
        sum3 = TSimd.MultiplyAdd(row, column3, sum3);
    }

    /// <summary>Stores the sums of the elements of four vectors side by side: transposing within lanes brings
    /// elements of the same vector to the same place, and then whole vectors are added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSums(TVector a, TVector b, TVector c, TVector d, T* sums)
    {
        var ab = TSimd.Add(TSimd.InterleaveLow(a, b), TSimd.InterleaveHigh(a, b));
        var cd = TSimd.Add(TSimd.InterleaveLow(c, d), TSimd.InterleaveHigh(c, d));
        if (sizeof(T) == sizeof(double))
        {
            TSimd.SumLanes(ab).Store(sums);
            TSimd.SumLanes(cd).Store(sums + 2);
        }
        else
        {
            TSimd.SumLanes(TSimd.Add(TSimd.JoinLow(ab, cd), TSimd.JoinHigh(ab, cd))).Store(sums);
        }
    }
}
