namespace Curvature.Kernels;

/// <summary>A strided copy row by row along the innermost axis, with or without conversion.</summary>
/// <typeparam name="TSource">The source's elements, or anything of their size.</typeparam>
/// <typeparam name="TTarget">The target's elements, or anything of their size.</typeparam>
internal sealed unsafe class RowCopy<TSource, TTarget> : CpuKernel
    where TSource : unmanaged
    where TTarget : unmanaged
{
    private readonly CopyDescription _copy;
    private readonly delegate*<TSource*, long, TTarget*, long, int, void> _row;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _inner;
    private readonly int _piecesPerRow;
    private readonly long _pieces;
    private readonly long _piecesPerUnit;

    public RowCopy(
        CopyDescription copy, AxisWalk axes, delegate*<TSource*, long, TTarget*, long, int, void> row, ThreadTeam team)
        : base(team)
    {
        _copy = copy;
        _row = row;
        _inner = axes.Rank == 0 ? new WalkAxis(1, 1, 1) : axes[axes.Rank - 1];
        _outer = axes.Rank == 0 ? axes : axes.Without(axes.Rank - 1);
        _piecesPerRow = (_inner.Size + UnitElements - 1) / UnitElements;
        _pieces = _outer.Count * _piecesPerRow;
        _piecesPerUnit = Math.Max(1, UnitElements / _inner.Size);
    }

    /// <inheritdoc/>
    public override string Name => CopyKernels.Describe(_copy);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_pieces + _piecesPerUnit - 1) / _piecesPerUnit, threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _copy.Source.Place.Address<TSource>(slots);
        var target = _copy.Target.Place.Address<TTarget>(slots);
        var piece = first * _piecesPerUnit;
        var stop = Math.Min(_pieces, end * _piecesPerUnit);
        var position = stackalloc int[_outer.Rank + 1];
        var (from, to) = _outer.Locate(piece / _piecesPerRow, position);
        while (piece < stop)
        {
            for (var part = (int)(piece % _piecesPerRow); part < _piecesPerRow && piece < stop; part++, piece++)
            {
                var start = part * UnitElements;
                _row(
                    source + from + start * _inner.Source,
                    _inner.Source,
                    target + to + start * _inner.Target,
                    _inner.Target,
                    Math.Min(UnitElements, _inner.Size - start));
            }

            _outer.Advance(position, ref from, ref to);
        }
    }
}
