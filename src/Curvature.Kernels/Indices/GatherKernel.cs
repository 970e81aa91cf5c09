using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>target[b, o, i, n] = source[b, o, index[b, i], n]</summary>
/// <typeparam name="T">The elements, or anything of their size.</typeparam>
internal sealed unsafe class GatherKernel<T> : CpuKernel
    where T : unmanaged
{
    private const int UnitElements = 16384;

    private readonly Indexing _indexing;
    private readonly long _rows;
    private readonly long _rowsPerUnit;

    public GatherKernel(Indexing indexing, ThreadTeam team)
        : base(team)
    {
        _indexing = indexing;
        _rows = (long)indexing.Batch * indexing.Outer * indexing.Count;
        _rowsPerUnit = Math.Max(1, UnitElements / Math.Max(1, indexing.Inner));
    }

    /// <inheritdoc/>
    public override string Name =>
        $"gather {_indexing.Batch}×{_indexing.Outer}×{_indexing.Count}×{_indexing.Inner} "
        + $"of {_indexing.Length} {_indexing.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_rows + _rowsPerUnit - 1) / _rowsPerUnit, threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = (T*)slots[_indexing.SourceSlot] + _indexing.SourceOffset;
        var indices = (int*)slots[_indexing.IndexSlot] + _indexing.IndexOffset;
        var target = (T*)slots[_indexing.TargetSlot] + _indexing.TargetOffset;
        long inner = _indexing.Inner;
        var row = first * _rowsPerUnit;
        var stop = Math.Min(_rows, end * _rowsPerUnit);
        while (row < stop)
        {
            var table = row / _indexing.Count;
            var batch = table / _indexing.Outer;
            var position = (int)(row % _indexing.Count);
            var positionStop = (int)Math.Min(_indexing.Count, position + stop - row);
            row += positionStop - position;
            var from = source + table * _indexing.Length * inner;
            var to = target + (table * _indexing.Count + position) * inner;
            for (; position < positionStop; position++)
            {
                var index = indices[batch * _indexing.Count + position];
                if ((uint)index >= (uint)_indexing.Length)
                {
                    IndexingCheck.ThrowOutOfRange(_indexing, batch, position, index);
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

/// <summary>Makes gather kernels.</summary>
internal static class GatherKernel
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(Indexing indexing, ThreadTeam team)
    {
        IndexingCheck.Validate(indexing);
        return indexing.DType == DType.Float64
            ? new GatherKernel<ulong>(indexing, team)
            : new GatherKernel<uint>(indexing, team);
    }
}
