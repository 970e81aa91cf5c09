namespace Curvature.CSharp;

/// <summary>A tensor and its name.</summary>
/// <param name="Name">Such as <c>conv1.weight</c>.</param>
/// <param name="Tensor">Its values.</param>
public sealed record NamedTensor(string Name, Tensor Tensor);

/// <summary>Files of named tensors in the safetensors format.</summary>
public static class Safetensors
{
    /// <summary>The named tensors of a file, in the order in which their elements lie in it. Float16 and BFloat16 become
    /// <see cref="DType.Float32"/>, and all integers <see cref="DType.Int32"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is not there, is damaged, has element types that cannot be held, or
    /// exceeds the limits.</exception>
    public static IReadOnlyList<NamedTensor> Read(string path, ReadLimits? limits = null) =>
        FSharp.Safetensors.readWith(limits.OrDefault(), path.NotNull()).ToNamed();

    /// <summary>The same from a stream.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is damaged, has element types that cannot be held, or exceeds the
    /// limits.</exception>
    public static IReadOnlyList<NamedTensor> Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Safetensors.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull()).ToNamed();

    /// <summary>Writes named tensors to a file, in the given order, as a whole or not at all.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.write(path.NotNull(), tensors.ToPairs().ToFSharpList());

    /// <summary>Writes named tensors to a stream, in the given order.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    public static void Write(Stream stream, IEnumerable<NamedTensor> tensors) =>
        FSharp.Safetensors.writeStream(stream.NotNull(), tensors.ToPairs().ToFSharpList());

    internal static ReadLimits OrDefault(this ReadLimits? limits) => limits ?? ReadLimits.Default;

    internal static IReadOnlyList<NamedTensor> ToNamed(this IEnumerable<Tuple<string, Tensor>> tensors) =>
        tensors.Select(pair => new NamedTensor(pair.Item1, pair.Item2)).ToArray();

    internal static IEnumerable<Tuple<string, Tensor>> ToPairs(this IEnumerable<NamedTensor> tensors) =>
        tensors.WithoutNull().Select(tensor => Tuple.Create(tensor.Name.NotNull(nameof(tensors)), tensor.Tensor.NotNull(nameof(tensors))));
}

/// <summary>Arrays as NumPy writes them: one in an .npy file, several by name in an .npz file. 16-bit floating point is read as
/// <see cref="DType.Float32"/>, and whole numbers and truth values as <see cref="DType.Int32"/>.</summary>
public static class Numpy
{
    /// <summary>The array of an .npy file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is missing, not what the format asks for, holds Python objects, or
    /// exceeds the limits.</exception>
    public static Tensor Read(string path, ReadLimits? limits = null) =>
        FSharp.Numpy.readWith(limits.OrDefault(), path.NotNull());

    /// <summary>The array of an .npy stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is not what the format asks for, or exceeds the limits.</exception>
    public static Tensor Read(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Numpy.readStream(limits.OrDefault(), name.NotNull(), stream.NotNull());

    /// <summary>The arrays of an .npz file, in its order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">The file is missing, not what the format asks for, or exceeds the limits, which
    /// are for all arrays together.</exception>
    public static IReadOnlyList<NamedTensor> ReadArchive(string path, ReadLimits? limits = null) =>
        FSharp.Numpy.readArchiveWith(limits.OrDefault(), path.NotNull()).ToNamed();

    /// <summary>The arrays of an .npz stream that can seek.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="limits">How much is taken before the file is refused; <see cref="ReadLimits.Default"/> where there
    /// are none.</param>
    /// <exception cref="DataException">It is not what the format asks for, or exceeds the limits.</exception>
    public static IReadOnlyList<NamedTensor> ReadArchive(Stream stream, string name, ReadLimits? limits = null) =>
        FSharp.Numpy.readArchiveStream(limits.OrDefault(), name.NotNull(), stream.NotNull()).ToNamed();

    /// <summary>Writes a tensor as an .npy file, as a whole or not at all.</summary>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void Write(string path, Tensor tensor) => FSharp.Numpy.write(path.NotNull(), tensor.NotNull());

    /// <summary>Writes a tensor as .npy to a stream.</summary>
    public static void Write(Stream stream, Tensor tensor) => FSharp.Numpy.writeStream(stream.NotNull(), tensor.NotNull());

    /// <summary>Writes named tensors as an .npz file, as a whole or not at all.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void WriteArchive(string path, IEnumerable<NamedTensor> tensors) =>
        FSharp.Numpy.writeArchive(path.NotNull(), tensors.ToPairs().ToFSharpList());

    /// <summary>Writes named tensors as .npz to a stream.</summary>
    /// <exception cref="ParameterException">A name comes twice.</exception>
    public static void WriteArchive(Stream stream, IEnumerable<NamedTensor> tensors) =>
        FSharp.Numpy.writeArchiveStream(stream.NotNull(), tensors.ToPairs().ToFSharpList());
}
