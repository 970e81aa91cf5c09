namespace Curvature.Kernels;

/// <summary>target[b, o, i, n] = source[b, o, index[b, i], n]</summary>
/// <typeparam name="T">The elements, or anything of their size.</typeparam>
internal sealed unsafe class GatherKernel<T> : CpuKernel
    where T : unmanaged
{
    private readonly IndexingDescription _indexing;
    private readonly IndexingSizes _sizes;
    private readonly long _rows;
    private readonly long _rowsPerUnit;

    public GatherKernel(IndexingDescription indexing, ThreadTeam team)
        : base(team)
    {
        _indexing = indexing;
        _sizes = indexing.Sizes;
        _rows = (long)_sizes.Batch * _sizes.Outer * _sizes.Count;
        _rowsPerUnit = Math.Max(1, UnitElements / Math.Max(1, _sizes.Inner));
    }

    /// <inheritdoc/>
    public override string Name =>
        $"gather {_sizes.Batch}×{_sizes.Outer}×{_sizes.Count}×{_sizes.Inner} "
        + $"of {_sizes.Length} {_indexing.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_rows + _rowsPerUnit - 1) / _rowsPerUnit, threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _indexing.Source.Address<T>(slots);
        var indices = _indexing.Index.Address<int>(slots);
        var target = _indexing.Target.Address<T>(slots);
        long inner = _sizes.Inner;
        var row = first * _rowsPerUnit;
        var stop = Math.Min(_rows, end * _rowsPerUnit);
        while (row < stop)
        {
            var table = row / _sizes.Count;
            var batch = table / _sizes.Outer;
            var position = (int)(row % _sizes.Count);
            var positionStop = (int)Math.Min(_sizes.Count, position + stop - row);
            row += positionStop - position;
            var from = source + table * _sizes.Length * inner;
            var to = target + (table * _sizes.Count + position) * inner;
            for (; position < positionStop; position++)
            {
                var index = indices[batch * _sizes.Count + position];
                if ((uint)index >= (uint)_sizes.Length)
                {
                    IndexingKernels.ThrowOutOfRange(_sizes, batch, position, index);
                }

                if (inner == 1)
                {
                    *to = from[index];
                }
                else
                {
                    new ReadOnlySpan<T>(from + index * inner, (int)inner).CopyTo(new Span<T>(to, (int)inner));
                }

                to += inner;
            }
        }
    }
}
