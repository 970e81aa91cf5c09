namespace Curvature.Kernels;

/// <summary>Where the terms of a tile's sums are. A row of A is a number of equally long runs of elements.</summary>
internal unsafe struct TileTerms
{
    /// <summary>Where each run of A begins.</summary>
    public required nint* Runs;

    /// <summary>The number of runs.</summary>
    public required int Count;

    /// <summary>The terms of a run.</summary>
    public required nint Length;

    /// <summary>From one row of A to the next.</summary>
    public required nint ARow;

    /// <summary>From one term of A to the next.</summary>
    public required nint AStep;

    /// <summary>From one term of B to the next.</summary>
    public required nint BStep;
}

/// <summary>The innermost loop of matrix products and convolutions: C (+)= A·B for a tile of C that stays in
/// registers.</summary>
/// <remarks>The accumulators are named variables because the JIT compiler keeps no array in registers. The tests on
/// extents are constants to it, and what they exclude compiles to nothing. There is one test on <c>accumulate</c>: with
/// a test for each row, the compiler would move each accumulator once more in the loop. Rows of A are reached from one
/// pointer for every four, at one, two and three times their distance: a register for each multiple would be more than
/// there are. Every element of C is Σ a·b in the order of the terms, whatever the extents, so that results do not
/// depend on how C is cut.</remarks>
/// <typeparam name="V">The vector.</typeparam>
/// <typeparam name="T">The element.</typeparam>
/// <typeparam name="TRows">Rows of the tile, 1 to 14.</typeparam>
/// <typeparam name="TWidth">Vectors across the tile, 1 or 2.</typeparam>
internal static unsafe class MicroKernel<V, T, TRows, TWidth>
    where V : struct, ILanes<V>
    where T : unmanaged
    where TRows : struct, IExtent
    where TWidth : struct, IExtent
{
    /// <summary>C[i, j] (+)= Σ_r Σ_p a[runs[r] + i·aRow + p·aStep] · b[(r·length + p)·bStep + j], where C[i, j] is
    /// c[i·cRow + j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in TileTerms terms, T* a, T* b, T* c, nint cRow, bool accumulate)
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
        var (aRow, aStep, bStep, length) = (terms.ARow, terms.AStep, terms.BStep, terms.Length);
        var twice = 2 * aRow;
        var thrice = 3 * aRow;

        for (var run = 0; run < terms.Count; run++)
        {
            var a0 = a + terms.Runs[run];
            var a4 = a0 + (4 * aRow);
            var a8 = a4 + (4 * aRow);
            var aC = a8 + (4 * aRow);
            for (var p = length; p > 0; p--)
            {
                var left = V.Load(b);
                var right = TWidth.Value > 1 ? V.Load(b + V.Count) : left;
                MultiplyAdd(a0, left, right, ref l0, ref r0);
                if (TRows.Value > 1) MultiplyAdd(a0 + aRow, left, right, ref l1, ref r1);
                if (TRows.Value > 2) MultiplyAdd(a0 + twice, left, right, ref l2, ref r2);
                if (TRows.Value > 3) MultiplyAdd(a0 + thrice, left, right, ref l3, ref r3);
                if (TRows.Value > 4) MultiplyAdd(a4, left, right, ref l4, ref r4);
                if (TRows.Value > 5) MultiplyAdd(a4 + aRow, left, right, ref l5, ref r5);
                if (TRows.Value > 6) MultiplyAdd(a4 + twice, left, right, ref l6, ref r6);
                if (TRows.Value > 7) MultiplyAdd(a4 + thrice, left, right, ref l7, ref r7);
                if (TRows.Value > 8) MultiplyAdd(a8, left, right, ref l8, ref r8);
                if (TRows.Value > 9) MultiplyAdd(a8 + aRow, left, right, ref l9, ref r9);
                if (TRows.Value > 10) MultiplyAdd(a8 + twice, left, right, ref lA, ref rA);
                if (TRows.Value > 11) MultiplyAdd(a8 + thrice, left, right, ref lB, ref rB);
                if (TRows.Value > 12) MultiplyAdd(aC, left, right, ref lC, ref rC);
                if (TRows.Value > 13) MultiplyAdd(aC + aRow, left, right, ref lD, ref rD);
                a0 += aStep;
                if (TRows.Value > 4) a4 += aStep;
                if (TRows.Value > 8) a8 += aStep;
                if (TRows.Value > 12) aC += aStep;
                b += bStep;
            }
        }

        if (accumulate)
        {
            Add(c, ref l0, ref r0);
            if (TRows.Value > 1) Add(c + cRow, ref l1, ref r1);
            if (TRows.Value > 2) Add(c + (2 * cRow), ref l2, ref r2);
            if (TRows.Value > 3) Add(c + (3 * cRow), ref l3, ref r3);
            if (TRows.Value > 4) Add(c + (4 * cRow), ref l4, ref r4);
            if (TRows.Value > 5) Add(c + (5 * cRow), ref l5, ref r5);
            if (TRows.Value > 6) Add(c + (6 * cRow), ref l6, ref r6);
            if (TRows.Value > 7) Add(c + (7 * cRow), ref l7, ref r7);
            if (TRows.Value > 8) Add(c + (8 * cRow), ref l8, ref r8);
            if (TRows.Value > 9) Add(c + (9 * cRow), ref l9, ref r9);
            if (TRows.Value > 10) Add(c + (10 * cRow), ref lA, ref rA);
            if (TRows.Value > 11) Add(c + (11 * cRow), ref lB, ref rB);
            if (TRows.Value > 12) Add(c + (12 * cRow), ref lC, ref rC);
            if (TRows.Value > 13) Add(c + (13 * cRow), ref lD, ref rD);
        }

        Store(l0, r0, c);
        if (TRows.Value > 1) Store(l1, r1, c + cRow);
        if (TRows.Value > 2) Store(l2, r2, c + (2 * cRow));
        if (TRows.Value > 3) Store(l3, r3, c + (3 * cRow));
        if (TRows.Value > 4) Store(l4, r4, c + (4 * cRow));
        if (TRows.Value > 5) Store(l5, r5, c + (5 * cRow));
        if (TRows.Value > 6) Store(l6, r6, c + (6 * cRow));
        if (TRows.Value > 7) Store(l7, r7, c + (7 * cRow));
        if (TRows.Value > 8) Store(l8, r8, c + (8 * cRow));
        if (TRows.Value > 9) Store(l9, r9, c + (9 * cRow));
        if (TRows.Value > 10) Store(lA, rA, c + (10 * cRow));
        if (TRows.Value > 11) Store(lB, rB, c + (11 * cRow));
        if (TRows.Value > 12) Store(lC, rC, c + (12 * cRow));
        if (TRows.Value > 13) Store(lD, rD, c + (13 * cRow));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(T* a, V left, V right, ref V leftSum, ref V rightSum)
    {
        if (TWidth.Value > 1)
        {
            var element = V.Broadcast(a);
            leftSum.AddProduct(element, left);
            rightSum.AddProduct(element, right);
        }
        else
        {
            leftSum.AddProduct(a, left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* c, ref V left, ref V right)
    {
        left = V.Load(c) + left;
        if (TWidth.Value > 1)
        {
            right = V.Load(c + V.Count) + right;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, T* c)
    {
        left.Store(c);
        if (TWidth.Value > 1)
        {
            right.Store(c + V.Count);
        }
    }
}
