namespace Curvature.Kernels;

/// <summary>What follows from a convolution's description.</summary>
internal static class ConvolutionSizes
{
    /// <summary>Multiplications and additions, those with padding included.</summary>
    public static double Flops(this Convolution convolution) =>
        2.0 * convolution.Repeats * convolution.Images * convolution.Height.Output * convolution.Width.Output
        * convolution.Filters * convolution.Height.Kernel * convolution.Width.Kernel
        * convolution.ChannelsPerGroup();

    public static int ChannelsPerGroup(this Convolution convolution) => convolution.Channels / convolution.Groups;

    public static int FiltersPerGroup(this Convolution convolution) => convolution.Filters / convolution.Groups;

    /// <summary>Elements of all images of the input.</summary>
    public static long InputLength(this Convolution convolution) =>
        (long)convolution.Images * convolution.Height.Input * convolution.Width.Input * convolution.Channels;

    /// <summary>Elements of all images of the output.</summary>
    public static long OutputLength(this Convolution convolution) =>
        (long)convolution.Images * convolution.Height.Output * convolution.Width.Output * convolution.Filters;

    /// <summary>Elements of the filters.</summary>
    public static long FilterLength(this Convolution convolution) =>
        (long)convolution.Height.Kernel * convolution.Width.Kernel * convolution.ChannelsPerGroup() * convolution.Filters;

    /// <summary>The same with repetitions that share filters, and whose images follow each other, as one of more images.</summary>
    public static Convolution Folded(this Convolution convolution)
    {
        var folds = convolution.Repeats > 1 && convolution.FilterStep == 0
            && (long)convolution.Images * convolution.Repeats <= int.MaxValue
            && convolution.InputStep == convolution.InputLength() && convolution.OutputStep == convolution.OutputLength();
        return folds
            ? convolution with { Images = convolution.Images * convolution.Repeats, Repeats = 1 }
            : convolution;
    }

    /// <summary>A convolution for people, such as 128×32×32×16 * 3×3×16×16.</summary>
    public static string Describe(this Convolution convolution, ConvolutionForm form)
    {
        var what = form switch
        {
            ConvolutionForm.Forward => "convolve",
            ConvolutionForm.InputGradient => "convolve, input gradient",
            _ => "convolve, filter gradient",
        };
        var repeats = convolution.Repeats == 1 ? "" : $"{convolution.Repeats} of ";
        var height = convolution.Height;
        var width = convolution.Width;
        return $"{what} {repeats}{convolution.Images}×{height.Input}×{width.Input}×{convolution.Channels} * "
            + $"{height.Kernel}×{width.Kernel}×{convolution.ChannelsPerGroup()}×{convolution.Filters}"
            + (height.Stride == 1 && width.Stride == 1 ? "" : $" stride {height.Stride}×{width.Stride}")
            + (height.Dilation == 1 && width.Dilation == 1 ? "" : $" dilation {height.Dilation}×{width.Dilation}")
            + (convolution.Groups == 1 ? "" : $" groups {convolution.Groups}")
            + $" {convolution.DType}";
    }
}
