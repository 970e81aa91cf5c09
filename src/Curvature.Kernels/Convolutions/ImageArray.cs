namespace Curvature.Kernels;

/// <summary>The input or the output of a convolution.</summary>
internal sealed record ImageArray(RepeatedPlace Place, int Height, int Width, int Channels, int GroupChannels)
{
    /// <summary>Elements of a row.</summary>
    public nint RowLength => (nint)Width * Channels;

    /// <summary>Elements of an image.</summary>
    public nint ImageLength => Height * RowLength;

    public static ImageArray Input(ConvolutionDescription convolution)
    {
        var sizes = convolution.Sizes;
        return new(convolution.Input, sizes.Height.Input, sizes.Width.Input, sizes.Channels, sizes.ChannelsPerGroup);
    }

    public static ImageArray Output(ConvolutionDescription convolution)
    {
        var sizes = convolution.Sizes;
        return new(convolution.Output, sizes.Height.Output, sizes.Width.Output, sizes.Filters, sizes.FiltersPerGroup);
    }
}
