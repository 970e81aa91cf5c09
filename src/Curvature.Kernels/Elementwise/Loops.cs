namespace Curvature.Kernels;

/// <summary>Operations over runs of elements. Targets may be operands, but may not overlap them otherwise.</summary>
/// <remarks>All loops have the signature of <see cref="Loop"/>, so that a tape can call any of them the same way. An
/// element's result does not depend on its place in the run: one more vector does what is left after whole vectors. It
/// overlaps the last (its operands are read before anything is written), or goes through a vector on the
/// stack.</remarks>
internal static unsafe class Loops<V>
    where V : struct, ILanes<V>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unary<TOperation>(byte* a, byte* b, byte* c, byte* target, nint count)
        where TOperation : struct, IUnary
    {
        var bytes = count * ElementSize;
        if (bytes < V.Size)
        {
            var result = TOperation.Invoke(LoadShort(a, bytes));
            StoreShort(result, target, bytes);
            return;
        }

        var last = bytes - V.Size;
        var end = bytes % V.Size == 0 ? default : TOperation.Invoke(V.Load(a + last));
        nint i = 0;
        if (TOperation.IsCheap)
        {
            for (; i <= bytes - 4 * V.Size; i += 4 * V.Size)
            {
                var r0 = TOperation.Invoke(V.Load(a + i));
                var r1 = TOperation.Invoke(V.Load(a + i + V.Size));
                var r2 = TOperation.Invoke(V.Load(a + i + 2 * V.Size));
                var r3 = TOperation.Invoke(V.Load(a + i + 3 * V.Size));
                r0.Store(target + i);
                r1.Store(target + i + V.Size);
                r2.Store(target + i + 2 * V.Size);
                r3.Store(target + i + 3 * V.Size);
            }
        }

        for (; i <= last; i += V.Size)
        {
            TOperation.Invoke(V.Load(a + i)).Store(target + i);
        }

        if (i < bytes)
        {
            end.Store(target + last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Binary<TOperation>(byte* a, byte* b, byte* c, byte* target, nint count)
        where TOperation : struct, IBinary
    {
        var bytes = count * ElementSize;
        if (bytes < V.Size)
        {
            var result = TOperation.Invoke(LoadShort(a, bytes), LoadShort(b, bytes));
            StoreShort(result, target, bytes);
            return;
        }

        var last = bytes - V.Size;
        var end = bytes % V.Size == 0 ? default : TOperation.Invoke(V.Load(a + last), V.Load(b + last));
        nint i = 0;
        if (TOperation.IsCheap)
        {
            for (; i <= bytes - 4 * V.Size; i += 4 * V.Size)
            {
                var r0 = TOperation.Invoke(V.Load(a + i), V.Load(b + i));
                var r1 = TOperation.Invoke(V.Load(a + i + V.Size), V.Load(b + i + V.Size));
                var r2 = TOperation.Invoke(V.Load(a + i + 2 * V.Size), V.Load(b + i + 2 * V.Size));
                var r3 = TOperation.Invoke(V.Load(a + i + 3 * V.Size), V.Load(b + i + 3 * V.Size));
                r0.Store(target + i);
                r1.Store(target + i + V.Size);
                r2.Store(target + i + 2 * V.Size);
                r3.Store(target + i + 3 * V.Size);
            }
        }

        for (; i <= last; i += V.Size)
        {
            TOperation.Invoke(V.Load(a + i), V.Load(b + i)).Store(target + i);
        }

        if (i < bytes)
        {
            end.Store(target + last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ternary<TOperation>(byte* a, byte* b, byte* c, byte* target, nint count)
        where TOperation : struct, ITernary
    {
        var bytes = count * ElementSize;
        if (bytes < V.Size)
        {
            var result = TOperation.Invoke(LoadShort(a, bytes), LoadShort(b, bytes), LoadShort(c, bytes));
            StoreShort(result, target, bytes);
            return;
        }

        var last = bytes - V.Size;
        var end = bytes % V.Size == 0
            ? default
            : TOperation.Invoke(V.Load(a + last), V.Load(b + last), V.Load(c + last));
        nint i = 0;
        for (; i <= bytes - 2 * V.Size; i += 2 * V.Size)
        {
            var r0 = TOperation.Invoke(V.Load(a + i), V.Load(b + i), V.Load(c + i));
            var r1 = TOperation.Invoke(V.Load(a + i + V.Size), V.Load(b + i + V.Size), V.Load(c + i + V.Size));
            r0.Store(target + i);
            r1.Store(target + i + V.Size);
        }

        for (; i <= last; i += V.Size)
        {
            TOperation.Invoke(V.Load(a + i), V.Load(b + i), V.Load(c + i)).Store(target + i);
        }

        if (i < bytes)
        {
            end.Store(target + last);
        }
    }

    /// <summary>A loop for functions that take many instructions: it invokes the operation in one place only, because
    /// the JIT compiler stops inlining in methods that grow too large.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Function<TOperation>(byte* a, byte* b, byte* c, byte* target, nint count)
        where TOperation : struct, IUnary
    {
        var bytes = count * ElementSize;
        var rest = stackalloc byte[64];
        for (nint i = 0; i < bytes; i += V.Size)
        {
            var source = a + i;
            var result = target + i;
            var left = bytes - i;
            if (left < V.Size)
            {
                Copy(source, rest, left);
                source = rest;
                result = rest;
            }

            TOperation.Invoke(V.Load(source)).Store(result);
            if (left < V.Size)
            {
                Copy(rest, target + i, left);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Copy(byte* source, byte* target, nint bytes) =>
        Unsafe.CopyBlockUnaligned(target, source, (uint)bytes);

    /// <summary>a raised to the power b, by the C library.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Power(byte* a, byte* b, byte* c, byte* target, nint count)
    {
        for (nint i = 0; i < count; i++)
        {
            if (V.IsSingle)
            {
                ((float*)target)[i] = MathF.Pow(((float*)a)[i], ((float*)b)[i]);
            }
            else
            {
                ((double*)target)[i] = Math.Pow(((double*)a)[i], ((double*)b)[i]);
            }
        }
    }

    /// <summary>The angle of the point (b, a), by the C library.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Atan2(byte* a, byte* b, byte* c, byte* target, nint count)
    {
        for (nint i = 0; i < count; i++)
        {
            if (V.IsSingle)
            {
                ((float*)target)[i] = MathF.Atan2(((float*)a)[i], ((float*)b)[i]);
            }
            else
            {
                ((double*)target)[i] = Math.Atan2(((double*)a)[i], ((double*)b)[i]);
            }
        }
    }

    private static nint ElementSize
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.IsSingle ? sizeof(float) : sizeof(double);
    }

    private static V LoadShort(byte* source, nint bytes)
    {
        var lanes = stackalloc byte[64];
        Unsafe.InitBlockUnaligned(lanes, 0, 64);
        Unsafe.CopyBlockUnaligned(lanes, source, (uint)bytes);
        return V.Load(lanes);
    }

    private static void StoreShort(V value, byte* target, nint bytes)
    {
        var lanes = stackalloc byte[64];
        value.Store(lanes);
        Unsafe.CopyBlockUnaligned(target, lanes, (uint)bytes);
    }
}
