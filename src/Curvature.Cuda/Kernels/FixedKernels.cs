namespace Curvature.Cuda;

/// <summary>The fixed kernels as PTX: the files that build.sh made, embedded in the assembly.</summary>
internal static class FixedKernels
{
    /// <summary>The text of a file of kernels.</summary>
    /// <param name="name">The file without its ending, such as <c>products</c>.</param>
    /// <exception cref="DeviceException">There is no such file.</exception>
    public static string Text(string name)
    {
        using var stream = typeof(FixedKernels).Assembly.GetManifestResourceStream($"{name}.ptx")
            ?? throw new DeviceException($"There is no file of kernels of the name {name}.");
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return reader.ReadToEnd();
    }
}
