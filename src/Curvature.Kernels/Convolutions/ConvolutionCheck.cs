namespace Curvature.Kernels;

/// <summary>Checks of convolutions.</summary>
internal static class ConvolutionCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(Convolution convolution, ConvolutionForm form)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        Check.Floating(convolution.DType, nameof(Convolution.DType));
        Check.NotNegative(convolution.Images, nameof(Convolution.Images));
        WindowCheck.Axis(convolution.Height, nameof(Convolution.Height));
        WindowCheck.Axis(convolution.Width, nameof(Convolution.Width));
        WindowCheck.Positive(convolution.Groups, nameof(Convolution.Groups));
        Grouped(convolution.Channels, convolution.Groups, nameof(Convolution.Channels));
        Grouped(convolution.Filters, convolution.Groups, nameof(Convolution.Filters));
        Place(convolution.InputSlot, convolution.InputOffset, convolution.InputStep, nameof(Convolution.InputSlot));
        Place(convolution.FilterSlot, convolution.FilterOffset, convolution.FilterStep, nameof(Convolution.FilterSlot));
        Place(convolution.OutputSlot, convolution.OutputOffset, convolution.OutputStep, nameof(Convolution.OutputSlot));
        Check.NotNegative(convolution.Repeats, nameof(Convolution.Repeats));
        var (height, width) = (convolution.Height, convolution.Width);
        WindowCheck.Length(convolution.Images, height.Input, width.Input, convolution.Channels, nameof(Convolution.Channels));
        WindowCheck.Length(convolution.Images, height.Output, width.Output, convolution.Filters, nameof(Convolution.Filters));
        WindowCheck.Length(
            height.Kernel, width.Kernel, convolution.ChannelsPerGroup(), convolution.Filters, nameof(Convolution.Filters));
        var (step, length) = form switch
        {
            ConvolutionForm.Forward => (convolution.OutputStep, convolution.OutputLength()),
            ConvolutionForm.InputGradient => (convolution.InputStep, convolution.InputLength()),
            ConvolutionForm.FilterGradient => (convolution.FilterStep, convolution.FilterLength()),
            _ => throw new DescriptionException($"Expected one of {nameof(ConvolutionForm)}, got {form}.", nameof(form)),
        };
        if (convolution.Repeats > 1 && step < length)
        {
            throw new DescriptionException(
                $"Expected a place of its own for each of {convolution.Repeats} results of {length} elements, got step {step}.",
                nameof(convolution));
        }
    }

    private static void Grouped(int count, int groups, string argument)
    {
        Check.NotNegative(count, argument);
        if (count % groups != 0)
        {
            throw new DescriptionException($"Expected a multiple of {groups}, the number of groups, got {count}.", argument);
        }
    }

    private static void Place(int slot, long offset, long step, string argument)
    {
        Check.NotNegative(slot, argument);
        Check.NotNegative(offset, argument);
        Check.NotNegative(step, argument);
    }
}
