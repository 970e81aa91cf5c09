namespace Curvature.CSharp;

/// <summary>Images with their classes.</summary>
/// <param name="Images">[images, channels, height, width].</param>
/// <param name="Labels"><see cref="DType.Int32"/> [images].</param>
public sealed record LabelledImages(Tensor Images, Tensor Labels);

/// <summary>Sets of images.</summary>
public static class ImageSets
{
    extension(ImageSet)
    {
        /// <summary>Images of channels × height × width bytes, one image after the other, each channel row by row, and the class of each.</summary>
        /// <exception cref="ArgumentRangeException">A size is less than 1.</exception>
        /// <exception cref="DataException">Bytes and classes do not go together, or a class is negative.</exception>
        public static ImageSet Create(byte[] pixels, int[] labels, int channels, int height, int width) =>
            FSharp.ImageSet.create(channels, height, width, labels.NotNull(), pixels.NotNull());

        /// <summary>The images of several sets one after the other, such as those of the five files of CIFAR-10.</summary>
        /// <exception cref="DataException">There are no sets.</exception>
        /// <exception cref="ShapeException">Images differ in size.</exception>
        public static ImageSet Concat(params IReadOnlyList<ImageSet> sets) => FSharp.ImageSet.concat(sets.WithoutNull());
    }
}

/// <summary>The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009), plain or compressed by gzip: colour images of 32 × 32 pixels with
/// their classes.</summary>
public static class Cifar
{
    /// <summary>The images of a CIFAR-10 file such as data_batch_1.bin, as bytes, with their classes from 0 to 9.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is not there, empty, cut off, not CIFAR-10, or exceeds the
    /// limits.</exception>
    public static ImageSet Images10(string path, ReadLimits? limits = null) =>
        FSharp.Cifar.images10With(limits.OrDefault(), path.NotNull());

    /// <summary>The images of a CIFAR-10 stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is empty, cut off, not CIFAR-10, or exceeds the limits.</exception>
    public static ImageSet Images10(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Cifar.readStream10(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <summary>The images of a CIFAR-100 file such as train.bin, as bytes, with their fine classes from 0 to 99.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is not there, empty, cut off, not CIFAR-100, or exceeds the
    /// limits.</exception>
    public static ImageSet Images100(string path, ReadLimits? limits = null) =>
        FSharp.Cifar.images100With(limits.OrDefault(), path.NotNull());

    /// <summary>The images of a CIFAR-100 stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is empty, cut off, not CIFAR-100, or exceeds the limits.</exception>
    public static ImageSet Images100(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Cifar.readStream100(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <summary>The images of a CIFAR-10 file, [images, 3, 32, 32] with numbers from 0 to 1, and their classes from 0 to 9.</summary>
    /// <exception cref="DataException">The file is not there, empty, cut off, or not CIFAR-10.</exception>
    /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
    public static LabelledImages Read10(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read10(dtype, path.NotNull()).ToImages();

    /// <summary>The images of a CIFAR-100 file, [images, 3, 32, 32] with numbers from 0 to 1, and their fine classes from 0 to 99.</summary>
    /// <exception cref="DataException">The file is not there, empty, cut off, or not CIFAR-100.</exception>
    /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
    public static LabelledImages Read100(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read100(dtype, path.NotNull()).ToImages();

    private static LabelledImages ToImages(this Tuple<Tensor, Tensor> images) => new(images.Item1, images.Item2);
}

/// <summary>The IDX format of MNIST, plain or compressed by gzip.</summary>
public static class Idx
{
    /// <summary>The array of a file: <see cref="DType.Float32"/>, <see cref="DType.Float64"/>, or <see cref="DType.Int32"/> for whole
    /// numbers.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is missing, not what the format asks for, or exceeds the
    /// limits.</exception>
    public static Tensor Read(string path, ReadLimits? limits = null) =>
        FSharp.Idx.readWith(limits.OrDefault(), path.NotNull());

    /// <summary>The array of a stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is not what the format asks for, or exceeds the limits.</exception>
    public static Tensor Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Idx.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <summary>Images and their labels from two files such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.</summary>
    /// <param name="imagesPath">Images [count, height, width] of 8 bits.</param>
    /// <param name="labelsPath">Labels [count] of 8 bits.</param>
    /// <param name="limits">How much is taken of each file before it is refused; <see cref="ReadLimits.Default"/> where
    /// there are none.</param>
    /// <exception cref="DataException">The files are missing, broken, exceed the limits, or do not belong
    /// together.</exception>
    public static ImageSet Images(string imagesPath, string labelsPath, ReadLimits? limits = null) =>
        FSharp.Idx.imagesWith(limits.OrDefault(), imagesPath.NotNull(), labelsPath.NotNull());
}
