using System.Runtime.InteropServices;

namespace Curvature.Kernels;

/// <summary>Scratch memory of a thread. It grows to the largest size asked for, and lives as long as the
/// thread.</summary>
internal sealed unsafe class Workspace
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static Workspace? _current;

    private void* _address;
    private nuint _bytes;

    ~Workspace() => NativeMemory.AlignedFree(_address);

    /// <summary>At least <paramref name="bytes"/> bytes, aligned to a cache line, uninitialised, and the calling
    /// thread's until it asks again.</summary>
    public static byte* Reserve(long bytes)
    {
        var workspace = _current ??= new Workspace();
        if (workspace._bytes < (nuint)bytes)
        {
            workspace.Grow((nuint)bytes);
        }

        return (byte*)workspace._address;
    }

    private void Grow(nuint bytes)
    {
        NativeMemory.AlignedFree(_address);
        _address = null;
        _bytes = 0;
        try
        {
            _address = NativeMemory.AlignedAlloc(bytes, Alignment);
        }
        catch (OutOfMemoryException error)
        {
            throw new DeviceMemoryException($"Scratch memory of {bytes} bytes does not fit into memory.", error);
        }

        _bytes = bytes;
    }
}
