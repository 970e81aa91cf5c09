namespace Curvature.Kernels;

/// <summary>Work on the exponent field of floating point numbers.</summary>
internal static class Exponents
{
    /// <summary>2ⁿ for integers n in the range of normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V PowerOfTwo<V>(V n)
        where V : struct, ILanes<V> =>
        V.AddBits(IntegerBits(n) << MantissaBits<V>(), V.Create(1.0));

    /// <summary>Lanes whose lowest bits are the integer n in two's complement. The bits above are not
    /// cleared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V IntegerBits<V>(V n)
        where V : struct, ILanes<V> =>
        n + V.Create(V.IsSingle ? 12582912.0 : 6755399441055744.0); // 1.5·2²³ or 1.5·2⁵²: the unit is the last bit

    /// <summary>a·2ⁿ by two factors, each of them in the range of normal numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ScaleInTwoSteps<V>(V a, V exponent)
        where V : struct, ILanes<V>
    {
        var half = V.Round(exponent * V.Create(0.5));
        return a * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>Writes a positive normal number as significand·2ⁿ with the significand in [√½, √2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Decompose<V>(V a, out V exponent)
        where V : struct, ILanes<V>
    {
        // Adding the distance from √½ to 1 to the bits makes the exponent field step at √2 instead of at 2.
        var shifted = V.AddBits(a, V.SubtractBits(V.Create(1.0), V.Create(0.7071067811865476)));
        var field = shifted >>> MantissaBits<V>();

        // The field as a number: put it into the last bits of 2²³ (2⁵²), then take that away, and the bias with it.
        var unit = V.Create(V.IsSingle ? 8388608.0 : 4503599627370496.0);
        exponent = (field | unit) - V.Create(V.IsSingle ? 8388608.0 + 127.0 : 4503599627370496.0 + 1023.0);
        return V.SubtractBits(V.AddBits(a, V.Create(1.0)), field << MantissaBits<V>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MantissaBits<V>()
        where V : struct, ILanes<V> => V.IsSingle ? 23 : 52;
}
