using System.Diagnostics;

namespace Curvature.CSharp;

/// <summary>A tensor and its name.</summary>
/// <param name="Name">Such as <c>conv1.weight</c>.</param>
/// <param name="Tensor">Its values.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record NamedTensor(string Name, Tensor Tensor);

/// <summary>Files of named tensors in the safetensors format.</summary>
public static class Safetensors
{
    /// <inheritdoc cref="FSharp.Safetensors.readWith"/>
    public static IReadOnlyList<NamedTensor> Read(string path, ReadLimits? limits = null) =>
        FSharp.Safetensors.readWith(limits.OrDefault(), path.NotNull()).ToNamed();

    /// <inheritdoc cref="FSharp.Safetensors.readStream"/>
    public static IReadOnlyList<NamedTensor> Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Safetensors.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull()).ToNamed();

    /// <inheritdoc cref="FSharp.Safetensors.write"/>
    public static void Write(string path, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.write(path.NotNull(), tensors.ToPairs().ToFSharpList());

    /// <inheritdoc cref="FSharp.Safetensors.writeStream"/>
    public static void Write(Stream stream, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.writeStream(stream.NotNull(), tensors.ToPairs().ToFSharpList());

    internal static IReadOnlyList<NamedTensor> ToNamed(this IEnumerable<Tuple<string, Tensor>> tensors) =>
        tensors.Select(pair => new NamedTensor(pair.Item1, pair.Item2)).ToArray();

    internal static IEnumerable<Tuple<string, Tensor>> ToPairs(this IEnumerable<NamedTensor> tensors) =>
        from tensor in tensors.WithoutNull()
        select Tuple.Create(tensor.Name.NotNull(nameof(tensors)), tensor.Tensor.NotNull(nameof(tensors)));
}

/// <summary>Arrays as NumPy writes them: one in an .npy file, several by name in an .npz file. 16-bit floating point is
/// read as <see cref="DType.Float32"/>, and whole numbers and truth values as <see cref="DType.Int32"/>.</summary>
public static class Numpy
{
    /// <inheritdoc cref="FSharp.Numpy.readWith"/>
    public static Tensor Read(string path, ReadLimits? limits = null) =>
        FSharp.Numpy.readWith(limits.OrDefault(), path.NotNull());

    /// <inheritdoc cref="FSharp.Numpy.readStream"/>
    public static Tensor Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Numpy.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Numpy.readArchiveWith"/>
    public static IReadOnlyList<NamedTensor> ReadArchive(string path, ReadLimits? limits = null) =>
        FSharp.Numpy.readArchiveWith(limits.OrDefault(), path.NotNull()).ToNamed();

    /// <inheritdoc cref="FSharp.Numpy.readArchiveStream"/>
    public static IReadOnlyList<NamedTensor> ReadArchive(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Numpy.readArchiveStream(limits.OrDefault(), name.NotNull(), stream.NotNull()).ToNamed();

    /// <inheritdoc cref="FSharp.Numpy.write"/>
    public static void Write(string path, Tensor tensor) => FSharp.Numpy.write(path.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Numpy.writeStream"/>
    public static void Write(Stream stream, Tensor tensor) =>
        FSharp.Numpy.writeStream(stream.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Numpy.writeArchive"/>
    public static void WriteArchive(string path, IEnumerable<NamedTensor> tensors) =>
        FSharp.Numpy.writeArchive(path.NotNull(), tensors.ToPairs().ToFSharpList());

    /// <inheritdoc cref="FSharp.Numpy.writeArchiveStream"/>
    public static void WriteArchive(Stream stream, IEnumerable<NamedTensor> tensors) =>
        FSharp.Numpy.writeArchiveStream(stream.NotNull(), tensors.ToPairs().ToFSharpList());
}
