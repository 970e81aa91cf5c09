using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>The innermost loop of a matrix product: C (+)= A·B for a tile of C that stays in registers.</summary>
/// <remarks>The accumulators are 28 named variables because the JIT keeps no array in registers. Each instantiation
/// uses the first of them: the tests on extents are constants to the JIT, and what they exclude leaves no trace in
/// the code. Every element of C is Σ a·b in order of the inner index, whatever the extents, so that results do not
/// depend on how C is cut into tiles.</remarks>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="T">The element.</typeparam>
/// <typeparam name="TRows">Rows of the tile, 1 to 14.</typeparam>
/// <typeparam name="TWidth">Vectors across the tile, 1 or 2.</typeparam>
internal static unsafe class MicroKernel<V, T, TRows, TWidth>
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TRows : struct, IExtent
    where TWidth : struct, IExtent
{
    /// <summary>C[i, j] (+)= Σ_p a[i·aRow + p·aStep] · b[p·bStep + j], C[i, j] at c[i·cRow + j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint depth, T* a, nint aRow, nint aStep, T* b, nint bStep, T* c, nint cRow, bool accumulate)
    {
        V l0 = default, r0 = default;
        V l1 = default, r1 = default;
        V l2 = default, r2 = default;
        V l3 = default, r3 = default;
        V l4 = default, r4 = default;
        V l5 = default, r5 = default;
        V l6 = default, r6 = default;
        V l7 = default, r7 = default;
        V l8 = default, r8 = default;
        V l9 = default, r9 = default;
        V lA = default, rA = default;
        V lB = default, rB = default;
        V lC = default, rC = default;
        V lD = default, rD = default;

        for (; depth > 0; depth--)
        {
            var left = V.Load(b);
            var right = TWidth.Value > 1 ? V.Load(b + V.Count) : left;
            MultiplyAdd(a, left, right, ref l0, ref r0);
            if (TRows.Value > 1) MultiplyAdd(a + aRow, left, right, ref l1, ref r1);
            if (TRows.Value > 2) MultiplyAdd(a + (2 * aRow), left, right, ref l2, ref r2);
            if (TRows.Value > 3) MultiplyAdd(a + (3 * aRow), left, right, ref l3, ref r3);
            if (TRows.Value > 4) MultiplyAdd(a + (4 * aRow), left, right, ref l4, ref r4);
            if (TRows.Value > 5) MultiplyAdd(a + (5 * aRow), left, right, ref l5, ref r5);
            if (TRows.Value > 6) MultiplyAdd(a + (6 * aRow), left, right, ref l6, ref r6);
            if (TRows.Value > 7) MultiplyAdd(a + (7 * aRow), left, right, ref l7, ref r7);
            if (TRows.Value > 8) MultiplyAdd(a + (8 * aRow), left, right, ref l8, ref r8);
            if (TRows.Value > 9) MultiplyAdd(a + (9 * aRow), left, right, ref l9, ref r9);
            if (TRows.Value > 10) MultiplyAdd(a + (10 * aRow), left, right, ref lA, ref rA);
            if (TRows.Value > 11) MultiplyAdd(a + (11 * aRow), left, right, ref lB, ref rB);
            if (TRows.Value > 12) MultiplyAdd(a + (12 * aRow), left, right, ref lC, ref rC);
            if (TRows.Value > 13) MultiplyAdd(a + (13 * aRow), left, right, ref lD, ref rD);
            a += aStep;
            b += bStep;
        }

        Store(l0, r0, c, accumulate);
        if (TRows.Value > 1) Store(l1, r1, c + cRow, accumulate);
        if (TRows.Value > 2) Store(l2, r2, c + (2 * cRow), accumulate);
        if (TRows.Value > 3) Store(l3, r3, c + (3 * cRow), accumulate);
        if (TRows.Value > 4) Store(l4, r4, c + (4 * cRow), accumulate);
        if (TRows.Value > 5) Store(l5, r5, c + (5 * cRow), accumulate);
        if (TRows.Value > 6) Store(l6, r6, c + (6 * cRow), accumulate);
        if (TRows.Value > 7) Store(l7, r7, c + (7 * cRow), accumulate);
        if (TRows.Value > 8) Store(l8, r8, c + (8 * cRow), accumulate);
        if (TRows.Value > 9) Store(l9, r9, c + (9 * cRow), accumulate);
        if (TRows.Value > 10) Store(lA, rA, c + (10 * cRow), accumulate);
        if (TRows.Value > 11) Store(lB, rB, c + (11 * cRow), accumulate);
        if (TRows.Value > 12) Store(lC, rC, c + (12 * cRow), accumulate);
        if (TRows.Value > 13) Store(lD, rD, c + (13 * cRow), accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(T* a, V left, V right, ref V leftSum, ref V rightSum)
    {
        var element = V.Broadcast(a);
        leftSum = V.MultiplyAddEstimate(element, left, leftSum);
        if (TWidth.Value > 1)
        {
            rightSum = V.MultiplyAddEstimate(element, right, rightSum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, T* c, bool accumulate)
    {
        (accumulate ? V.Load(c) + left : left).Store(c);
        if (TWidth.Value > 1)
        {
            c += V.Count;
            (accumulate ? V.Load(c) + right : right).Store(c);
        }
    }
}
