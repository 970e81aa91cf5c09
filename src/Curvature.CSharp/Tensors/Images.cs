namespace Curvature.CSharp;

/// <summary>Images with the channels last, [N, height, width, channels]: the layout in which convolutions run. A
/// network that stays in it moves no elements between its layers. How windows move over images is said by a
/// <see cref="Sliding"/>; without one, in steps of 1 and with no zeros around the image.</summary>
public static class Nhwc
{
    /// <inheritdoc cref="FSharp.Nhwc.groupedConv2d"/>
    public static Tensor Conv2d(Tensor images, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nhwc.groupedConv2d(groups, sliding ?? Sliding.Default, filters.NotNull(), images.NotNull());

    /// <inheritdoc cref="FSharp.Nhwc.averagePool2d"/>
    public static Tensor AveragePool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nhwc.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

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

    /// <inheritdoc cref="FSharp.Nchw.averagePool2d"/>
    public static Tensor AveragePool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nchw.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <inheritdoc cref="FSharp.Nchw.maxPool2d"/>
    public static Tensor MaxPool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nchw.maxPool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

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
