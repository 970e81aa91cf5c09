namespace Curvature.Cuda;

/// <summary>Memory of a card as the blocks of a pool.</summary>
internal sealed class CardMemory(CudaContext context) : HostMemory
{
    /// <inheritdoc/>
    public override nint Allocate(long bytes, int alignment) =>
        context.TryAllocate(bytes, out var address)
            ? address
            : throw new OutOfMemoryException(
                $"{context.Name} has {context.TotalBytes >> 20} MiB of memory. "
                + CudaResult.Advice(CudaResult.OutOfMemory));

    /// <inheritdoc/>
    public override void Free(nint address) => context.Free(address);
}

/// <summary>A block of a card's memory.</summary>
internal sealed class CudaMemory(CudaDevice device, MemoryPool pool, nint address, long bytes) : DeviceMemory
{
    private nint _address = address;

    ~CudaMemory() => Release();

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
