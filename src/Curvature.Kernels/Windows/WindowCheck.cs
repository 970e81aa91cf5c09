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
        Length(sum.Images, sum.Height.Input, sum.Width.Input, sum.Channels, nameof(sum));
        Length(sum.Images, sum.Height.Output, sum.Width.Output, sum.Channels, nameof(sum));
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
        Length(maximum.Images, maximum.Height.Input, maximum.Width.Input, maximum.Channels, nameof(maximum));
        Length(maximum.Images, maximum.Height.Output, maximum.Width.Output, maximum.Channels, nameof(maximum));
        Reachable(maximum.Height, nameof(WindowMaximum.Height));
        Reachable(maximum.Width, nameof(WindowMaximum.Width));
        Positive(maximum.Stacks, nameof(WindowMaximum.Stacks));
        if (maximum.Images % maximum.Stacks != 0)
        {
            throw new DescriptionException(
                $"Expected a multiple of {maximum.Stacks}, the number of stacks, got {maximum.Images}.",
                nameof(WindowMaximum.Images));
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
        if (Math.Max(axis.Padded, axis.Span) > int.MaxValue)
        {
            throw TooLong(Math.Max(axis.Padded, axis.Span), argument);
        }
    }

    /// <summary>Throws where an array of these sizes has more elements than 32-bit numbers can count. Sizes of 0 count as 1,
    /// so that products of the others do not overflow either.</summary>
    public static void Length(int images, int height, int width, int channels, string argument)
    {
        var length = 1L;
        foreach (var size in (ReadOnlySpan<int>)[images, height, width, channels])
        {
            length *= Math.Max(1, size);
            if (length > int.MaxValue)
            {
                throw TooLong(length, argument);
            }
        }
    }

    /// <summary>More positions or elements than 32-bit numbers can count.</summary>
    public static DescriptionException TooLong(long length, string argument) =>
        new($"Expected at most {int.MaxValue} positions, got {length}.", argument);

    /// <summary>A number that is 1 at least.</summary>
    public static void Positive(int value, string argument)
    {
        if (value < 1)
        {
            throw new DescriptionException($"Expected 1 or more, got {value}.", argument);
        }
    }

    private static void Place(int slot, long offset, string argument)
    {
        Check.NotNegative(slot, argument);
        Check.NotNegative(offset, argument);
    }

    private static void Reachable(WindowAxis axis, string argument)
    {
        var count = axis.Output;
        for (var output = 0; output < count; output++)
        {
            // The first position of the window that is not before the input.
            var start = ((long)output * axis.Stride) - axis.Before;
            var skipped = start >= 0 ? 0 : (-start + axis.Dilation - 1) / axis.Dilation;
            if (skipped >= axis.Kernel || start + (skipped * axis.Dilation) >= axis.Input)
            {
                throw new DescriptionException(
                    $"Expected windows with an element each, got {axis}, whose window {output} is all outside.", argument);
            }
        }
    }
}
