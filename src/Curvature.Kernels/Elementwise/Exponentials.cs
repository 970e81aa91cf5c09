namespace Curvature.Kernels;

/// <summary>The exponential function and what is made of it.</summary>
/// <remarks>x = n·ln 2 + r with |r| ≤ ½ ln 2 and eˣ = 2ⁿ·eʳ, where eʳ = 1 + r + r²·P(r); the coefficients of P minimise
/// the largest relative error of eʳ − 1 (Remez), so that they serve near zero as well.</remarks>
internal static class Exponentials
{
    private const double Log2E = 1.4426950408889634;

    /// <summary>eˣ</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x)
        where V : struct, ILanes<V>
    {
        // At these bounds the result has become 0 or ∞.
        x = V.Clamp(x, V.Create(V.IsSingle ? -104.0 : -746.0), V.Create(V.IsSingle ? 89.0 : 710.0));
        return ExpOfModerate(x);
    }

    /// <summary>eˣ for |x| that does not take the exponent far out of range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpOfModerate<V>(V x)
        where V : struct, ILanes<V> =>
        V.Scale(V.Create(1.0) + Expm1OfReduced(Reduce(x, out var n)), n);

    /// <summary>eˣ − 1</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Expm1<V>(V x)
        where V : struct, ILanes<V>
    {
        var clamped = V.Clamp(x, V.Create(V.IsSingle ? -20.0 : -40.0), V.Create(V.IsSingle ? 89.0 : 710.0));
        var small = Expm1OfReduced(Reduce(clamped, out var n));

        // 2ⁿ·small + (2ⁿ − 1); half of it, because 2ⁿ itself may be too large when the result is not.
        var half = Exponents.PowerOfTwo(n - V.Create(1.0));
        var large = V.MultiplyAdd(half, small, half - V.Create(0.5));
        var result = V.Select(V.Equal(n, V.Create(0.0)), small, large + large);
        return result | (x & V.Create(-0.0));
    }

    /// <summary>tanh |x| = −t/(t + 2) with t = e^(−2|x|) − 1: no cancellation anywhere, and ±1 far out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x)
        where V : struct, ILanes<V>
    {
        var doubled = V.Clamp(V.Abs(x) * V.Create(-2.0), V.Create(V.IsSingle ? -20.0 : -40.0), V.Create(0.0));
        var small = Expm1OfReduced(Reduce(doubled, out var n));
        var power = Exponents.PowerOfTwo(n);
        var t = V.MultiplyAdd(power, small, power - V.Create(1.0));
        return V.Abs(t) / (t + V.Create(2.0)) | (x & V.Create(-0.0));
    }

    /// <summary>1/(1 + e⁻ˣ), from e^(−|x|), which cannot overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x)
        where V : struct, ILanes<V>
    {
        var one = V.Create(1.0);
        var power = Exp(-V.Abs(x));
        return V.Select(V.Greater(V.Create(0.0), x), power, one) / (one + power);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Reduce<V>(V x, out V n)
        where V : struct, ILanes<V>
    {
        n = V.Round(x * V.Create(Log2E));
        if (V.IsSingle)
        {
            var r = V.MultiplyAdd(n, V.Create(-0.693147182464599609375), x);
            return V.MultiplyAdd(n, V.Create(1.904654323148236e-9), r);
        }
        else
        {
            var r = V.MultiplyAdd(n, V.Create(-0.69314718055994530942), x);
            return V.MultiplyAdd(n, V.Create(-2.3190468138462996e-17), r);
        }
    }

    /// <summary>eʳ − 1 for |r| ≤ ½ ln 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Expm1OfReduced<V>(V r)
        where V : struct, ILanes<V>
    {
        V p;
        if (V.IsSingle)
        {
            p = V.Create(0.00139464695);
            p = V.MultiplyAdd(p, r, V.Create(0.008366607492));
            p = V.MultiplyAdd(p, r, V.Create(0.04166628155));
            p = V.MultiplyAdd(p, r, V.Create(0.1666654285));
            p = V.MultiplyAdd(p, r, V.Create(0.5000000062));
        }
        else
        {
            p = V.Create(2.0924624762473507935e-9);
            p = V.MultiplyAdd(p, r, V.Create(2.51090623972193786e-8));
            p = V.MultiplyAdd(p, r, V.Create(2.7557242166634170941e-7));
            p = V.MultiplyAdd(p, r, V.Create(2.7557244153846000067e-6));
            p = V.MultiplyAdd(p, r, V.Create(0.000024801587361256395584));
            p = V.MultiplyAdd(p, r, V.Create(0.00019841269886162861966));
            p = V.MultiplyAdd(p, r, V.Create(0.0013888888888866482242));
            p = V.MultiplyAdd(p, r, V.Create(0.0083333333333216233548));
            p = V.MultiplyAdd(p, r, V.Create(0.04166666666666670206));
            p = V.MultiplyAdd(p, r, V.Create(0.16666666666666676581));
            p = V.MultiplyAdd(p, r, V.Create(0.5));
        }

        return V.MultiplyAdd(p, r * r, r);
    }
}
