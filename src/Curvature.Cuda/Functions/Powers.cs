namespace Curvature.Cuda;

/// <summary>Powers in double precision, without the C library that the processor asks: xʸ = e^(y·ln x), with ln x as a
/// sum of two numbers. The greatest error is under 2 units in the last place.</summary>
internal static class Powers
{
    private const int SeriesLength = 11;

    /// <summary>a raised to the power b, with the special cases of the C standard (annex F.9.4.4).</summary>
    public static V Power<V>(V a, V b)
        where V : struct, ILanes<V> => Signed(a, b, Magnitude(V.Abs(a), b));

    /// <summary>The same for numbers of single precision, whose rounding hides a relative error of 10⁻¹³: e^(b·ln a) as
    /// it stands.</summary>
    public static V PowerOfSingles<V>(V a, V b)
        where V : struct, ILanes<V> => Signed(a, b, Exponentials.Exp(b * Logarithms.Log(V.Abs(a))));

    /// <summary>|a|ᵇ with the sign that it has, 1 or NaN where it is that.</summary>
    private static V Signed<V>(V a, V b, V magnitude)
        where V : struct, ILanes<V>
    {
        var zero = V.Create(0.0);
        var one = V.Create(1.0);
        var infinity = V.Create(double.PositiveInfinity);
        var nan = V.Create(double.NaN);

        // An odd integer keeps the sign; a number that is no integer has no real power of a negative number.
        var half = b * V.Create(0.5);
        var whole = V.Equal(V.Floor(b), b);
        var odd = V.Select(V.Equal(V.Floor(half), half), zero, whole);
        var noPower = V.Select(whole, zero, V.Greater(zero, a) & V.Greater(a, -infinity));

        var result = V.Select(V.Equal(V.Abs(a), one), one, magnitude);
        result |= a & odd & V.Create(-0.0);
        result = V.Select(noPower, nan, result);
        result = V.Select(V.Equal(a, a) & V.Equal(b, b), result, nan);
        return V.Select(V.Equal(b, zero) | V.Equal(a, one), one, result);
    }

    /// <summary>|a|ᵇ for |a| other than 1.</summary>
    private static V Magnitude<V>(V size, V b)
        where V : struct, ILanes<V>
    {
        var zero = V.Create(0.0);
        var infinity = V.Create(double.PositiveInfinity);
        var logarithm = Logarithm(size, out var rest);
        var isLimit = V.Equal(size, zero) | V.Equal(size, infinity);
        logarithm = V.Select(isLimit, V.Select(V.Equal(size, zero), -infinity, infinity), logarithm);

        // y·ln x, and what rounding it has lost. Where the power is out of range there is nothing to correct.
        var exponent = b * logarithm;
        var lost = V.MultiplyAdd(b, logarithm, -exponent) + (b * rest);
        lost = V.Select(isLimit, zero, V.Select(V.Greater(V.Create(800.0), V.Abs(exponent)), lost, zero));
        var power = Exponentials.Exp(exponent);
        return V.Select(V.Equal(power, infinity), power, V.MultiplyAdd(power, lost, power));
    }

    /// <summary>ln x of a positive finite number as a sum of two, to about 65 bits: with x = 2ᵏ(1 + f) and
    /// s = f/(2 + f), ln(1 + f) = 2s(1 + s²/3 + s⁴/5 + …).</summary>
    private static V Logarithm<V>(V x, out V rest)
        where V : struct, ILanes<V>
    {
        // Subnormal numbers have no exponent of their own: lend them some.
        var subnormal = V.Greater(V.Create(2.2250738585072014e-308), x);
        var normal = V.Select(subnormal, x * V.Create(18014398509481984.0), x);
        var one = V.Create(1.0);
        var f = Exponents.Decompose(normal, out var k) - one;
        k -= V.Select(subnormal, V.Create(54.0), V.Create(0.0));

        var divisor = V.Create(2.0) + f;
        var divisorLow = f - (divisor - V.Create(2.0));
        var s = f / divisor;
        var sLow = (V.MultiplyAdd(-s, divisor, f) - (s * divisorLow)) / divisor;
        var z = s * s;
        var zLow = V.MultiplyAdd(s, s, -z) + (V.Create(2.0) * s * sLow);

        // t = s²/3 + s⁴·series(s²), the first term to twice the precision.
        var third = V.Create(1.0 / 3.0);
        var first = z * third;
        var firstLow = V.MultiplyAdd(z, third, -first) + (z * V.Create(1.850371707708594e-17)) + (zLow * third);
        var series = V.Create(1.0 / (3 + (2 * SeriesLength)));
        for (var i = SeriesLength - 1; i > 0; i--)
        {
            series = V.MultiplyAdd(series, z, V.Create(1.0 / (3 + (2 * i))));
        }

        var second = z * z * series;
        var t = first + second;
        var tLow = first - t + second + firstLow;

        var head = s + s;
        var headLow = sLow + sLow;
        var tail = head * t;
        var tailLow = V.MultiplyAdd(head, t, -tail) + (head * tLow) + (headLow * t);
        var sum = head + tail;
        var sumLow = head - sum + tail + headLow + tailLow;

        // k·ln 2 with the upper part of ln 2 so short that the product is exact.
        var whole = k * V.Create(6.93147180369123816490e-01);
        var total = whole + sum;
        var totalLow = whole - total + sum + V.MultiplyAdd(k, V.Create(1.90821492927058770002e-10), sumLow);
        var logarithm = total + totalLow;
        rest = total - logarithm + totalLow;
        return logarithm;
    }
}
