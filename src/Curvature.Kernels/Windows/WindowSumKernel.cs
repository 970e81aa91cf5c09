namespace Curvature.Kernels;

/// <summary>Sums over windows, or their adjoint. A unit is a row of the target: first rows of the source are added up,
/// then neighbours within the sum.</summary>
internal sealed unsafe class WindowSumKernel<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly WindowSumDescription _sum;
    private readonly AxisPhase[] _vertical;
    private readonly AxisPhase[] _horizontal;
    private readonly int _channels;
    private readonly int _sourceHeight;
    private readonly int _sourceWidth;
    private readonly int _targetHeight;
    private readonly int _targetWidth;

    public WindowSumKernel(WindowSumDescription sum, ThreadTeam team)
        : base(team)
    {
        _sum = sum;
        _channels = sum.Sizes.Channels;
        _vertical = Phases(sum.Sizes.Height);
        _horizontal = Phases(sum.Sizes.Width);
        (_sourceHeight, _targetHeight) = Lengths(sum.Sizes.Height);
        (_sourceWidth, _targetWidth) = Lengths(sum.Sizes.Width);

        AxisPhase[] Phases(WindowAxis axis) => sum.Adjoint ? AxisPhase.Backward(axis) : [AxisPhase.Forward(axis)];

        (int, int) Lengths(WindowAxis axis) => sum.Adjoint ? (axis.Output, axis.Input) : (axis.Input, axis.Output);
    }

    /// <inheritdoc/>
    public override string Name => $"window sums{(_sum.Adjoint ? ", adjoint" : "")} {_sum.Sizes} {_sum.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(
            slots,
            null,
            (long)_sum.Sizes.Images * _targetHeight,
            _sum.Sizes.Elements < UnitElements ? 1 : threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _sum.Source.Address<T>(slots);
        var target = _sum.Target.Address<T>(slots);
        var sourceRow = (nint)_sourceWidth * _channels;
        var targetRow = (nint)_targetWidth * _channels;
        var sums = (T*)Workspace.Reserve(Math.Max(1, sourceRow) * sizeof(T));
        for (var unit = first; unit < end; unit++)
        {
            var row = (int)(unit % _targetHeight);
            AddRows(source + (unit / _targetHeight * _sourceHeight * sourceRow), row, sums, (int)sourceRow);
            new Span<T>(target + (unit * targetRow), (int)targetRow).Clear();
            foreach (var phase in _horizontal)
            {
                foreach (var tap in phase.Taps)
                {
                    AddNeighbours(phase, tap, sums, target + (unit * targetRow));
                }
            }
        }
    }

    /// <summary>Adds up the rows of the source that a row of the target reads.</summary>
    private void AddRows(T* source, int row, T* sums, int length)
    {
        new Span<T>(sums, length).Clear();
        var phase = _vertical[row % _vertical.Length];
        foreach (var tap in phase.Taps)
        {
            var place = tap.Offset + (row / phase.Step * phase.Stride);
            if ((uint)place < (uint)_sourceHeight)
            {
                ShortRows.Add<V, T>(source + ((nint)place * length), sums, length);
            }
        }
    }

    /// <summary>Adds to each pixel of a phase the one that a tap reads.</summary>
    private void AddNeighbours(AxisPhase phase, AxisTap tap, T* source, T* target)
    {
        // Strides and offsets may each be near the largest Int32.
        var first = tap.Offset >= 0 ? 0 : (int)((-(long)tap.Offset + phase.Stride - 1) / phase.Stride);
        var end = ((long)_sourceWidth - tap.Offset + phase.Stride - 1) / phase.Stride;
        var count = (int)Math.Min(phase.Count, end) - first;
        source += (nint)(tap.Offset + (first * phase.Stride)) * _channels;
        target += (nint)(phase.First + (first * phase.Step)) * _channels;
        if (phase.Stride == 1 && phase.Step == 1)
        {
            ShortRows.Add<V, T>(source, target, count * _channels);
            return;
        }

        for (var i = 0; i < count; i++)
        {
            ShortRows.Add<V, T>(source, target, _channels);
            source += (nint)phase.Stride * _channels;
            target += (nint)phase.Step * _channels;
        }
    }
}
