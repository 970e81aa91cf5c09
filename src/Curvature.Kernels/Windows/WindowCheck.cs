namespace Curvature.Kernels;

/// <summary>Checks of windows.</summary>
internal static class WindowCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(WindowSum sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        Check.Floating(sum.DType, nameof(WindowSum.DType));
        Check.NotNegative(sum.Images, nameof(WindowSum.Images));
        Axis(sum.Height, nameof(WindowSum.Height));
        Axis(sum.Width, nameof(WindowSum.Width));
        Check.NotNegative(sum.Channels, nameof(WindowSum.Channels));
        Place(sum.SourceSlot, sum.SourceOffset, nameof(WindowSum.SourceSlot));
        Place(sum.TargetSlot, sum.TargetOffset, nameof(WindowSum.TargetSlot));
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(WindowMaximum maximum)
    {
        ArgumentNullException.ThrowIfNull(maximum);
        Check.Floating(maximum.DType, nameof(WindowMaximum.DType));
        Check.NotNegative(maximum.Images, nameof(WindowMaximum.Images));
        Axis(maximum.Height, nameof(WindowMaximum.Height));
        Axis(maximum.Width, nameof(WindowMaximum.Width));
        Check.NotNegative(maximum.Channels, nameof(WindowMaximum.Channels));
        Place(maximum.SourceSlot, maximum.SourceOffset, nameof(WindowMaximum.SourceSlot));
        Place(maximum.TargetSlot, maximum.TargetOffset, nameof(WindowMaximum.TargetSlot));
        Reachable(maximum.Height, nameof(WindowMaximum.Height));
        Reachable(maximum.Width, nameof(WindowMaximum.Width));
        Positive(maximum.Stacks, nameof(WindowMaximum.Stacks));
        if (maximum.Images % maximum.Stacks != 0)
        {
            throw new ArgumentException(
                $"Expected a multiple of {maximum.Stacks}, the number of stacks, got {maximum.Images}.",
                nameof(WindowMaximum.Images));
        }

        var elements =
            (double)maximum.Images / maximum.Stacks * maximum.Height.Input * maximum.Width.Input * maximum.Channels;
        if (elements > int.MaxValue)
        {
            throw new ArgumentException(
                $"Expected stacks of at most {int.MaxValue} elements, which Int32 can number, got {elements:F0}.", nameof(maximum));
        }
    }

    /// <summary>An axis with sizes that make sense.</summary>
    public static void Axis(WindowAxis axis, string argument)
    {
        Check.NotNegative(axis.Input, argument);
        Positive(axis.Kernel, argument);
        Positive(axis.Stride, argument);
        Positive(axis.Dilation, argument);
        Check.NotNegative(axis.Before, argument);
        Check.NotNegative(axis.After, argument);
    }

    /// <summary>A number that is 1 at least.</summary>
    public static void Positive(int value, string argument)
    {
        if (value < 1)
        {
            throw new ArgumentException($"Expected 1 or more, got {value}.", argument);
        }
    }

    private static void Place(int slot, long offset, string argument)
    {
        Check.NotNegative(slot, argument);
        Check.NotNegative(offset, argument);
    }

    private static void Reachable(WindowAxis axis, string argument)
    {
        var phase = AxisPhase.Forward(axis);
        for (var output = 0; output < phase.Count; output++)
        {
            if (!phase.Taps.Any(tap => (uint)(tap.Offset + (output * phase.Stride)) < (uint)axis.Input))
            {
                throw new ArgumentException(
                    $"Expected windows with an element each, got {axis}, whose window {output} is all outside.", argument);
            }
        }
    }
}
