using System.Numerics.Tensors;

namespace Curvature.Kernels;

/// <summary>target[b, o, index[b, i], n] += source[b, o, i, n] from zero, in the order of i. A unit is some columns n
/// of one table (b, o): no two units write to the same place.</summary>
/// <typeparam name="T">The elements.</typeparam>
internal sealed unsafe class ScatterAddKernel<T> : CpuKernel
    where T : unmanaged, INumber<T>
{
    private const int UnitColumns = 1024;

    private readonly IndexingDescription _indexing;
    private readonly IndexingSizes _sizes;
    private readonly long _tables;
    private readonly int _unitsPerTable;

    public ScatterAddKernel(IndexingDescription indexing, ThreadTeam team)
        : base(team)
    {
        _indexing = indexing;
        _sizes = indexing.Sizes;
        _tables = _sizes.Inner == 0 ? 0 : (long)_sizes.Batch * _sizes.Outer;
        _unitsPerTable = (_sizes.Inner + UnitColumns - 1) / UnitColumns;
    }

    /// <inheritdoc/>
    public override string Name =>
        $"scatter-add {_sizes.Batch}×{_sizes.Outer}×{_sizes.Count}×{_sizes.Inner} "
        + $"to {_sizes.Length} {_indexing.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = _tables * ((long)_sizes.Count + _sizes.Length) * _sizes.Inner;
        RunUnits(slots, null, _tables * _unitsPerTable, elements < UnitElements ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _indexing.Source.Address<T>(slots);
        var indices = _indexing.Index.Address<int>(slots);
        var target = _indexing.Target.Address<T>(slots);
        long inner = _sizes.Inner;
        for (var unit = first; unit < end; unit++)
        {
            var table = unit / _unitsPerTable;
            var column = (int)(unit % _unitsPerTable) * UnitColumns;
            var columns = Math.Min(UnitColumns, _sizes.Inner - column);
            var batch = table / _sizes.Outer;
            AddTable(
                source + table * _sizes.Count * inner + column,
                indices + batch * _sizes.Count,
                target + table * _sizes.Length * inner + column,
                columns,
                batch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddTable(T* source, int* indices, T* target, int columns, long batch)
    {
        long inner = _sizes.Inner;
        for (var i = 0; i < _sizes.Length; i++)
        {
            new Span<T>(target + i * inner, columns).Clear();
        }

        for (var i = 0; i < _sizes.Count; i++)
        {
            var index = indices[i];
            if ((uint)index >= (uint)_sizes.Length)
            {
                IndexingKernels.ThrowOutOfRange(_sizes, batch, i, index);
            }

            var row = target + index * inner;
            if (columns == 1)
            {
                *row += source[i * inner];
            }
            else
            {
                var sum = new Span<T>(row, columns);
                TensorPrimitives.Add(sum, new ReadOnlySpan<T>(source + i * inner, columns), sum);
            }
        }
    }
}
