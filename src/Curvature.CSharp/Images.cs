namespace Curvature.CSharp;

/// <summary>Images with the channels last, [N, height, width, channels]: the layout in which convolutions run. A network that stays in it
/// moves no elements between its layers. How windows move over images is said by a <see cref="Sliding"/>; without one, in steps of 1 and
/// with no zeros around the image.</summary>
public static class Nhwc
{
    /// <summary>A convolution: images [N, H, W, C] and filters [KH, KW, C / groups, K] give [N, H′, W′, K], with
    /// H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1. As is usual for networks, filters are not flipped.</summary>
    /// <param name="images">[N, H, W, C].</param>
    /// <param name="filters">[KH, KW, C / groups, K].</param>
    /// <param name="sliding">How windows move; <see cref="Sliding.Default"/> where it is not said.</param>
    /// <param name="groups">Filters and channels fall into as many groups, in order, and a filter reads the channels of its group.</param>
    /// <exception cref="ShapeException">Images and filters do not fit together, or no window fits.</exception>
    /// <exception cref="ArgumentRangeException">The groups do not divide channels and filters.</exception>
    public static Tensor Conv2d(Tensor images, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nhwc.groupedConv2d(groups, sliding ?? Sliding.Default, filters.NotNull(), images.NotNull());

    /// <summary>The mean over each window, zeros around the image included.</summary>
    /// <exception cref="ShapeException">No window fits.</exception>
    public static Tensor AveragePool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nhwc.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <summary>The largest element of each window; zeros around the image do not count. Its derivative is that of the first largest
    /// element. NaN in a window comes out as NaN.</summary>
    /// <exception cref="ShapeException">No window fits.</exception>
    /// <exception cref="ArgumentRangeException">More than half of a window would lie outside the image.</exception>
    public static Tensor MaxPool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nhwc.maxPool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <summary>The mean over all pixels: [N, H, W, C] to [N, C].</summary>
    public static Tensor GlobalAveragePool(Tensor images) => FSharp.Nhwc.globalAveragePool(images.NotNull());

    /// <summary>Zeros around the images.</summary>
    public static Tensor Pad(Tensor images, int top, int bottom, int left, int right) =>
        FSharp.Nhwc.pad(top, bottom, left, right, images.NotNull());
}

/// <summary>Images in PyTorch's layout, [N, channels, height, width], with filters [K, C / groups, KH, KW]. Elements are brought into the
/// order of <see cref="Nhwc"/> and back, which costs nothing between one convolution and the next in a compiled function.</summary>
public static class Nchw
{
    /// <summary>A convolution, as torch.nn.functional.conv2d: images [N, C, H, W] and filters [K, C / groups, KH, KW] give [N, K, H′, W′],
    /// with H′ = ⌊(H + zeros − (KH − 1)·dilation − 1) / stride⌋ + 1.</summary>
    /// <param name="images">[N, C, H, W].</param>
    /// <param name="filters">[K, C / groups, KH, KW].</param>
    /// <param name="sliding">How windows move; <see cref="Sliding.Default"/> where it is not said.</param>
    /// <param name="groups">Filters and channels fall into as many groups, in order, and a filter reads the channels of its group.</param>
    /// <exception cref="ShapeException">Images and filters do not fit together, or no window fits.</exception>
    /// <exception cref="ArgumentRangeException">The groups do not divide channels and filters.</exception>
    public static Tensor Conv2d(Tensor images, Tensor filters, Sliding? sliding = null, int groups = 1) =>
        FSharp.Nchw.groupedConv2d(groups, sliding ?? Sliding.Default, filters.NotNull(), images.NotNull());

    /// <summary>The mean over each window, zeros around the image included, as torch.nn.functional.avg_pool2d.</summary>
    /// <exception cref="ShapeException">No window fits.</exception>
    public static Tensor AveragePool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nchw.averagePool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <summary>The largest element of each window, as torch.nn.functional.max_pool2d. Its derivative is that of the first largest
    /// element.</summary>
    /// <exception cref="ShapeException">No window fits.</exception>
    /// <exception cref="ArgumentRangeException">More than half of a window would lie outside the image.</exception>
    public static Tensor MaxPool2d(Tensor images, int height, int width, Sliding? sliding = null) =>
        FSharp.Nchw.maxPool2d(height, width, sliding ?? Sliding.Default, images.NotNull());

    /// <summary>The mean over all pixels: [N, C, H, W] to [N, C].</summary>
    public static Tensor GlobalAveragePool(Tensor images) => FSharp.Nchw.globalAveragePool(images.NotNull());

    /// <summary>Zeros around the images.</summary>
    public static Tensor Pad(Tensor images, int top, int bottom, int left, int right) =>
        FSharp.Nchw.pad(top, bottom, left, right, images.NotNull());

    /// <summary>[N, channels, height, width] to [N, height, width, channels].</summary>
    public static Tensor ToNhwc(Tensor images) => FSharp.Nchw.toNhwc(images.NotNull());

    /// <summary>[N, height, width, channels] to [N, channels, height, width].</summary>
    public static Tensor FromNhwc(Tensor images) => FSharp.Nchw.ofNhwc(images.NotNull());

    /// <summary>Filters [K, C / groups, KH, KW] to [KH, KW, C / groups, K].</summary>
    public static Tensor FiltersToNhwc(Tensor filters) => FSharp.Nchw.filtersToNhwc(filters.NotNull());
}
