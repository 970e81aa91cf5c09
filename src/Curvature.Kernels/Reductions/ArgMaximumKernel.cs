namespace Curvature.Kernels;

/// <summary>The position of the first largest element of each run, or of the first NaN if there is one.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
internal sealed unsafe class ArgMaximumKernel<D, T> : CpuKernel
    where D : struct, ILanes<D>
    where T : unmanaged
{
    private readonly ReductionDescription _reduction;
    private readonly AxisWalk _kept;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _inner;
    private readonly long _rowsPerUnit;

    public ArgMaximumKernel(ReductionDescription reduction, AxisWalk kept, AxisWalk reduced, ThreadTeam team)
        : base(team)
    {
        if (reduced.Count == 0)
        {
            throw ReductionKernels.NothingToReduce(reduction);
        }

        _reduction = reduction;
        _kept = kept;
        _inner = reduced.Rank == 0 ? new WalkAxis(1, 1, 0) : reduced[reduced.Rank - 1];
        _outer = reduced.Rank == 0 ? reduced : reduced.Without(reduced.Rank - 1);
        _rowsPerUnit = Math.Max(1, UnitElements / reduced.Count);
    }

    /// <inheritdoc/>
    public override string Name => ReductionKernels.Describe(_reduction);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_kept.Count + _rowsPerUnit - 1) / _rowsPerUnit, threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _reduction.Source.Place.Address<T>(slots);
        var target = _reduction.Target.Place.Address<int>(slots);
        var position = stackalloc int[_kept.Rank + 1];
        var (from, to) = _kept.Locate(first * _rowsPerUnit, position);
        var stop = Math.Min(_kept.Count, end * _rowsPerUnit);
        for (var row = first * _rowsPerUnit; row < stop; row++)
        {
            target[to] = PositionOfMaximum(source + from);
            _kept.Advance(position, ref from, ref to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int PositionOfMaximum(T* row)
    {
        var position = stackalloc int[_outer.Rank + 1];
        var (offset, ignored) = _outer.Locate(0, position);
        var best = double.NegativeInfinity;
        T* bestRun = row;
        var bestOuter = 0L;
        for (var outer = 0L; outer < _outer.Count; outer++)
        {
            var run = row + offset;
            var largest = _inner.Source == 1
                ? Fold<D, T>.Run<Operations.Maximum>(run, _inner.Size, double.NegativeInfinity)
                : Fold<D, T>.RunStrided<Operations.Maximum>(run, _inner.Source, _inner.Size, double.NegativeInfinity);

            if (largest > best || double.IsNaN(largest))
            {
                best = largest;
                bestRun = run;
                bestOuter = outer;
                if (double.IsNaN(largest))
                {
                    break;
                }
            }

            _outer.Advance(position, ref offset, ref ignored);
        }

        return (int)(bestOuter * _inner.Size + Fold<D, T>.IndexOf(bestRun, _inner.Source, _inner.Size, best));
    }
}
