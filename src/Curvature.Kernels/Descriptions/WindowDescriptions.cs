namespace Curvature.Kernels;

/// <summary>Sizes of a row-major array of images, [Images, Height, Width, Channels], and of the windows on
/// it.</summary>
/// <param name="Images">The number of images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Channels">Channels, each with windows of its own.</param>
public readonly record struct WindowSizes(int Images, WindowAxis Height, WindowAxis Width, int Channels)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Images}×{Height.Input}×{Width.Input}×{Channels} by {Height.Kernel}×{Width.Kernel}";

    /// <summary>Elements of all images.</summary>
    internal long Elements => (long)Images * Height.Input * Width.Input * Channels;
}

/// <summary>Sums over windows of images. The side of the elements has the shape of the images, the side of the windows
/// [Images, output height, output width, Channels]; both are row-major.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Sizes">The images and the windows.</param>
/// <param name="Adjoint">False: the target holds for each window the sum of its elements. True: the source holds a
/// number for each window, and the target, for each element, the sum over the windows that it is in.</param>
/// <param name="Source">What is summed.</param>
/// <param name="Target">The sums.</param>
public sealed record WindowSumDescription(DType DType, WindowSizes Sizes, bool Adjoint, Place Source, Place Target);

/// <summary>Positions of largest elements of windows of images. The target, Int32 and row-major [Images, output height,
/// output width, Channels], holds for each window and channel the position of the first largest element, or of the
/// first NaN if there is one. Every window must have an element inside the image; places outside do not
/// count.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Sizes">The images and the windows.</param>
/// <param name="Source">The images.</param>
/// <param name="Target">The positions.</param>
/// <param name="Stacks">Equal parts into which the images fall, in order. Positions are counted from the start of the
/// part, row-major.</param>
public sealed record WindowMaximumDescription(
    DType DType, WindowSizes Sizes, Place Source, Place Target, int Stacks = 1);
