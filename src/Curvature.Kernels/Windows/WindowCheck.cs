namespace Curvature.Kernels;

/// <summary>Checks of windows.</summary>
internal static class WindowCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(WindowSumDescription sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        Check.Floating(sum.DType, nameof(WindowSumDescription.DType));
        Sizes(sum.Sizes, nameof(sum));
        Check.Place(sum.Source, nameof(WindowSumDescription.Source));
        Check.Place(sum.Target, nameof(WindowSumDescription.Target));
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(WindowMaximumDescription maximum)
    {
        ArgumentNullException.ThrowIfNull(maximum);
        Check.Floating(maximum.DType, nameof(WindowMaximumDescription.DType));
        Check.Place(maximum.Source, nameof(WindowMaximumDescription.Source));
        Check.Place(maximum.Target, nameof(WindowMaximumDescription.Target));
        var sizes = maximum.Sizes;
        Sizes(sizes, nameof(maximum));
        Reachable(sizes.Height, nameof(WindowSizes.Height));
        Reachable(sizes.Width, nameof(WindowSizes.Width));
        Check.Positive(maximum.Stacks, nameof(WindowMaximumDescription.Stacks));
        if (sizes.Images % maximum.Stacks != 0)
        {
            throw new DescriptionException(
                $"Expected a multiple of {maximum.Stacks}, the number of stacks, got {sizes.Images}.",
                nameof(WindowSizes.Images));
        }
    }

    /// <summary>An axis with sizes that make sense.</summary>
    public static void Axis(WindowAxis axis, string argument)
    {
        Check.NotNegative(axis.Input, argument);
        Check.Positive(axis.Kernel, argument);
        Check.Positive(axis.Stride, argument);
        Check.Positive(axis.Dilation, argument);
        Check.NotNegative(axis.Before, argument);
        Check.NotNegative(axis.After, argument);
        if (Math.Max(axis.Padded, axis.Span) > int.MaxValue)
        {
            throw TooLong(Math.Max(axis.Padded, axis.Span), argument);
        }
    }

    /// <summary>Throws where an array of these sizes has more elements than 32-bit numbers can count. Sizes of 0 count
    /// as 1, so that products of the others do not overflow either.</summary>
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

    private static void Sizes(WindowSizes sizes, string argument)
    {
        var (images, height, width, channels) = sizes;
        Check.NotNegative(images, nameof(WindowSizes.Images));
        Axis(height, nameof(WindowSizes.Height));
        Axis(width, nameof(WindowSizes.Width));
        Check.NotNegative(channels, nameof(WindowSizes.Channels));
        Length(images, height.Input, width.Input, channels, argument);
        Length(images, height.Output, width.Output, channels, argument);
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
                    $"Expected windows with an element each, got {axis}, whose window {output} is all outside.",
                    argument);
            }
        }
    }
}
