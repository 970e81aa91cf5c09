namespace Curvature.Kernels;

/// <summary>Reduces runs of elements to one number each: the kept axes say where a run starts. Few long runs are cut
/// into blocks, whose results are put together in order.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
/// <typeparam name="TOperation">What puts two numbers together.</typeparam>
internal sealed unsafe class RowReduction<D, T, TOperation> : CpuKernel
    where D : struct, ILanes<D>
    where T : unmanaged
    where TOperation : struct, IBinary
{
    private const int MostBlocks = 64;

    private readonly ReductionDescription _reduction;
    private readonly MemoryPool _pool;
    private readonly AxisWalk _kept;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _inner;
    private readonly double _neutral;
    private readonly long _length;
    private readonly long _block;
    private readonly long _blocks;
    private readonly long _rowsPerUnit;
    private readonly bool _isMatrix;

    public RowReduction(
        ReductionDescription reduction, AxisWalk kept, AxisWalk reduced, ThreadTeam team, MemoryPool pool)
        : base(team)
    {
        _reduction = reduction;
        _pool = pool;
        _kept = kept;
        _inner = reduced.Rank == 0 ? new WalkAxis(1, 1, 0) : reduced[reduced.Rank - 1];
        _outer = reduced.Rank == 0 ? reduced : reduced.Without(reduced.Rank - 1);
        _neutral = ReductionKernels.Neutral(reduction.Kind);
        _length = reduced.Count;
        _block = kept.Count >= MostBlocks
            ? Math.Max(1, _length)
            : Math.Max(UnitElements, (_length + MostBlocks - 1) / MostBlocks);
        _blocks = Math.Max(1, (_length + _block - 1) / _block);
        _isMatrix = kept.Rank == 1 && kept[0].Target == 1 && _outer.Rank == 0 && _inner.Source == 1;
        _rowsPerUnit = _blocks > 1 ? 1 : Math.Max(1, UnitElements / Math.Max(1, _length));
    }

    /// <inheritdoc/>
    public override string Name => ReductionKernels.Describe(_reduction);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        if (_blocks == 1)
        {
            RunUnits(slots, null, (_kept.Count + _rowsPerUnit - 1) / _rowsPerUnit, threads);
            return;
        }

        using var partials = _pool.Rent(_kept.Count * _blocks * sizeof(double));
        RunUnits(slots, (byte*)partials.Address, _kept.Count * _blocks, threads);
        Combine(slots, (double*)partials.Address);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _reduction.Source.Place.Address<T>(slots);
        var target = _reduction.Target.Place.Address<T>(slots);
        var position = stackalloc int[_kept.Rank + 1];
        if (_blocks > 1)
        {
            for (var unit = first; unit < end; unit++)
            {
                var start = unit % _blocks * _block;
                var offset = _kept.Locate(unit / _blocks, position).Source;
                ((double*)shared)[unit] = FoldRow(source + offset, start, Math.Min(_length, start + _block));
            }

            return;
        }

        var row = first * _rowsPerUnit;
        var (from, to) = _kept.Locate(row, position);
        var stop = Math.Min(_kept.Count, end * _rowsPerUnit);
        if (_isMatrix)
        {
            Fold<D, T>.Rows<TOperation>(
                source + from, _kept[0].Source, stop - row, (nint)_length, _neutral, target + to);
            return;
        }

        for (; row < stop; row++)
        {
            target[to] = Fold<D, T>.Element(FoldRow(source + from, 0, _length));
            _kept.Advance(position, ref from, ref to);
        }
    }

    /// <summary>The fold of the reduced elements from <paramref name="start"/> to before
    /// <paramref name="stop"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double FoldRow(T* row, long start, long stop)
    {
        if (_outer.Rank == 0)
        {
            return FoldRun(row, start, stop - start);
        }

        var result = _neutral;
        if (start == stop)
        {
            return result;
        }

        var position = stackalloc int[_outer.Rank];
        var (offset, ignored) = _outer.Locate(start / _inner.Size, position);
        while (start < stop)
        {
            var within = start % _inner.Size;
            var count = Math.Min(_inner.Size - within, stop - start);
            result = Fold<D, T>.Combine<TOperation>(result, FoldRun(row + offset, within, count));
            start += count;
            _outer.Advance(position, ref offset, ref ignored);
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double FoldRun(T* run, long first, long count) =>
        _inner.Source == 1
            ? Fold<D, T>.Run<TOperation>(run + first, (nint)count, _neutral)
            : Fold<D, T>.RunStrided<TOperation>(run + first * _inner.Source, _inner.Source, count, _neutral);

    private void Combine(nint[] slots, double* partials)
    {
        var target = _reduction.Target.Place.Address<T>(slots);
        var position = stackalloc int[_kept.Rank + 1];
        for (var row = 0L; row < _kept.Count; row++)
        {
            var result = _neutral;
            for (var block = 0L; block < _blocks; block++)
            {
                result = Fold<D, T>.Combine<TOperation>(result, partials[row * _blocks + block]);
            }

            target[_kept.Locate(row, position).Target] = Fold<D, T>.Element(result);
        }
    }
}
