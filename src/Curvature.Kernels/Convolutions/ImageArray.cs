namespace Curvature.Kernels;

/// <summary>The input or the output of a convolution.</summary>
internal sealed record ImageArray(RepeatedPlace Place, int Height, int Width, int Channels, int GroupChannels)
{
    /// <summary>Elements of a row.</summary>
    public nint RowLength => (nint)Width * Channels;

    /// <summary>Elements of an image.</summary>
    public nint ImageLength => Height * RowLength;

    /// <summary>The address of the first element of a group of channels of one of the arrays in a run.</summary>
    public unsafe T* Address<T>(nint[] slots, long repeat, int group)
        where T : unmanaged => Place.Address<T>(slots, repeat) + (group * GroupChannels);

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
