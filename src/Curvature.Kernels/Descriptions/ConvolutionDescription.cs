namespace Curvature.Kernels;

/// <summary>Which of the three arrays of a convolution is computed from the other two. With
/// φ(input, filters, output) = ⟨convolve(input, filters), output⟩, linear in each of the three, these are φ's partial
/// gradients, so that the family is closed under differentiation.</summary>
public enum ConvolutionForm
{
    /// <summary>The output from input and filters.</summary>
    Forward,

    /// <summary>The input from output and filters: the gradient with respect to the input.</summary>
    InputGradient,

    /// <summary>The filters from input and output: the gradient with respect to the filters.</summary>
    FilterGradient,
}

/// <summary>Sizes of a two-dimensional convolution. All arrays are row-major: the input [Images, Height, Width,
/// Channels], the filters [kernel height, kernel width, Channels / Groups, Filters], the output [Images, output height,
/// output width, Filters]. Filters fall into as many groups as channels do, in order; a filter reads the channels of
/// its group.</summary>
/// <param name="Images">The number of images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Channels">Channels of the input, a multiple of <paramref name="Groups"/>.</param>
/// <param name="Filters">Channels of the output, a multiple of <paramref name="Groups"/>.</param>
/// <param name="Groups">Groups of channels.</param>
public sealed record ConvolutionSizes(
    int Images, WindowAxis Height, WindowAxis Width, int Channels, int Filters, int Groups = 1)
{
    internal int ChannelsPerGroup => Channels / Groups;

    internal int FiltersPerGroup => Filters / Groups;

    /// <summary>Elements of all images of the input.</summary>
    internal long InputLength => (long)Images * Height.Input * Width.Input * Channels;

    /// <summary>Elements of all images of the output.</summary>
    internal long OutputLength => (long)Images * Height.Output * Width.Output * Filters;

    /// <summary>Elements of the filters.</summary>
    internal long FilterLength => (long)Height.Kernel * Width.Kernel * ChannelsPerGroup * Filters;
}

/// <summary>One or more two-dimensional convolutions of the same sizes.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Sizes">The sizes of each.</param>
/// <param name="Input">The inputs.</param>
/// <param name="Filters">The filters.</param>
/// <param name="Output">The outputs. The array that is computed is not shared.</param>
/// <param name="Accumulate">Add to the array that is computed instead of overwriting it.</param>
/// <param name="Repeats">The number of convolutions.</param>
public sealed record ConvolutionDescription(
    DType DType,
    ConvolutionSizes Sizes,
    RepeatedPlace Input,
    RepeatedPlace Filters,
    RepeatedPlace Output,
    bool Accumulate = false,
    int Repeats = 1)
{
    /// <summary>Multiplications and additions, those with padding included.</summary>
    internal double Flops =>
        2.0 * Repeats * Sizes.Images * Sizes.Height.Output * Sizes.Width.Output * Sizes.Filters
        * Sizes.Height.Kernel * Sizes.Width.Kernel * Sizes.ChannelsPerGroup;

    /// <summary>The same with convolutions that share filters, and whose images follow each other, as one of more
    /// images.</summary>
    internal ConvolutionDescription Folded()
    {
        var folds = Repeats > 1 && Filters.Step == 0
            && (long)Sizes.Images * Repeats <= int.MaxValue
            && Input.Step == Sizes.InputLength && Output.Step == Sizes.OutputLength;
        return folds ? this with { Sizes = Sizes with { Images = Sizes.Images * Repeats }, Repeats = 1 } : this;
    }

    /// <summary>A convolution for people, such as 128×32×32×16 * 3×3×16×16.</summary>
    internal string Describe(ConvolutionForm form)
    {
        var what = form switch
        {
            ConvolutionForm.Forward => "convolve",
            ConvolutionForm.InputGradient => "convolve, input gradient",
            _ => "convolve, filter gradient",
        };
        var repeats = Repeats == 1 ? "" : $"{Repeats} of ";
        var (images, height, width, channels, filters, groups) = Sizes;
        return $"{what} {repeats}{images}×{height.Input}×{width.Input}×{channels} * "
            + $"{height.Kernel}×{width.Kernel}×{Sizes.ChannelsPerGroup}×{filters}"
            + (height.Stride == 1 && width.Stride == 1 ? "" : $" stride {height.Stride}×{width.Stride}")
            + (height.Dilation == 1 && width.Dilation == 1 ? "" : $" dilation {height.Dilation}×{width.Dilation}")
            + (groups == 1 ? "" : $" groups {groups}")
            + $" {DType}";
    }
}
