namespace Curvature.Kernels;

/// <summary>A copy between arrays whose contiguous axes differ. It goes by square blocks: the source is read in rows of
/// whole cache lines, turned in registers into a block of scratch, and from there written in rows of whole cache lines.
/// Without the scratch, strides that are powers of two would put all rows of a block on the same few lines of the
/// cache.</summary>
internal sealed unsafe class TransposeCopy<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Block = 64;
    private const int ScratchWidth = Block + 16;

    private readonly CopyDescription _copy;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _along;
    private readonly WalkAxis _across;
    private readonly int _blocksAlong;
    private readonly int _blocksAcross;

    /// <param name="copy">The description.</param>
    /// <param name="axes">Its axes; the last is contiguous in the target.</param>
    /// <param name="along">The axis that is contiguous in the source.</param>
    /// <param name="team">The threads.</param>
    public TransposeCopy(CopyDescription copy, AxisWalk axes, int along, ThreadTeam team)
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
    public override string Name => CopyKernels.Describe(_copy);

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
        var source = _copy.Source.Place.Address<T>(slots);
        var target = _copy.Target.Place.Address<T>(slots);
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
                Transposition<V, T>.Block(source + i, rows + j, scratch + i * ScratchWidth + j, ScratchWidth);
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
}
