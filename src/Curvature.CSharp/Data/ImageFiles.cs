using System.Diagnostics;

namespace Curvature.CSharp;

/// <summary>Images with their classes.</summary>
/// <param name="Images">[images, channels, height, width].</param>
/// <param name="Labels"><see cref="DType.Int32"/> [images].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record LabelledImages(Tensor Images, Tensor Labels);

/// <summary>Sets of images.</summary>
public static class ImageSets
{
    extension(ImageSet)
    {
        /// <inheritdoc cref="FSharp.ImageSet.create"/>
        public static ImageSet Create(byte[] pixels, int[] labels, int channels, int height, int width) =>
            FSharp.ImageSet.create(channels, height, width, labels.NotNull(), pixels.NotNull());

        /// <inheritdoc cref="FSharp.ImageSet.concat"/>
        public static ImageSet Concat(params IReadOnlyList<ImageSet> sets) =>
            FSharp.ImageSet.concat(sets.WithoutNull());
    }
}

/// <summary>The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009), plain or compressed by gzip: colour images of
/// 32 × 32 pixels with their classes.</summary>
public static class Cifar
{
    /// <inheritdoc cref="FSharp.Cifar.images10With"/>
    public static ImageSet Images10(string path, ReadLimits? limits = null) =>
        FSharp.Cifar.images10With(limits.OrDefault(), path.NotNull());

    /// <inheritdoc cref="FSharp.Cifar.readStream10"/>
    public static ImageSet Images10(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Cifar.readStream10(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Cifar.images100With"/>
    public static ImageSet Images100(string path, ReadLimits? limits = null) =>
        FSharp.Cifar.images100With(limits.OrDefault(), path.NotNull());

    /// <inheritdoc cref="FSharp.Cifar.readStream100"/>
    public static ImageSet Images100(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Cifar.readStream100(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Cifar.read10"/>
    public static LabelledImages Read10(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read10(dtype, path.NotNull()).Into((images, labels) => new LabelledImages(images, labels));

    /// <inheritdoc cref="FSharp.Cifar.read100"/>
    public static LabelledImages Read100(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read100(dtype, path.NotNull()).Into((images, labels) => new LabelledImages(images, labels));
}

/// <summary>The IDX format of MNIST, plain or compressed by gzip.</summary>
public static class Idx
{
    /// <inheritdoc cref="FSharp.Idx.readWith"/>
    public static Tensor Read(string path, ReadLimits? limits = null) =>
        FSharp.Idx.readWith(limits.OrDefault(), path.NotNull());

    /// <inheritdoc cref="FSharp.Idx.readStream"/>
    public static Tensor Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Idx.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Idx.imagesWith"/>
    public static ImageSet Images(string imagesPath, string labelsPath, ReadLimits? limits = null) =>
        FSharp.Idx.imagesWith(limits.OrDefault(), imagesPath.NotNull(), labelsPath.NotNull());
}
