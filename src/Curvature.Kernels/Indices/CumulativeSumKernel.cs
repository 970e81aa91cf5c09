namespace Curvature.Kernels;

/// <summary>Running sums along an axis, in double precision. A unit is some columns of one table.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
internal sealed unsafe class CumulativeSumKernel<D, T> : CpuKernel
    where D : struct, ILanes<D>
    where T : unmanaged
{
    private const int UnitColumns = 512;

    private readonly CumulativeSumDescription _sum;
    private readonly int _unitsPerTable;

    public CumulativeSumKernel(CumulativeSumDescription sum, ThreadTeam team)
        : base(team)
    {
        _sum = sum;
        _unitsPerTable = (sum.Inner + UnitColumns - 1) / UnitColumns;
    }

    /// <inheritdoc/>
    public override string Name => $"cumulative sum {_sum.Outer}×{_sum.Length}×{_sum.Inner} {_sum.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = (long)_sum.Outer * _sum.Length * _sum.Inner;
        RunUnits(slots, null, (long)_sum.Outer * _unitsPerTable, elements < UnitElements ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _sum.Source.Address<T>(slots);
        var target = _sum.Target.Address<T>(slots);
        var sums = (double*)Workspace.Reserve(UnitColumns * sizeof(double));
        for (var unit = first; unit < end; unit++)
        {
            var column = (int)(unit % _unitsPerTable) * UnitColumns;
            var columns = Math.Min(UnitColumns, _sum.Inner - column);
            var start = (unit / _unitsPerTable * _sum.Length * _sum.Inner) + column;
            new Span<double>(sums, columns).Clear();
            for (var i = 0; i < _sum.Length; i++)
            {
                var row = start + (long)(_sum.Reverse ? _sum.Length - 1 - i : i) * _sum.Inner;
                Fold<D, T>.Row<Operations.Add>(sums, source + row, columns);
                Fold<D, T>.Write(sums, target + row, columns);
            }
        }
    }
}
