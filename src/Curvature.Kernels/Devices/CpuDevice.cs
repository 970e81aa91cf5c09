namespace Curvature.Kernels;

/// <summary>The processor, with all memory of the host.</summary>
public sealed unsafe class CpuDevice : Device
{
    // The most bytes that processors address.
    private const long MostBytes = 1L << 48;

    private readonly ThreadTeam _team;
    private readonly InstructionSet _set;
    private readonly MemoryPool _pool;

    /// <summary>A device that uses a number of threads, the caller's included, and an instruction set of this machine.
    /// Memory that waits unused for 30 s goes back to the system.</summary>
    /// <param name="threads">From 1 to 1024.</param>
    /// <param name="instructionSet">One that <see cref="InstructionSets.IsSupported"/> holds to be there.</param>
    /// <exception cref="ArgumentRangeException">There are less than 1 or more than 1024 threads.</exception>
    /// <exception cref="DeviceException">The machine does not have the instructions.</exception>
    public CpuDevice(int threads, InstructionSet instructionSet)
        : this(threads, instructionSet, PoolOptions.DefaultIdleTime)
    {
    }

    /// <summary>A device that uses a number of threads, the caller's included, and an instruction set of this
    /// machine.</summary>
    /// <param name="threads">From 1 to 1024.</param>
    /// <param name="instructionSet">One that <see cref="InstructionSets.IsSupported"/> holds to be there.</param>
    /// <param name="idleTime">How long memory waits unused before it goes back to the system, above 0;
    /// <see cref="Timeout.InfiniteTimeSpan"/> where it shall wait for ever. The first touch of memory that went back
    /// costs about a quarter of a millisecond for each MiB.</param>
    /// <exception cref="ArgumentRangeException">There are less than 1 or more than 1024 threads, or the time is 0 or
    /// negative.</exception>
    /// <exception cref="DeviceException">The machine does not have the instructions.</exception>
    public CpuDevice(int threads, InstructionSet instructionSet, TimeSpan idleTime)
        : this(threads, instructionSet, PoolOptions.ForThisMachine(idleTime))
    {
    }

    /// <summary>The same with other ways to keep memory.</summary>
    internal CpuDevice(int threads, InstructionSet instructionSet, PoolOptions memory)
    {
        InstructionSets.Require(instructionSet);
        _team = new ThreadTeam(threads);
        _set = instructionSet;
        _pool = new MemoryPool(memory);
        Name = $"cpu ({Describe(instructionSet)}, {threads} {(threads == 1 ? "thread" : "threads")})";
    }

    /// <summary>The device with all processors of this machine and its best instruction set.</summary>
    public static CpuDevice Shared { get; } = new(Environment.ProcessorCount, InstructionSets.Best);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int Threads => _team.Threads;

    /// <summary>The memory of the device, for measurements.</summary>
    internal MemoryPool Pool => _pool;

    /// <inheritdoc/>
    public override DeviceMemory Allocate(long bytes)
    {
        Check.NotNegative(bytes, nameof(bytes));
        if (bytes > MostBytes)
        {
            throw new DeviceMemoryException($"An array of {bytes} bytes does not fit into memory.", null);
        }

        return new CpuMemory(this, _pool, _pool.Take(bytes), bytes);
    }

    /// <inheritdoc/>
    public override void Upload<T>(ReadOnlySpan<T> source, nint destination) =>
        source.CopyTo(new Span<T>((void*)destination, source.Length));

    /// <inheritdoc/>
    public override void Download<T>(nint source, Span<T> destination) =>
        new ReadOnlySpan<T>((void*)source, destination.Length).CopyTo(destination);

    /// <inheritdoc/>
    public override Kernel Contract(ContractionDescription contraction) =>
        ContractionKernels.Contract(contraction, _set, _team);

    /// <inheritdoc/>
    public override Kernel Pack(ContractionDescription contraction, ContractionSide side, int targetSlot) =>
        ContractionKernels.Pack(contraction, side, targetSlot, _set);

    /// <inheritdoc/>
    public override long PackedBytes(ContractionDescription contraction, ContractionSide side) =>
        ContractionKernels.PackedBytes(contraction, side, _set);

    /// <inheritdoc/>
    public override Kernel Map(TapeDescription tape) => TapeKernels.Make(tape, _set, _team, _pool);

    /// <inheritdoc/>
    public override Kernel Reduce(ReductionDescription reduction) =>
        ReductionKernels.Make(reduction, _set, _team, _pool);

    /// <inheritdoc/>
    public override Kernel Copy(CopyDescription copy) => CopyKernels.Make(copy, _set, _team);

    /// <inheritdoc/>
    public override Kernel Gather(IndexingDescription indexing) => IndexingKernels.Gather(indexing, _team);

    /// <inheritdoc/>
    public override Kernel ScatterAdd(IndexingDescription indexing) => IndexingKernels.ScatterAdd(indexing, _team);

    /// <inheritdoc/>
    public override Kernel CumulativeSum(CumulativeSumDescription sum) => CumulativeSumKernels.Make(sum, _set, _team);

    /// <inheritdoc/>
    public override Kernel ArgSort(ArgSortDescription sort) => ArgSortKernels.Make(sort, _team);

    /// <inheritdoc/>
    public override Kernel Convolve(ConvolutionDescription convolution, ConvolutionForm form) =>
        ConvolutionKernels.Make(convolution, form, _set, _team, _pool);

    /// <inheritdoc/>
    public override Kernel SumWindows(WindowSumDescription sum) => WindowKernels.Make(sum, _set, _team);

    /// <inheritdoc/>
    public override Kernel MaximumOfWindows(WindowMaximumDescription maximum) => WindowKernels.Make(maximum, _team);

    /// <inheritdoc/>
    public override Kernel Random(RandomDescription fill) => RandomKernels.Make(fill, _set, _team);

    /// <inheritdoc/>
    public override void Parallel(int parts, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Check.NotNegative(parts, nameof(parts));
        _team.Run(parts, body);
    }

    private static string Describe(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => "AVX-512",
        InstructionSet.Avx2 => "AVX2",
        _ => "portable",
    };
}
