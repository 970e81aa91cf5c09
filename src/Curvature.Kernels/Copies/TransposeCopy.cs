using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>A copy between arrays whose contiguous axes differ. It goes by square blocks: the source is read in rows of
/// whole cache lines, turned in registers into a block of scratch, and from there written in rows of whole cache lines. Without
/// the scratch, strides that are powers of two would put all rows of a block on the same few lines of the cache.</summary>
internal sealed unsafe class TransposeCopy<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Block = 64;
    private const int ScratchWidth = Block + 16;

    private readonly StridedCopy _copy;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _along;
    private readonly WalkAxis _across;
    private readonly int _blocksAlong;
    private readonly int _blocksAcross;

    /// <param name="copy">The description.</param>
    /// <param name="axes">Its axes; the last is contiguous in the target.</param>
    /// <param name="along">The axis that is contiguous in the source.</param>
    /// <param name="team">The threads.</param>
    public TransposeCopy(StridedCopy copy, AxisWalk axes, int along, ThreadTeam team)
        : base(team)
    {
        _copy = copy;
        _along = axes[along];
        _across = axes[axes.Rank - 1];
        _outer = axes.Without(axes.Rank - 1).Without(along);
        _blocksAlong = (_along.Size + Block - 1) / Block;
        _blocksAcross = (_across.Size + Block - 1) / Block;
    }

    /// <inheritdoc/>
    public override string Name => Copies.Describe(_copy);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        // Copies of few elements are not worth waking a thread for.
        var units = _outer.Count * _blocksAlong * _blocksAcross;
        RunUnits(slots, null, units, _outer.Count * _along.Size * _across.Size < 4 * Block * Block ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = (T*)slots[_copy.Source.Slot] + _copy.Source.Offset;
        var target = (T*)slots[_copy.Target.Slot] + _copy.Target.Offset;
        var scratch = (T*)Workspace.Reserve(Block * ScratchWidth * sizeof(T));
        var position = stackalloc int[_outer.Rank + 1];
        var blocks = (long)_blocksAlong * _blocksAcross;
        for (var unit = first; unit < end; unit++)
        {
            var (from, to) = _outer.Locate(unit / blocks, position);
            var along = (int)(unit % blocks / _blocksAcross) * Block;
            var across = (int)(unit % _blocksAcross) * Block;
            var width = Math.Min(Block, _across.Size - across);
            var height = Math.Min(Block, _along.Size - along);
            Turn(source + from + along + across * _across.Source, height, width, scratch);
            var row = target + to + along * _along.Target + across;
            for (var i = 0; i < height; i++)
            {
                new ReadOnlySpan<T>(scratch + i * ScratchWidth, width).CopyTo(new Span<T>(row, width));
                row += _along.Target;
            }
        }
    }

    /// <summary>scratch[i, j] = source[j, i] for i &lt; height and j &lt; width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(T* source, int height, int width, T* scratch)
    {
        var rows = stackalloc nint[Block];
        for (var j = 0; j < width; j++)
        {
            rows[j] = (nint)(j * _across.Source);
        }

        var step = 16 / sizeof(T);
        var wholeWidth = width / V.Count * V.Count;
        var wholeHeight = height / step * step;
        for (var j = 0; j < wholeWidth; j += V.Count)
        {
            for (var i = 0; i < wholeHeight; i += step)
            {
                TurnLanes(source + i, rows + j, scratch + i * ScratchWidth + j);
            }
        }

        for (var j = 0; j < width; j++)
        {
            for (var i = j < wholeWidth ? wholeHeight : 0; i < height; i++)
            {
                scratch[i * ScratchWidth + j] = source[rows[j] + i];
            }
        }
    }

    /// <summary>Turns a vector of rows of 16 bytes each: lane l holds as many rows as fit, and squares are turned within
    /// lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnLanes(T* source, nint* rows, T* target)
    {
        var row0 = V.LoadBlocks(source, rows);
        var row1 = V.LoadBlocks(source, rows + 1);
        if (sizeof(T) == sizeof(double))
        {
            V.JoinLow(row0, row1).Store(target);
            V.JoinHigh(row0, row1).Store(target + ScratchWidth);
            return;
        }

        var row2 = V.LoadBlocks(source, rows + 2);
        var row3 = V.LoadBlocks(source, rows + 3);
        var low01 = V.InterleaveLow(row0, row1);
        var low23 = V.InterleaveLow(row2, row3);
        var high01 = V.InterleaveHigh(row0, row1);
        var high23 = V.InterleaveHigh(row2, row3);
        V.JoinLow(low01, low23).Store(target);
        V.JoinHigh(low01, low23).Store(target + ScratchWidth);
        V.JoinLow(high01, high23).Store(target + 2 * ScratchWidth);
        V.JoinHigh(high01, high23).Store(target + 3 * ScratchWidth);
    }
}
