using System.Runtime.InteropServices;

namespace Curvature.Kernels;

/// <summary>Where a <see cref="MemoryPool"/> takes its blocks from.</summary>
internal abstract class HostMemory
{
    /// <summary>The operating system.</summary>
    public static HostMemory System { get; } = new SystemMemory();

    /// <summary>A block whose address is a multiple of the alignment.
    /// Raises OutOfMemoryException where there is none.</summary>
    public abstract nint Allocate(long bytes, int alignment);

    /// <summary>Gives a block back.</summary>
    public abstract void Free(nint address);

    private sealed unsafe class SystemMemory : HostMemory
    {
        public override nint Allocate(long bytes, int alignment) =>
            (nint)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)alignment);

        public override void Free(nint address) => NativeMemory.AlignedFree((void*)address);
    }
}
