namespace Curvature.Kernels;

/// <summary>Logarithms, after fdlibm: x = 2ᵏ(1 + f) with 1 + f in [√½, √2), s = f/(2 + f), and
/// ln(1 + f) = f − f²/2 + s(f²/2 + R(s²)).</summary>
internal static class Logarithms
{
    /// <summary>ln x</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V>(V x)
        where V : struct, ILanes<V>
    {
        // Subnormal numbers have no exponent of their own: lend them some.
        var zero = V.Create(0.0);
        var subnormal = V.Greater(V.Create(V.IsSingle ? 1.17549435e-38 : 2.2250738585072014e-308), x);
        var lent = V.Create(V.IsSingle ? 25.0 : 54.0);
        var normal = V.Select(subnormal, x * V.Create(V.IsSingle ? 33554432.0 : 18014398509481984.0), x);
        var f = Exponents.Decompose(normal, out var k) - V.Create(1.0);
        k -= V.Select(subnormal, lent, zero);

        return Finish(LogOf(f, k), x, x);
    }

    /// <summary>ln x for positive normal x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LogOfNormal<V>(V x)
        where V : struct, ILanes<V>
    {
        var f = Exponents.Decompose(x, out var k) - V.Create(1.0);
        return LogOf(f, k);
    }

    /// <summary>ln(1 + x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log1p<V>(V x)
        where V : struct, ILanes<V>
    {
        var result = Finish(Log1pOfModerate(x), V.Create(1.0) + x, x);
        return V.Select(V.Equal(x, V.Create(0.0)), x, result); // keeps −0
    }

    /// <summary>ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|))</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus<V>(V x)
        where V : struct, ILanes<V>
    {
        var positive = V.Clamp(x, V.Create(0.0), V.Create(double.PositiveInfinity));
        return positive + Log1pOfModerate(Exponentials.Exp(-V.Abs(x)));
    }

    /// <summary>ln(1 + x) for finite x &gt; −1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Log1pOfModerate<V>(V x)
        where V : struct, ILanes<V>
    {
        // What rounding 1 + x has lost goes back into f, at the scale of the significand.
        var one = V.Create(1.0);
        var sum = one + x;
        var lost = x - (sum - one);
        var f = Exponents.Decompose(sum, out var k) - one;
        return LogOf(f + V.Scale(lost, -k), k);
    }

    /// <summary>k·ln 2 + ln(1 + f)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogOf<V>(V f, V k)
        where V : struct, ILanes<V>
    {
        var s = f / (V.Create(2.0) + f);
        var z = s * s;
        V r;
        if (V.IsSingle)
        {
            r = V.Create(0.24279078841);
            r = V.MultiplyAdd(r, z, V.Create(0.28498786688));
            r = V.MultiplyAdd(r, z, V.Create(0.40000972152));
            r = V.MultiplyAdd(r, z, V.Create(0.66666662693));
        }
        else
        {
            r = V.Create(1.479819860511658591e-01);
            r = V.MultiplyAdd(r, z, V.Create(1.531383769920937332e-01));
            r = V.MultiplyAdd(r, z, V.Create(1.818357216161805012e-01));
            r = V.MultiplyAdd(r, z, V.Create(2.222219843214978396e-01));
            r = V.MultiplyAdd(r, z, V.Create(2.857142874366239149e-01));
            r = V.MultiplyAdd(r, z, V.Create(3.999999999940941908e-01));
            r = V.MultiplyAdd(r, z, V.Create(6.666666666666735130e-01));
        }

        var halfSquare = V.Create(0.5) * f * f;
        var low = V.MultiplyAdd(k, V.Create(V.IsSingle ? 9.0580006145e-06 : 1.90821492927058770002e-10), V.Create(0.0));
        var tail = V.MultiplyAdd(s, V.MultiplyAdd(r, z, halfSquare), low);
        return V.MultiplyAdd(
            k,
            V.Create(V.IsSingle ? 6.9313812256e-01 : 6.93147180369123816490e-01),
            f - (halfSquare - tail));
    }

    /// <summary>The result where the argument of the logarithm is positive and finite, else its limit or NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Finish<V>(V result, V argument, V x)
        where V : struct, ILanes<V>
    {
        var zero = V.Create(0.0);
        var positive = V.Greater(argument, zero);
        var finite = V.Greater(V.Create(double.PositiveInfinity), argument);
        var limit = V.Select(V.Equal(argument, zero), V.Create(double.NegativeInfinity), V.Create(double.NaN));
        limit = V.Select(positive, x, limit);
        return V.Select(positive & finite, result, limit);
    }
}
