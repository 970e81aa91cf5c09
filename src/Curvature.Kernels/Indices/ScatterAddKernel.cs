using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>target[b, o, index[b, i], n] += source[b, o, i, n] from zero, in the order of i. A unit is some columns n of one
/// table (b, o): no two units write to the same place.</summary>
/// <typeparam name="T">The elements.</typeparam>
internal sealed unsafe class ScatterAddKernel<T> : CpuKernel
    where T : unmanaged, INumber<T>
{
    private const int UnitColumns = 1024;
    private const int UnitElements = 16384;

    private readonly Indexing _indexing;
    private readonly long _tables;
    private readonly int _unitsPerTable;

    public ScatterAddKernel(Indexing indexing, ThreadTeam team)
        : base(team)
    {
        _indexing = indexing;
        _tables = indexing.Inner == 0 ? 0 : (long)indexing.Batch * indexing.Outer;
        _unitsPerTable = (indexing.Inner + UnitColumns - 1) / UnitColumns;
    }

    /// <inheritdoc/>
    public override string Name =>
        $"scatter-add {_indexing.Batch}×{_indexing.Outer}×{_indexing.Count}×{_indexing.Inner} "
        + $"to {_indexing.Length} {_indexing.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = _tables * ((long)_indexing.Count + _indexing.Length) * _indexing.Inner;
        RunUnits(slots, null, _tables * _unitsPerTable, elements < UnitElements ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = (T*)slots[_indexing.SourceSlot] + _indexing.SourceOffset;
        var indices = (int*)slots[_indexing.IndexSlot] + _indexing.IndexOffset;
        var target = (T*)slots[_indexing.TargetSlot] + _indexing.TargetOffset;
        long inner = _indexing.Inner;
        for (var unit = first; unit < end; unit++)
        {
            var table = unit / _unitsPerTable;
            var column = (int)(unit % _unitsPerTable) * UnitColumns;
            var columns = Math.Min(UnitColumns, _indexing.Inner - column);
            var batch = table / _indexing.Outer;
            AddTable(
                source + table * _indexing.Count * inner + column,
                indices + batch * _indexing.Count,
                target + table * _indexing.Length * inner + column,
                columns,
                batch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddTable(T* source, int* indices, T* target, int columns, long batch)
    {
        long inner = _indexing.Inner;
        for (var i = 0; i < _indexing.Length; i++)
        {
            new Span<T>(target + i * inner, columns).Clear();
        }

        for (var i = 0; i < _indexing.Count; i++)
        {
            var index = indices[i];
            if ((uint)index >= (uint)_indexing.Length)
            {
                IndexingCheck.ThrowOutOfRange(_indexing, batch, i, index);
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

/// <summary>Makes scatter-add kernels.</summary>
internal static class ScatterAddKernel
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(Indexing indexing, ThreadTeam team)
    {
        IndexingCheck.Validate(indexing);
        return indexing.DType switch
        {
            DType.Float32 => new ScatterAddKernel<float>(indexing, team),
            DType.Float64 => new ScatterAddKernel<double>(indexing, team),
            _ => new ScatterAddKernel<int>(indexing, team),
        };
    }
}
