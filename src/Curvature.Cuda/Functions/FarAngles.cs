namespace Curvature.Cuda;

/// <summary>Sine and cosine of arguments too large for the reduction of <see cref="Trigonometry"/>, in double
/// precision, by the exact reduction of Payne and Hanek (1983): of 2/π only those bits matter that neither give
/// multiples of four quarter turns nor lie beyond the precision wanted.</summary>
/// <remarks>The processor asks the C library there. The results differ from it by a unit in the last place at most,
/// and after rounding to single precision hardly ever.</remarks>
internal static class FarAngles
{
    // 64 zeros, then 2/π.
    private static readonly ulong[] TwoOverPi =
    [
        0, 0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561, 0xB7246E3A424DD2E0,
        0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41, 0x3991D639835339F4,
        0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D,
        0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB,
    ];

    /// <summary>sin x for |x| ≥ 65536; NaN for infinities and NaN.</summary>
    public static PtxLanes<Double64> Sin(PtxLanes<Double64> x) => AtTurn(x, turns: 0.0);

    /// <summary>cos x for |x| ≥ 65536; NaN for infinities and NaN.</summary>
    public static PtxLanes<Double64> Cos(PtxLanes<Double64> x) => AtTurn(x, turns: 1.0);

    private static PtxLanes<Double64> AtTurn(PtxLanes<Double64> x, double turns)
    {
        // cos x = cos |x|, but sin x has the sign of x.
        var sign = turns == 0.0 ? x & PtxLanes<Double64>.Create(-0.0) : PtxLanes<Double64>.Create(0.0);
        var reduced = Reduce(x, out var quadrant);
        var result = Trigonometry.AtQuadrant(reduced, quadrant + PtxLanes<Double64>.Create(turns)) ^ sign;
        var isFinite = PtxLanes<Double64>.Equal(x - x, PtxLanes<Double64>.Create(0.0));
        return PtxLanes<Double64>.Select(isFinite, result, PtxLanes<Double64>.Create(double.NaN));
    }

    /// <summary>|x| less whole quarter turns, and how many of these modulo 4.</summary>
    private static PtxLanes<Double64> Reduce(PtxLanes<Double64> x, out PtxLanes<Double64> quadrant)
    {
        // |x| = m·2^(E − 1075). With W the 192 bits of 2/π from the one of weight 2^(1076 − E) on, the turns are
        // m·W·2⁻¹⁹⁰ modulo 4.
        var writer = PtxWriter.Current;
        var field = Do("and.b64", Do("shr.u64", x.Name, "52"), "0x7FF");
        var m = Do("or.b64", Do("and.b64", x.Name, "0xFFFFFFFFFFFFF"), "0x10000000000000");
        var start = Do("sub.s64", field, "1013");
        var word = Do("shl.b64", Do("shr.u64", start, "6"), "3");
        var place = Do("add.s64", writer.Table("two_over_pi", TwoOverPi), word);
        var shift = writer.Do(Register.Word, "cvt.u32.u64", Do("and.b64", start, "63"));
        var back = writer.Do(Register.Word, "sub.s32", "64", shift);
        var words = new string[4];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = Do("ld.const.u64", $"[{place}+{8 * i}]");
        }

        var high = Joined(words[0], words[1], shift, back);
        var middle = Joined(words[1], words[2], shift, back);
        var low = Joined(words[2], words[3], shift, back);

        // The upper 128 of 192 bits of m·W.
        var lower = Do("mul.lo.u64", m, middle);
        var second = Do("add.s64", lower, Do("mul.hi.u64", m, low));
        var carry = Do("selp.b64", "1", "0", writer.Test("lt.u64", second, lower));
        var first = Do("add.s64", Do("add.s64", Do("mul.lo.u64", m, high), Do("mul.hi.u64", m, middle)), carry);

        // Two bits are whole quarter turns. A fraction of a half and more counts from the next one, downwards.
        var fraction = Joined(first, second, "2", "62");
        var fractionLow = Do("shl.b64", second, "2");
        var isDown = writer.Test("lt.s64", fraction, "0");
        var turns = Do("add.s64", Do("shr.u64", first, "62"), Do("selp.b64", "1", "0", isDown));
        quadrant = new(Do("cvt.rn.f64.s64", turns));
        fraction = Do("selp.b64", Do("not.b64", fraction), fraction, isDown);
        fractionLow = Do("selp.b64", Do("not.b64", fractionLow), fractionLow, isDown);

        // The fraction as a number: its first 64 bits from the first that is set, times the power of 2 that belongs.
        var zeros = writer.Do(Register.Word, "clz.b64", fraction);
        var rest = writer.Do(Register.Word, "sub.s32", "64", zeros);
        var number = new PtxLanes<Double64>(Do("cvt.rn.f64.u64", Joined(fraction, fractionLow, zeros, rest)));
        var exponent = Do("sub.s64", "1023", Do("cvt.u64.u32", zeros));
        var power = new PtxLanes<Double64>(Do("shl.b64", exponent, "52"));
        var angle = PtxLanes<Double64>.MultiplyAdd(
            number,
            PtxLanes<Double64>.Create(8.515303950216386e-20), // π/2·2⁻⁶⁴, in two parts
            number * PtxLanes<Double64>.Create(3.319411800407449e-36)) * power;
        return new(Do("selp.b64", (-angle).Name, angle.Name, isDown));
    }

    /// <summary>The bits of two words from a place on. Shifts by 64 and more give zeros.</summary>
    private static string Joined(string first, string second, string left, string right) =>
        Do("or.b64", Do("shl.b64", first, left), Do("shr.u64", second, right));

    private static string Do(string operation, params ReadOnlySpan<string> operands) =>
        PtxWriter.Current.Do(Register.Long, operation, operands);
}
