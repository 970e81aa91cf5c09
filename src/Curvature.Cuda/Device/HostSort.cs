namespace Curvature.Cuda;

/// <summary>Sorts on the processor: rows go there and their order comes back.</summary>
/// <param name="device">The card.</param>
/// <param name="sort">What is sorted.</param>
/// <param name="host">The processor that sorts.</param>
internal sealed class HostSort(CudaDevice device, ArgSortDescription sort, CpuDevice host) : Kernel
{
    private readonly Kernel _kernel = host.ArgSort(sort with
    {
        Source = new Place(0, 0),
        Target = new Place(1, 0),
    });

    /// <inheritdoc/>
    public override string Name => $"{_kernel.Name}, on the processor";

    /// <inheritdoc/>
    public override unsafe void Run(nint[] slots, int threads)
    {
        var size = Elements.SizeOf(sort.DType);
        var count = (long)sort.Rows * sort.Length;
        using var source = host.Allocate(count * size);
        using var target = host.Allocate(count * sizeof(int));
        var from = slots[sort.Source.Slot] + (nint)(sort.Source.Offset * size);
        device.Context.Download(from, (void*)source.Address, count * size);
        _kernel.Run([source.Address, target.Address], host.Threads);
        var to = slots[sort.Target.Slot] + (nint)(sort.Target.Offset * sizeof(int));
        device.Context.Upload((void*)target.Address, to, count * sizeof(int));
    }
}
