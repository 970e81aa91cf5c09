namespace Curvature.Kernels;

/// <summary>One entry of a filter along an axis, and the position that it reads for the first position
/// computed.</summary>
/// <param name="Entry">The filter's position.</param>
/// <param name="Offset">The position read; negative ones hold zeros.</param>
internal readonly record struct AxisTap(int Entry, int Offset);

/// <summary>Positions along an axis that are computed alike: position First + t·Step, for t below Count, reads position
/// Offset + t·Stride of the array read for each tap.</summary>
/// <param name="First">The first position computed.</param>
/// <param name="Step">From one position computed to the next.</param>
/// <param name="Count">The number of positions.</param>
/// <param name="Stride">From one position read to the next.</param>
/// <param name="Taps">By ascending offset. Those that read nothing but zeros are left out.</param>
internal sealed record AxisPhase(int First, int Step, int Count, int Stride, AxisTap[] Taps)
{
    /// <summary>Outputs from inputs: all positions are alike.</summary>
    public static AxisPhase Forward(WindowAxis axis) =>
        Of(
            0, 1, axis.Output, axis.Stride, axis.Input,
            Entries(axis, axis.Before - ((axis.Output - 1L) * axis.Stride), axis.Before + axis.Input - 1L)
                .Select(k => new AxisTap(k, (int)(((long)k * axis.Dilation) - axis.Before))));

    /// <summary>Inputs from outputs: of the input positions p + t·Stride, output o reaches those with
    /// p + t·Stride = o·Stride + k·Dilation − Before, which only some k can do, and those for every t.</summary>
    public static AxisPhase[] Backward(WindowAxis axis)
    {
        var phases = new AxisPhase[Math.Min(axis.Stride, axis.Input)];
        for (var p = 0; p < phases.Length; p++)
        {
            var shift = (long)p + axis.Before;
            var count = (int)(((long)axis.Input - p + axis.Stride - 1) / axis.Stride);
            var least = shift - ((axis.Output - 1L) * axis.Stride);
            var taps = Entries(axis, least, shift + ((count - 1L) * axis.Stride))
                .Where(k => (shift - ((long)k * axis.Dilation)) % axis.Stride == 0)
                .Select(k => new AxisTap(k, (int)((shift - ((long)k * axis.Dilation)) / axis.Stride)));
            phases[p] = Of(p, axis.Stride, count, 1, axis.Output, taps);
        }

        return phases;
    }

    /// <summary>The filter's positions k whose distance k·Dilation from its first one is within bounds; those beyond
    /// read nothing but zeros.</summary>
    private static IEnumerable<int> Entries(WindowAxis axis, long least, long most)
    {
        var first = least <= 0 ? 0 : (least + axis.Dilation - 1) / axis.Dilation;
        var last = Math.Min(axis.Kernel - 1L, most < 0 ? -1 : most / axis.Dilation);
        return first > last ? [] : Enumerable.Range((int)first, (int)(last - first) + 1);
    }

    private static AxisPhase Of(int first, int step, int count, int stride, int length, IEnumerable<AxisTap> taps)
    {
        return new AxisPhase(first, step, count, stride, [.. taps.Where(ReadsSomething).OrderBy(tap => tap.Offset)]);

        bool ReadsSomething(AxisTap tap)
        {
            // The first position read that is not before the array.
            var skipped = tap.Offset >= 0 ? 0 : (-(long)tap.Offset + stride - 1) / stride;
            return skipped < count && tap.Offset + (skipped * stride) < length;
        }
    }
}
