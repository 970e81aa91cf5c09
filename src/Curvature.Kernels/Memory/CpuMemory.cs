namespace Curvature.Kernels;

/// <summary>A block from the pool of a <see cref="CpuDevice"/>.</summary>
internal sealed class CpuMemory(CpuDevice device, MemoryPool pool, nint address, long bytes) : DeviceMemory
{
    private nint _address = address;

    ~CpuMemory() => Release();

    /// <inheritdoc/>
    public override Device Device => device;

    /// <inheritdoc/>
    public override nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == 0, this);
            return _address;
        }
    }

    /// <inheritdoc/>
    public override long Bytes => bytes;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        var given = Interlocked.Exchange(ref _address, 0);
        if (given != 0)
        {
            pool.Return(given, bytes);
        }
    }
}
