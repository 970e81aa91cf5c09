namespace Curvature.Kernels;

/// <summary>The input or the output of a convolution.</summary>
internal sealed record ImageArray(int Slot, long Offset, long Step, int Height, int Width, int Channels, int GroupChannels)
{
    /// <summary>Elements of a row.</summary>
    public nint RowLength => (nint)Width * Channels;

    /// <summary>Elements of an image.</summary>
    public nint ImageLength => Height * RowLength;

    public static ImageArray Input(Convolution convolution) => new(
        convolution.InputSlot,
        convolution.InputOffset,
        convolution.InputStep,
        convolution.Height.Input,
        convolution.Width.Input,
        convolution.Channels,
        convolution.ChannelsPerGroup());

    public static ImageArray Output(Convolution convolution) => new(
        convolution.OutputSlot,
        convolution.OutputOffset,
        convolution.OutputStep,
        convolution.Height.Output,
        convolution.Width.Output,
        convolution.Filters,
        convolution.FiltersPerGroup());
}
