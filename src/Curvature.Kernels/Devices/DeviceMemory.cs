namespace Curvature.Kernels;

/// <summary>A block of device memory. It goes back to the device's pool when disposed, or when nothing refers to it any
/// more.</summary>
public abstract class DeviceMemory : IDisposable
{
    /// <summary>The device that owns the block.</summary>
    public abstract Device Device { get; }

    /// <summary>The block's address on the device, aligned to 64 bytes.</summary>
    public abstract nint Address { get; }

    /// <summary>The size asked for, in bytes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Gives the block back now.</summary>
    public abstract void Dispose();
}
