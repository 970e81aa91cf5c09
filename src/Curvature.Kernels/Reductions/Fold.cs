namespace Curvature.Kernels;

/// <summary>Folds of contiguous elements with an associative operation, in double precision whatever the elements are:
/// a sum of single precision numbers then keeps their precision, and a maximum is exact.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
internal static unsafe class Fold<D, T>
    where D : struct, ILanes<D>
    where T : unmanaged
{
    /// <summary>The fold of <paramref name="count"/> elements from <paramref name="start"/> on;
    /// <paramref name="neutral"/> does not change what it is combined with. The order depends on the count
    /// alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Run<TOperation>(T* start, nint count, double neutral)
        where TOperation : struct, IBinary => RunInline<TOperation>(start, count, neutral);

    /// <summary>The folds of rows that start <paramref name="stride"/> elements apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<TOperation>(T* start, long stride, long rows, nint count, double neutral, T* target)
        where TOperation : struct, IBinary
    {
        for (var row = 0L; row < rows; row++)
        {
            target[row] = Element(RunInline<TOperation>(start + row * stride, count, neutral));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double RunInline<TOperation>(T* start, nint count, double neutral)
        where TOperation : struct, IBinary
    {
        nint i = 0;
        var rest = neutral;
        if (count >= D.Count)
        {
            var a0 = Load(start);
            i = D.Count;
            if (count >= 4 * D.Count)
            {
                var a1 = Load(start + D.Count);
                var a2 = Load(start + 2 * D.Count);
                var a3 = Load(start + 3 * D.Count);
                for (i = 4 * D.Count; i <= count - 4 * D.Count; i += 4 * D.Count)
                {
                    a0 = TOperation.Invoke(a0, Load(start + i));
                    a1 = TOperation.Invoke(a1, Load(start + i + D.Count));
                    a2 = TOperation.Invoke(a2, Load(start + i + 2 * D.Count));
                    a3 = TOperation.Invoke(a3, Load(start + i + 3 * D.Count));
                }

                a0 = TOperation.Invoke(TOperation.Invoke(a0, a1), TOperation.Invoke(a2, a3));
            }

            for (; i <= count - D.Count; i += D.Count)
            {
                a0 = TOperation.Invoke(a0, Load(start + i));
            }

            rest = D.Across<TOperation>(a0);
        }

        for (; i < count; i++)
        {
            rest = Combine<TOperation>(rest, Value(start[i]));
        }

        return rest;
    }

    /// <summary>The same over elements with a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double RunStrided<TOperation>(T* start, long stride, long count, double neutral)
        where TOperation : struct, IBinary
    {
        var (r0, r1, r2, r3) = (neutral, neutral, neutral, neutral);
        var i = 0L;
        for (; i <= count - 4; i += 4)
        {
            r0 = Combine<TOperation>(r0, Value(start[i * stride]));
            r1 = Combine<TOperation>(r1, Value(start[(i + 1) * stride]));
            r2 = Combine<TOperation>(r2, Value(start[(i + 2) * stride]));
            r3 = Combine<TOperation>(r3, Value(start[(i + 3) * stride]));
        }

        for (; i < count; i++)
        {
            r0 = Combine<TOperation>(r0, Value(start[i * stride]));
        }

        return Combine<TOperation>(Combine<TOperation>(r0, r1), Combine<TOperation>(r2, r3));
    }

    /// <summary>The position of the first element equal to <paramref name="value"/>, or of the first NaN if that is
    /// NaN. There must be one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long IndexOf(T* start, long stride, long count, double value)
    {
        var i = 0L;
        if (stride == 1)
        {
            var searched = D.Create(value);
            while (i <= count - D.Count && !D.Any(IsSame(Load(start + i), searched)))
            {
                i += D.Count;
            }
        }

        while (Value(start[i * stride]) is var element && element != value && !double.IsNaN(element))
        {
            i++;
        }

        return i;
    }

    /// <summary>Folds a row into as many accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TOperation>(double* accumulators, T* row, nint count)
        where TOperation : struct, IBinary
    {
        nint i = 0;
        for (; i <= count - 2 * D.Count; i += 2 * D.Count)
        {
            var a0 = TOperation.Invoke(D.Load(accumulators + i), Load(row + i));
            var a1 = TOperation.Invoke(D.Load(accumulators + i + D.Count), Load(row + i + D.Count));
            a0.Store(accumulators + i);
            a1.Store(accumulators + i + D.Count);
        }

        for (; i <= count - D.Count; i += D.Count)
        {
            TOperation.Invoke(D.Load(accumulators + i), Load(row + i)).Store(accumulators + i);
        }

        for (; i < count; i++)
        {
            accumulators[i] = Combine<TOperation>(accumulators[i], Value(row[i]));
        }
    }

    /// <summary>Folds four rows into one row of accumulators, which are loaded and stored only once for them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows<TOperation>(double* accumulators, T* row0, long stride, nint count)
        where TOperation : struct, IBinary
    {
        var row1 = row0 + stride;
        var row2 = row1 + stride;
        var row3 = row2 + stride;
        nint i = 0;
        for (; i <= count - D.Count; i += D.Count)
        {
            var first = TOperation.Invoke(Load(row0 + i), Load(row1 + i));
            var second = TOperation.Invoke(Load(row2 + i), Load(row3 + i));
            TOperation.Invoke(D.Load(accumulators + i), TOperation.Invoke(first, second)).Store(accumulators + i);
        }

        for (; i < count; i++)
        {
            var first = Combine<TOperation>(Value(row0[i]), Value(row1[i]));
            var second = Combine<TOperation>(Value(row2[i]), Value(row3[i]));
            accumulators[i] = Combine<TOperation>(accumulators[i], Combine<TOperation>(first, second));
        }
    }

    /// <summary>Writes accumulators as elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(double* accumulators, T* target, nint count)
    {
        nint i = 0;
        for (; i <= count - D.Count; i += D.Count)
        {
            if (typeof(T) == typeof(float))
            {
                D.Load(accumulators + i).StoreSingles((float*)target + i);
            }
            else
            {
                D.Load(accumulators + i).Store(target + i);
            }
        }

        for (; i < count; i++)
        {
            target[i] = Element(accumulators[i]);
        }
    }

    /// <summary>One element as a double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Value(T element) =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(element) : Unsafe.BitCast<T, double>(element);

    /// <summary>A double as an element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Element(double value) =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value) : Unsafe.BitCast<double, T>(value);

    /// <summary>The operation on two numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Combine<TOperation>(double a, double b)
        where TOperation : struct, IBinary =>
        typeof(TOperation) == typeof(Operations.Add) ? a + b : Math.Max(a, b);

    /// <summary>Where lanes are equal, or the first is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static D IsSame(D a, D b) => D.Equal(a, b) | (D.Equal(a, a) ^ D.Equal(D.Create(0.0), D.Create(0.0)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static D Load(T* source) =>
        typeof(T) == typeof(float) ? D.LoadSingles((float*)source) : D.Load(source);
}
