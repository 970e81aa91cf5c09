namespace Curvature.Kernels;

/// <summary>Checks of convolutions.</summary>
internal static class ConvolutionCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(ConvolutionDescription convolution, ConvolutionForm form)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ArgumentNullException.ThrowIfNull(convolution.Sizes, nameof(ConvolutionDescription.Sizes));
        Check.Floating(convolution.DType, nameof(ConvolutionDescription.DType));
        Sizes(convolution.Sizes);
        Place(convolution.Input, nameof(ConvolutionDescription.Input));
        Place(convolution.Filters, nameof(ConvolutionDescription.Filters));
        Place(convolution.Output, nameof(ConvolutionDescription.Output));
        Check.NotNegative(convolution.Repeats, nameof(ConvolutionDescription.Repeats));
        Check.Defined(form, nameof(form));
        var (step, length) = form switch
        {
            ConvolutionForm.Forward => (convolution.Output.Step, convolution.Sizes.OutputLength),
            ConvolutionForm.InputGradient => (convolution.Input.Step, convolution.Sizes.InputLength),
            _ => (convolution.Filters.Step, convolution.Sizes.FilterLength),
        };
        if (convolution.Repeats > 1 && step < length)
        {
            throw new DescriptionException(
                $"Expected a place for each of {convolution.Repeats} results of {length} elements, got step {step}.",
                nameof(convolution));
        }
    }

    private static void Sizes(ConvolutionSizes sizes)
    {
        var (images, height, width, channels, filters, groups) = sizes;
        Check.NotNegative(images, nameof(ConvolutionSizes.Images));
        WindowCheck.Axis(height, nameof(ConvolutionSizes.Height));
        WindowCheck.Axis(width, nameof(ConvolutionSizes.Width));
        Check.Positive(groups, nameof(ConvolutionSizes.Groups));
        Grouped(channels, groups, nameof(ConvolutionSizes.Channels));
        Grouped(filters, groups, nameof(ConvolutionSizes.Filters));
        WindowCheck.Length(images, height.Input, width.Input, channels, nameof(ConvolutionSizes.Channels));
        WindowCheck.Length(images, height.Output, width.Output, filters, nameof(ConvolutionSizes.Filters));
        WindowCheck.Length(
            height.Kernel, width.Kernel, sizes.ChannelsPerGroup, filters, nameof(ConvolutionSizes.Filters));
    }

    private static void Grouped(int count, int groups, string argument)
    {
        Check.NotNegative(count, argument);
        if (count % groups != 0)
        {
            throw new DescriptionException(
                $"Expected a multiple of {groups}, the number of groups, got {count}.", argument);
        }
    }

    private static void Place(RepeatedPlace place, string argument)
    {
        Check.Place(place.First, argument);
        Check.NotNegative(place.Step, argument);
    }
}
