using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class ImageTests
{
    /// <summary>One image of three rows of three pixels, 1 … 9, with a single channel.</summary>
    private static readonly Tensor Image = (Tensor.Arange(DType.Float64, 9) + 1.0).Reshape(1, 1, 3, 3);

    private static readonly Tensor Filter = Tensor.FromArray([1, 0, 0, 1], 1, 1, 2, 2);

    [Test]
    public void AConvolutionSlidesItsFilter()
    {
        Assert.That(Nchw.Conv2d(Image, Filter).ToArray(), Is.EqualTo(new double[] { 6, 8, 12, 14 }));
        Assert.That(
            Nchw.Conv2d(Image, Filter, Sliding.Default.WithPadding(1).WithStride(2)).ToArray(),
            Is.EqualTo(new double[] { 1, 3, 7, 14 }));
    }

    [Test]
    public void BothLayoutsAgree() =>
        Assert.That(
            Nchw.FromNhwc(Nhwc.Conv2d(Nchw.ToNhwc(Image), Nchw.FiltersToNhwc(Filter))).ToArray(),
            Is.EqualTo(Nchw.Conv2d(Image, Filter).ToArray()));

    [Test]
    public void GroupsKeepTheirChannelsApart()
    {
        var images = Tensor.Concat(1, Image, 10.0 * Image);
        var filters = Tensor.Concat(0, Filter, Filter);
        Assert.That(
            Nchw.Conv2d(images, filters, groups: 2).ToArray(),
            Is.EqualTo(new double[] { 6, 8, 12, 14, 60, 80, 120, 140 }));
        Assert.That(
            () => Nchw.Conv2d(images, filters, groups: 3),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("3"));
    }

    [Test]
    public void PoolsTakeMeansAndMaxima()
    {
        Assert.That(Nchw.AveragePool2d(Image, 2, 2).ToArray(), Is.EqualTo(new double[] { 3, 4, 6, 7 }));
        Assert.That(Nchw.MaxPool2d(Image, 2, 2).ToArray(), Is.EqualTo(new double[] { 5, 6, 8, 9 }));
        Assert.That(Nchw.GlobalAveragePool(Image).ToArray(), Is.EqualTo(new double[] { 5 }));
        Assert.That(Nchw.Pad(Image, 1, 0, 0, 2).Shape, Is.EqualTo(new[] { 1, 1, 4, 5 }));

        var last = Nchw.ToNhwc(Image);
        Assert.That(Nhwc.AveragePool2d(last, 2, 2).ToArray(), Is.EqualTo(new double[] { 3, 4, 6, 7 }));
        Assert.That(Nhwc.MaxPool2d(last, 2, 2).ToArray(), Is.EqualTo(new double[] { 5, 6, 8, 9 }));
        Assert.That(Nhwc.GlobalAveragePool(last).ToArray(), Is.EqualTo(new double[] { 5 }));
        Assert.That(Nhwc.Pad(last, 1, 0, 0, 2).Shape, Is.EqualTo(new[] { 1, 4, 5, 1 }));
    }

    [Test]
    public void ATransposedConvolutionSpreadsEachPixel()
    {
        var pixels = Tensor.FromArray([1, 2], 1, 1, 1, 2);
        var filter = Tensor.FromArray([1, 10, 100], 1, 1, 1, 3);
        var sliding = Sliding.Default.WithStride(1, 2);
        Assert.That(
            Nchw.ConvTranspose2d(pixels, filter, sliding).ToArray(), Is.EqualTo(new double[] { 1, 10, 102, 20, 200 }));
        Assert.That(
            Nchw.ConvTranspose2d(pixels, filter, sliding, outputPadding: (0, 1)).ToArray(),
            Is.EqualTo(new double[] { 1, 10, 102, 20, 200, 0 }));
        Assert.That(
            Nhwc.ConvTranspose2d(Nchw.ToNhwc(pixels), Nchw.FiltersToNhwc(filter), sliding).ToArray(),
            Is.EqualTo(new double[] { 1, 10, 102, 20, 200 }));
        Assert.That(
            Nchw.ConvTranspose1d(pixels.Squeeze(2), filter.Squeeze(2), sliding.WithPadding(1)).ToArray(),
            Is.EqualTo(new double[] { 10, 102, 20 }));
        Assert.That(
            Nchw.Conv1d(pixels.Squeeze(2), filter.Squeeze(2), Sliding.Default.WithPadding(1)).ToArray(),
            Is.EqualTo(new double[] { 210, 21 }));
    }

    [Test]
    public void PoolsTakePartialWindowsAndLeaveZerosOut()
    {
        var ceil = Sliding.Default.WithStride(2).WithCeilMode(true);
        Assert.That(Nchw.MaxPool2d(Image, 2, 2, ceil).ToArray(), Is.EqualTo(new double[] { 5, 6, 8, 9 }));
        var around = ceil.WithPadding(1);
        Assert.That(
            Nchw.AveragePool2d(Image, 2, 2, around, countPadding: false).ToArray(),
            Is.EqualTo(new double[] { 1, 2.5, 5.5, 7 }));
        Assert.That(
            Nhwc.AveragePool2d(Nchw.ToNhwc(Image), 2, 2, around, countPadding: false).ToArray(),
            Is.EqualTo(new double[] { 1, 2.5, 5.5, 7 }));
        var signal = Tensor.FromArray([1, 2, 3, 4], 1, 1, 4);
        Assert.That(Nchw.AveragePool1d(signal, 3, around).ToArray(), Is.EqualTo(new double[] { 1, 3, 2 }));
        Assert.That(
            Nchw.AveragePool1d(signal, 3, around, countPadding: false).ToArray(),
            Is.EqualTo(new double[] { 1.5, 3, 4 }));
        Assert.That(Nchw.MaxPool1d(signal, 3, around).ToArray(), Is.EqualTo(new double[] { 2, 4, 4 }));
    }

    [Test]
    public void ImagesAreResized()
    {
        var pixels = Tensor.FromArray([1, 2], 1, 1, 1, 2);
        Assert.That(Nchw.ResizeNearest(pixels, 1, 4).ToArray(), Is.EqualTo(new double[] { 1, 1, 2, 2 }));
        Assert.That(Nchw.ResizeLinear(pixels, 1, 4).ToArray(), Is.EqualTo(new double[] { 1, 1.25, 1.75, 2 }));
        var corners = ResizeOptions.Default.WithCoordinates(ResizeCoordinates.AlignCorners);
        Assert.That(Resize.Linear(pixels, [3], [3], corners).ToArray(), Is.EqualTo(new double[] { 1, 1.5, 2 }));
        Assert.That(
            Resize.Nearest(pixels, [-1], [3], corners.WithRounding(ResizeRounding.Ceil)).ToArray(),
            Is.EqualTo(new double[] { 1, 2, 2 }));
        Assert.That(
            () => Resize.Nearest(pixels, [-1], [0]),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("resizeNearest"));
    }

    [Test]
    public void AFilterThatDoesNotFitIsRefusedBySize() =>
        Assert.That(
            () => Nchw.Conv2d(Image, Tensor.Ones(DType.Float64, 1, 1, 4, 4)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("4").And.Message.Contains("3"));
}
