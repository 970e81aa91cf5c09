using System.Diagnostics.CodeAnalysis;

namespace Curvature.Cuda;

/// <summary>A card of NVIDIA's, by its driver alone: no toolkit is needed. All work is put on one stream, in order;
/// copies to the host wait for it.</summary>
/// <remarks>Elementwise results have the bits of the processor's (see <see cref="Map"/> for the exceptions). Sums are
/// added up in an order that depends on shapes alone, so that all results are the same bits in every run. Sorting runs
/// on the processor.</remarks>
public sealed unsafe class CudaDevice : Device, IDisposable
{
    // The most bytes that cards address.
    private const long MostBytes = 1L << 48;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, nint> _modules = [];
    private readonly CpuDevice _host;
    private readonly DeviceMemory _wrongIndex;

    internal CudaDevice(CudaLibrary driver, int ordinal, PoolOptions memory)
    {
        Context = new CudaContext(driver, ordinal);
        Pool = new MemoryPool(memory with { Host = new CardMemory(Context) });
        Name = $"cuda {ordinal} ({Context.Name}, {Context.TotalBytes >> 30} GiB)";
        _host = new CpuDevice(1, InstructionSets.Best);
        try
        {
            _wrongIndex = Allocate(sizeof(long));
            Upload<long>([0L], _wrongIndex.Address);
        }
        catch (CurvatureException)
        {
            Context.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>1: a card shares work over its own threads.</summary>
    public override int Threads => 1;

    internal CudaContext Context { get; }

    internal MemoryPool Pool { get; }

    /// <summary>Where kernels write the place of an index that is out of range.</summary>
    internal nint WrongIndex => _wrongIndex.Address;

    /// <summary>Opens a card.</summary>
    /// <param name="ordinal">Which, counted from 0, as CUDA_VISIBLE_DEVICES orders them.</param>
    /// <exception cref="DeviceException">There is no driver, no such card, or an old one; the message says which, and
    /// what to do.</exception>
    public static CudaDevice Open(int ordinal = 0) => new(CudaLibrary.Load(), ordinal, Memory());

    /// <summary>Opens the first card, if there is one.</summary>
    /// <param name="device">The card; null where there is none.</param>
    /// <param name="reason">Why there is none, and what to do; empty where there is one.</param>
    public static bool TryOpen([NotNullWhen(true)] out CudaDevice? device, out string reason)
    {
        try
        {
            device = Open();
            reason = "";
            return true;
        }
        catch (CurvatureException error)
        {
            device = null;
            reason = error.Message;
            return false;
        }
    }

    /// <inheritdoc/>
    public override DeviceMemory Allocate(long bytes)
    {
        Check.NotNegative(bytes, nameof(bytes));
        if (bytes > MostBytes)
        {
            throw new DeviceMemoryException($"An array of {bytes} bytes does not fit into the memory of a card.", null);
        }

        return new CudaMemory(this, Pool, Pool.Take(bytes), bytes);
    }

    /// <inheritdoc/>
    public override void Upload<T>(ReadOnlySpan<T> source, nint destination)
    {
        fixed (T* start = source)
        {
            Context.Upload(start, destination, (long)source.Length * sizeof(T));
        }
    }

    /// <inheritdoc/>
    public override void Download<T>(nint source, Span<T> destination)
    {
        fixed (T* start = destination)
        {
            Context.Download(source, start, (long)destination.Length * sizeof(T));
        }
    }

    /// <inheritdoc/>
    public override Kernel Contract(ContractionDescription contraction) =>
        new CudaKernel(this, ProductPlans.Contract(contraction));

    /// <inheritdoc/>
    public override Kernel Pack(ContractionDescription contraction, ContractionSide side, int targetSlot) =>
        new CudaKernel(this, ProductPlans.Pack(contraction, side, targetSlot));

    /// <inheritdoc/>
    public override long PackedBytes(ContractionDescription contraction, ContractionSide side) =>
        ProductPlans.PackedBytes(contraction, side);

    /// <summary>Runs a tape of elementwise instructions over a shape. Results have the bits of the processor's, but for
    /// powers, angles, and sine and cosine of arguments above 65536 (Float32) or 1048576 (Float64), which the processor
    /// leaves to the C library: these are within 2 units in the last place of it. Which NaN it is may differ.</summary>
    public override Kernel Map(TapeDescription tape)
    {
        ArgumentNullException.ThrowIfNull(tape);
        return new CudaTape(this, tape);
    }

    /// <inheritdoc/>
    public override Kernel Reduce(ReductionDescription reduction) =>
        new CudaKernel(this, ReductionPlans.Make(reduction));

    /// <inheritdoc/>
    public override Kernel Copy(CopyDescription copy) => new CudaKernel(this, CopyPlans.Make(copy));

    /// <inheritdoc/>
    public override Kernel Gather(IndexingDescription indexing) =>
        new CudaKernel(this, IndexPlans.Gather(indexing));

    /// <inheritdoc/>
    public override Kernel ScatterAdd(IndexingDescription indexing) =>
        new CudaKernel(this, IndexPlans.ScatterAdd(indexing));

    /// <inheritdoc/>
    public override Kernel CumulativeSum(CumulativeSumDescription sum) =>
        new CudaKernel(this, IndexPlans.CumulativeSum(sum));

    /// <inheritdoc/>
    public override Kernel ArgSort(ArgSortDescription sort)
    {
        ArgumentNullException.ThrowIfNull(sort);
        return new HostSort(this, sort, _host);
    }

    /// <inheritdoc/>
    public override Kernel Convolve(ConvolutionDescription convolution, ConvolutionForm form) =>
        new CudaKernel(this, ConvolutionPlans.Make(convolution, form));

    /// <inheritdoc/>
    public override Kernel SumWindows(WindowSumDescription sum) => new CudaKernel(this, WindowPlans.Make(sum));

    /// <inheritdoc/>
    public override Kernel MaximumOfWindows(WindowMaximumDescription maximum) =>
        new CudaKernel(this, WindowPlans.Make(maximum));

    /// <inheritdoc/>
    public override Kernel Random(RandomDescription fill) => new CudaKernel(this, RandomPlans.Make(fill));

    /// <summary>Runs <paramref name="body"/>(0) … <paramref name="body"/>(parts − 1), one after the other, on the
    /// calling thread.</summary>
    public override void Parallel(int parts, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Check.NotNegative(parts, nameof(parts));
        for (var part = 0; part < parts; part++)
        {
            body(part);
        }
    }

    /// <summary>Closes the card: gives back its memory, kernels and stream. Arrays that are still there cannot be used
    /// any more.</summary>
    public void Dispose() => Context.Dispose();

    /// <summary>The kernel of a launch, translated for the card once.</summary>
    internal nint Function(Launch launch)
    {
        lock (_lock)
        {
            var key = launch.Module.Text ?? launch.Module.Name;
            if (!_modules.TryGetValue(key, out var module))
            {
                module = Context.LoadModule(launch.Module.Text ?? FixedKernels.Text(launch.Module.Name));
                _modules[key] = module;
            }

            return Context.Function(module, launch.Kernel);
        }
    }

    /// <summary>Waits for a kernel that picks rows, and throws where an index was out of range.</summary>
    internal void LookAtIndices()
    {
        Span<long> place = [0L];
        Download(WrongIndex, place);
        if (place[0] != 0)
        {
            Upload<long>([0L], WrongIndex);
            throw new ArgumentRangeException(
                $"index: Expected indices within the axis, got one outside at position {place[0] - 1} of the index.");
        }
    }

    private static PoolOptions Memory() => new(long.MaxValue, PoolOptions.DefaultIdleTime);
}
