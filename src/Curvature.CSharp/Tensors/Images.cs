namespace Curvature.CSharp;

/// <summary>Images with the channels last, [N, height, width, channels]: the layout in which convolutions run. A
/// network that stays in it moves no elements between its layers. How windows move over images is said by a
/// <see cref="Sliding"/>; without one, in steps of 1 and with no zeros around the image.</summary>
public static class Nhwc
{
    /// <inheritdoc cref="FSharp.Nhwc.groupedConv2d"/>
    public static Tensor Conv2d(Tensor images, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nhwc.groupedConv2d(groups, sliding ?? Sliding.Default, filters.NotNull(), images.NotNull());

    /// <inheritdoc cref="FSharp.Nhwc.groupedConvTranspose2d"/>
    public static Tensor ConvTranspose2d(
        Tensor images,
        Tensor filters,
        Sliding? sliding = null,
        int groups = 1,
        (int Height, int Width) outputPadding = default) =>
        FSharp.Nhwc.groupedConvTranspose2d(
            groups,
            outputPadding.Height,
            outputPadding.Width,
            sliding ?? Sliding.Default,
            filters.NotNull(),
            images.NotNull());

    /// <summary>The mean over each window. Zeros around the image count, as in PyTorch, or do not; then at most half of
    /// a window may lie outside the image. In ceil mode, what a window has beyond these zeros does not count.</summary>
    public static Tensor AveragePool2d(
        Tensor images, int height, int width, Sliding? sliding = null, bool countPadding = true) =>
        countPadding
            ? FSharp.Nhwc.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull())
            : FSharp.Nhwc.averagePool2dWithoutPadding(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <inheritdoc cref="FSharp.Nhwc.maxPool2d"/>
    public static Tensor MaxPool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nhwc.maxPool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <inheritdoc cref="FSharp.Nhwc.globalAveragePool"/>
    public static Tensor GlobalAveragePool(Tensor images) => FSharp.Nhwc.globalAveragePool(images.NotNull());

    /// <inheritdoc cref="FSharp.Nhwc.pad"/>
    public static Tensor Pad(Tensor images, int top, int bottom, int left, int right) =>
        FSharp.Nhwc.pad(top, bottom, left, right, images.NotNull());
}

/// <summary>Images in PyTorch's layout, [N, channels, height, width], with filters [K, C / groups, KH, KW]. Elements
/// are brought into the order of <see cref="Nhwc"/> and back, which costs nothing between one convolution and the next
/// in a compiled function.</summary>
public static class Nchw
{
    /// <inheritdoc cref="FSharp.Nchw.groupedConv2d"/>
    public static Tensor Conv2d(Tensor images, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nchw.groupedConv2d(groups, sliding ?? Sliding.Default, filters.NotNull(), images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.groupedConvTranspose2d"/>
    public static Tensor ConvTranspose2d(
        Tensor images,
        Tensor filters,
        Sliding? sliding = null,
        int groups = 1,
        (int Height, int Width) outputPadding = default) =>
        FSharp.Nchw.groupedConvTranspose2d(
            groups,
            outputPadding.Height,
            outputPadding.Width,
            sliding ?? Sliding.Default,
            filters.NotNull(),
            images.NotNull());

    /// <summary>The mean over each window. Zeros around the image count, as in PyTorch, or do not; then at most half of
    /// a window may lie outside the image. In ceil mode, what a window has beyond these zeros does not count.</summary>
    public static Tensor AveragePool2d(
        Tensor images, int height, int width, Sliding? sliding = null, bool countPadding = true) =>
        countPadding
            ? FSharp.Nchw.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull())
            : FSharp.Nchw.averagePool2dWithoutPadding(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.maxPool2d"/>
    public static Tensor MaxPool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nchw.maxPool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.groupedConv1d"/>
    public static Tensor Conv1d(Tensor signals, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nchw.groupedConv1d(groups, sliding ?? Sliding.Default, filters.NotNull(), signals.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.groupedConvTranspose1d"/>
    public static Tensor ConvTranspose1d(
        Tensor signals, Tensor filters, Sliding? sliding = null, int groups = 1, int outputPadding = 0) =>
        FSharp.Nchw.groupedConvTranspose1d(
            groups, outputPadding, sliding ?? Sliding.Default, filters.NotNull(), signals.NotNull());

    /// <summary>The mean over each window of signals [N, channels, length], as <see cref="AveragePool2d"/> of images.
    /// </summary>
    public static Tensor AveragePool1d(
        Tensor signals, int size, Sliding? sliding = null, bool countPadding = true) =>
        countPadding
            ? FSharp.Nchw.averagePool1d(size, sliding ?? Sliding.Default, signals.NotNull())
            : FSharp.Nchw.averagePool1dWithoutPadding(size, sliding ?? Sliding.Default, signals.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.maxPool1d"/>
    public static Tensor MaxPool1d(Tensor signals, int size, Sliding? sliding = null) =>
        FSharp.Nchw.maxPool1d(size, sliding ?? Sliding.Default, signals.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.resizeNearest"/>
    public static Tensor ResizeNearest(Tensor images, int height, int width, ResizeOptions? options = null) =>
        FSharp.Nchw.resizeNearest(options ?? ResizeOptions.Default, height, width, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.resizeLinear"/>
    public static Tensor ResizeLinear(Tensor images, int height, int width, ResizeOptions? options = null) =>
        FSharp.Nchw.resizeLinear(options ?? ResizeOptions.Default, height, width, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.globalAveragePool"/>
    public static Tensor GlobalAveragePool(Tensor images) => FSharp.Nchw.globalAveragePool(images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.pad"/>
    public static Tensor Pad(Tensor images, int top, int bottom, int left, int right) =>
        FSharp.Nchw.pad(top, bottom, left, right, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.toNhwc"/>
    public static Tensor ToNhwc(Tensor images) => FSharp.Nchw.toNhwc(images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.ofNhwc"/>
    public static Tensor FromNhwc(Tensor images) => FSharp.Nchw.ofNhwc(images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.filtersToNhwc"/>
    public static Tensor FiltersToNhwc(Tensor filters) => FSharp.Nchw.filtersToNhwc(filters.NotNull());
}

/// <summary>Axes of other lengths, as ONNX's Resize and torch.nn.functional.interpolate. Places outside an axis are
/// those of its end.</summary>
public static class Resize
{
    /// <inheritdoc cref="FSharp.Resize.nearest"/>
    public static Tensor Nearest(
        Tensor tensor, IReadOnlyList<int> axes, IReadOnlyList<int> lengths, ResizeOptions? options = null) =>
        FSharp.Resize.nearest(
            options ?? ResizeOptions.Default, axes.ToFSharpList(), lengths.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Resize.linear"/>
    public static Tensor Linear(
        Tensor tensor, IReadOnlyList<int> axes, IReadOnlyList<int> lengths, ResizeOptions? options = null) =>
        FSharp.Resize.linear(
            options ?? ResizeOptions.Default, axes.ToFSharpList(), lengths.ToFSharpList(), tensor.NotNull());
}
