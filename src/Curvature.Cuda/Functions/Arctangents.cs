namespace Curvature.Cuda;

/// <summary>Angles of points in double precision, without the C library that the processor asks. The greatest error is
/// under 2 units in the last place.</summary>
internal static class Arctangents
{
    private const int SeriesLength = 22;
    private const double TwoTo200 = 1.6069380442589903e60;

    /// <summary>The angle of the point (x, y) from −π to π, with the special cases of the C standard (annex
    /// F.9.1.4).</summary>
    public static V Atan2<V>(V y, V x)
        where V : struct, ILanes<V>
    {
        var zero = V.Create(0.0);
        var one = V.Create(1.0);
        var infinity = V.Create(double.PositiveInfinity);
        var signBit = V.Create(-0.0);
        var sizeX = V.Abs(x);
        var sizeY = V.Abs(y);
        var steep = V.Greater(sizeY, sizeX);
        var small = V.Select(steep, sizeX, sizeY);
        var large = V.Select(steep, sizeY, sizeX);

        // Infinite points as (1, 0) and (1, 1); others scaled to where products do not leave the range.
        var far = V.Equal(large, infinity);
        small = V.Select(far, V.Select(V.Equal(small, infinity), one, zero), small);
        large = V.Select(far, one, large);
        var factor = V.Select(V.Greater(V.Create(1e-250), large), V.Create(TwoTo200), one);
        factor = V.Select(V.Greater(large, V.Create(1e250)), V.Create(1.0 / TwoTo200), factor);
        small *= factor;
        large *= factor;

        // Above tan π/8 the angle is π/4 less that of (large + small, large − small).
        var turned = V.Greater(small, large * V.Create(0.41421356237309503));
        var difference = small - large;
        var sum = small + large;
        var top = V.Select(turned, difference, small);
        var bottom = V.Select(turned, sum, large);
        var topLow = V.Select(turned, small - (difference + large), zero);
        var bottomLow = V.Select(turned, small - (sum - large), zero);
        var t = top / bottom;
        var tLow = (V.MultiplyAdd(-t, bottom, top) + topLow - (t * bottomLow)) / bottom;
        var atOrigin = V.Equal(large, zero);
        t = V.Select(atOrigin, zero, t);
        tLow = V.Select(atOrigin, zero, tLow);
        var rest = V.MultiplyAdd(t * (t * t), Series(t * t), tLow);

        // The angle is quarters·π/4 ± (t + rest).
        var quarters = V.Select(turned, one, zero);
        var sign = steep & signBit;
        quarters = V.Select(steep, V.Create(2.0) - quarters, quarters);
        var behind = IsNegative(x);
        sign ^= behind & signBit;
        quarters = V.Select(behind, V.Create(4.0) - quarters, quarters);
        var quarter = V.Create(0.7853981633974483);
        var anchor = quarters * quarter;
        var anchorLow = V.MultiplyAdd(quarters, quarter, -anchor) + (quarters * V.Create(3.061616997868383e-17));
        var angle = anchor + ((t ^ sign) + ((rest ^ sign) + anchorLow));
        angle = V.Select(V.Equal(x, x) & V.Equal(y, y), V.Abs(angle), V.Create(double.NaN));
        return angle | (y & signBit);
    }

    /// <summary>A mask of the numbers whose sign bit is set, −0 among them.</summary>
    private static V IsNegative<V>(V x)
        where V : struct, ILanes<V> =>
        V.Greater(V.Create(0.0), (x & V.Create(-0.0)) | V.Create(1.0));

    /// <summary>(atan t − t)/t³ as a function of t², for |t| ≤ tan π/8: −1/3 + t²/5 − …</summary>
    private static V Series<V>(V square)
        where V : struct, ILanes<V>
    {
        var sum = V.Create(0.0);
        for (var i = SeriesLength; i > 0; i--)
        {
            var coefficient = (i % 2 == 0 ? 1.0 : -1.0) / ((2 * i) + 1);
            sum = i == SeriesLength ? V.Create(coefficient) : V.MultiplyAdd(sum, square, V.Create(coefficient));
        }

        return sum;
    }
}
