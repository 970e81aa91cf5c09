namespace Curvature.CSharp;

/// <summary>A tensor and its name.</summary>
/// <param name="Name">Such as <c>conv1.weight</c>.</param>
/// <param name="Tensor">Its values.</param>
public sealed record NamedTensor(string Name, Tensor Tensor);

/// <summary>Images with their classes.</summary>
/// <param name="Images">[images, channels, height, width].</param>
/// <param name="Labels"><see cref="DType.Int32"/> [images].</param>
public sealed record LabelledImages(Tensor Images, Tensor Labels);

/// <summary>Files of named tensors in the safetensors format.</summary>
public static class Safetensors
{
    /// <summary>The named tensors of a file, in the order in which their elements lie in it. Float16 and BFloat16 become
    /// <see cref="DType.Float32"/>, and all integers <see cref="DType.Int32"/>.</summary>
    /// <exception cref="DataException">The file is not there, is damaged, or has element types that cannot be held.</exception>
    public static IReadOnlyList<NamedTensor> Read(string path) => FSharp.Safetensors.read(path.NotNull()).ToNamed();

    /// <summary>The same from a stream.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="DataException">The file is damaged, or has element types that cannot be held.</exception>
    public static IReadOnlyList<NamedTensor> Read(Stream stream, string name) =>
        FSharp.Safetensors.readStream(name.NotNull(), stream.NotNull()).ToNamed();

    /// <summary>Writes named tensors to a file, in the given order.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.write(path.NotNull(), tensors.ToPairs().ToFSharpList());

    /// <summary>Writes named tensors to a stream, in the given order.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    public static void Write(Stream stream, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.writeStream(stream.NotNull(), tensors.ToPairs().ToFSharpList());

    internal static IReadOnlyList<NamedTensor> ToNamed(this IEnumerable<Tuple<string, Tensor>> tensors) =>
        tensors.Select(pair => new NamedTensor(pair.Item1, pair.Item2)).ToArray();

    internal static IEnumerable<Tuple<string, Tensor>> ToPairs(this IEnumerable<NamedTensor> tensors) =>
        tensors.WithoutNull().Select(tensor => Tuple.Create(tensor.Name.NotNull(nameof(tensors)), tensor.Tensor.NotNull(nameof(tensors))));
}

/// <summary>The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): colour images of 32 × 32 pixels with their classes.</summary>
public static class Cifar
{
    /// <summary>The images of a CIFAR-10 file, [images, 3, 32, 32] with numbers from 0 to 1, and their classes from 0 to 9. The file may be
    /// compressed by gzip.</summary>
    /// <exception cref="DataException">The file is not there, empty, cut off, or not CIFAR-10.</exception>
    public static LabelledImages Read10(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read10(dtype, path.NotNull()).ToImages();

    /// <summary>The images of a CIFAR-100 file, [images, 3, 32, 32] with numbers from 0 to 1, and their fine classes from 0 to 99. The file
    /// may be compressed by gzip.</summary>
    /// <exception cref="DataException">The file is not there, empty, cut off, or not CIFAR-100.</exception>
    public static LabelledImages Read100(string path, DType dtype = DType.Float32) =>
        FSharp.Cifar.read100(dtype, path.NotNull()).ToImages();

    private static LabelledImages ToImages(this Tuple<Tensor, Tensor> images) => new(images.Item1, images.Item2);
}
