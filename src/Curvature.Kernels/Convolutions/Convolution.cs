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

/// <summary>Sizes and places of a two-dimensional convolution. All arrays are row-major: the input
/// [Images, Height, Width, Channels], the filters [kernel height, kernel width, Channels / Groups, Filters], the output
/// [Images, output height, output width, Filters]. Filters fall into as many groups as channels do, in order; a filter
/// reads the channels of its group.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Channels">Channels of the input, a multiple of <paramref name="Groups"/>.</param>
/// <param name="Filters">Channels of the output, a multiple of <paramref name="Groups"/>.</param>
/// <param name="Groups">Groups of channels.</param>
/// <param name="InputSlot">Slot of the input.</param>
/// <param name="InputOffset">Its first element.</param>
/// <param name="FilterSlot">Slot of the filters.</param>
/// <param name="FilterOffset">Their first element.</param>
/// <param name="OutputSlot">Slot of the output.</param>
/// <param name="OutputOffset">Its first element.</param>
/// <param name="Accumulate">Add to the array that is computed instead of overwriting it.</param>
/// <param name="Repeats">How many such convolutions are computed, one beside the other.</param>
/// <param name="InputStep">Elements from the input of one to that of the next; 0 where they share it.</param>
/// <param name="FilterStep">The same for the filters.</param>
/// <param name="OutputStep">The same for the output. The array that is computed is not shared.</param>
public sealed record Convolution(
    DType DType,
    int Images,
    WindowAxis Height,
    WindowAxis Width,
    int Channels,
    int Filters,
    int Groups,
    int InputSlot,
    long InputOffset,
    int FilterSlot,
    long FilterOffset,
    int OutputSlot,
    long OutputOffset,
    bool Accumulate = false,
    int Repeats = 1,
    long InputStep = 0,
    long FilterStep = 0,
    long OutputStep = 0);
