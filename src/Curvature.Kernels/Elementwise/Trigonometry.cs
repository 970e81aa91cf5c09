namespace Curvature.Kernels;

/// <summary>Sine and cosine: x = k·π/2 + r with |r| ≤ π/4 (three-part π/2, Cody and Waite), then the polynomials of
/// Cephes (single) and fdlibm (double). Arguments too large for that go to the C library, one by one.</summary>
internal static class Trigonometry
{
    /// <summary>sin x</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sin<V>(V x)
        where V : struct, ILanes<V>
    {
        var result = SinOfModerate(x);
        var far = IsFar(x);
        return V.Any(far) ? V.Select(far, SinFar(x), result) : result;
    }

    /// <summary>cos x</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Cos<V>(V x)
        where V : struct, ILanes<V>
    {
        var result = CosOfModerate(x);
        var far = IsFar(x);
        return V.Any(far) ? V.Select(far, CosFar(x), result) : result;
    }

    /// <summary>sin x where x is not far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SinOfModerate<V>(V x)
        where V : struct, ILanes<V> => AtQuadrant(Reduce(x, out var k), k) | ZeroSign(x);

    /// <summary>cos x where x is not far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V CosOfModerate<V>(V x)
        where V : struct, ILanes<V> => AtQuadrant(Reduce(x, out var k), k + V.Create(1.0));

    /// <summary>A mask of the arguments that are too large for the reduction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V IsFar<V>(V x)
        where V : struct, ILanes<V> =>
        V.Greater(V.Abs(x), V.Create(V.IsSingle ? 65536.0 : 1048576.0));

    /// <summary>The sign bit where x is a zero: rounding may lose it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ZeroSign<V>(V x)
        where V : struct, ILanes<V> =>
        x & V.Equal(x, V.Create(0.0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Reduce<V>(V x, out V k)
        where V : struct, ILanes<V>
    {
        k = V.Round(x * V.Create(0.63661977236758134308));
        if (V.IsSingle)
        {
            var r = V.MultiplyAdd(k, V.Create(-1.57079637050628662109375), x);
            r = V.MultiplyAdd(k, V.Create(4.37113882867379287e-8), r);
            return V.MultiplyAdd(k, V.Create(1.7151245100058819e-15), r);
        }
        else
        {
            var r = V.MultiplyAdd(k, V.Create(-1.57079632679489655800), x);
            r = V.MultiplyAdd(k, V.Create(-6.12323399573676603587e-17), r);
            return V.MultiplyAdd(k, V.Create(1.497384904859169833e-33), r);
        }
    }

    /// <summary>sin(r + quadrant·π/2) for |r| ≤ π/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V AtQuadrant<V>(V r, V quadrant)
        where V : struct, ILanes<V>
    {
        var bits = Exponents.IntegerBits(quadrant);
        var one = V.Create(1.0);
        var even = V.Equal((bits & V.CreateBits(1)) | one, one);
        var sign = (bits & V.CreateBits(2)) << (V.IsSingle ? 30 : 62);
        var z = r * r;
        return V.Select(even, SinOfReduced(r, z), CosOfReduced(z)) ^ sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SinOfReduced<V>(V r, V z)
        where V : struct, ILanes<V>
    {
        V p;
        if (V.IsSingle)
        {
            p = V.Create(-1.9515295891e-4);
            p = V.MultiplyAdd(p, z, V.Create(8.3321608736e-3));
            p = V.MultiplyAdd(p, z, V.Create(-1.6666654611e-1));
        }
        else
        {
            p = V.Create(1.58969099521155010221e-10);
            p = V.MultiplyAdd(p, z, V.Create(-2.50507602534068634195e-08));
            p = V.MultiplyAdd(p, z, V.Create(2.75573137070700676789e-06));
            p = V.MultiplyAdd(p, z, V.Create(-1.98412698298579493134e-04));
            p = V.MultiplyAdd(p, z, V.Create(8.33333333332248946124e-03));
            p = V.MultiplyAdd(p, z, V.Create(-1.66666666666666324348e-01));
        }

        return V.MultiplyAdd(p * z, r, r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V CosOfReduced<V>(V z)
        where V : struct, ILanes<V>
    {
        V p;
        if (V.IsSingle)
        {
            p = V.Create(2.443315711809948e-5);
            p = V.MultiplyAdd(p, z, V.Create(-1.388731625493765e-3));
            p = V.MultiplyAdd(p, z, V.Create(4.166664568298827e-2));
        }
        else
        {
            p = V.Create(-1.13596475577881948265e-11);
            p = V.MultiplyAdd(p, z, V.Create(2.08757232129817482790e-09));
            p = V.MultiplyAdd(p, z, V.Create(-2.75573143513906633035e-07));
            p = V.MultiplyAdd(p, z, V.Create(2.48015872894767294178e-05));
            p = V.MultiplyAdd(p, z, V.Create(-1.38888888888741095749e-03));
            p = V.MultiplyAdd(p, z, V.Create(4.16666666666666019037e-02));
        }

        // 1 − z/2 + z²·p, with what rounding 1 − z/2 has lost.
        var half = V.Create(0.5) * z;
        var main = V.Create(1.0) - half;
        var lost = V.Create(1.0) - main - half;
        return main + V.MultiplyAdd(p * z, z, lost);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V SinFar<V>(V x)
        where V : struct, ILanes<V> =>
        V.IsSingle ? OneByOne<V, float>(x, MathF.Sin) : OneByOne<V, double>(x, Math.Sin);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V CosFar<V>(V x)
        where V : struct, ILanes<V> =>
        V.IsSingle ? OneByOne<V, float>(x, MathF.Cos) : OneByOne<V, double>(x, Math.Cos);

    private static unsafe V OneByOne<V, T>(V x, Func<T, T> function)
        where V : struct, ILanes<V>
        where T : unmanaged
    {
        var lanes = stackalloc T[V.Count];
        x.Store(lanes);
        for (var i = 0; i < V.Count; i++)
        {
            lanes[i] = function(lanes[i]);
        }

        return V.Load(lanes);
    }
}
