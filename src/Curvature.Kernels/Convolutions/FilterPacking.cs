namespace Curvature.Kernels;

/// <summary>Rearranges filters so that the terms of each phase's sums come one after the other, each with its panel of
/// columns side by side. A unit is one panel of one phase, group and set of filters.</summary>
internal sealed unsafe class FilterPacking<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ConvolutionDescription _convolution;
    private readonly ConvolutionPhase[] _phases;
    private readonly RunPanel[] _panels;
    private readonly long[] _phaseStarts;
    private readonly int _channels;
    private readonly int _columnSpacing;
    private readonly int _channelSpacing;

    /// <param name="convolution">The convolution.</param>
    /// <param name="form">Forward or input gradient.</param>
    /// <param name="phases">The phases.</param>
    /// <param name="panels">The panels.</param>
    /// <param name="team">The threads.</param>
    public FilterPacking(
        ConvolutionDescription convolution,
        ConvolutionForm form,
        ConvolutionPhase[] phases,
        RunPanel[] panels,
        ThreadTeam team)
        : base(team)
    {
        _convolution = convolution;
        _phases = phases;
        _panels = panels;
        var sizes = convolution.Sizes;
        var forward = form == ConvolutionForm.Forward;
        _channels = forward ? sizes.ChannelsPerGroup : sizes.FiltersPerGroup;
        _channelSpacing = forward ? sizes.Filters : 1;
        _columnSpacing = forward ? 1 : sizes.Filters;

        var columns = panels.Length == 0 ? 0 : panels[^1].Start + (panels[^1].Vectors * V.Count);
        _phaseStarts = new long[phases.Length];
        for (var i = 0; i < phases.Length; i++)
        {
            _phaseStarts[i] = GroupLength;
            GroupLength += (long)phases[i].Terms * columns;
        }

        Sets = convolution.Filters.Step == 0 ? 1 : convolution.Repeats;
    }

    /// <inheritdoc/>
    public override string Name => "pack filters";

    /// <summary>Elements of a group's packed filters.</summary>
    public long GroupLength { get; }

    /// <summary>How many sets of filters there are.</summary>
    public int Sets { get; }

    /// <summary>Bytes of all packed filters.</summary>
    public long Bytes => Sets * _convolution.Sizes.Groups * GroupLength * sizeof(T);

    /// <summary>Where a panel begins among a group's packed filters.</summary>
    public long Place(int phase, in RunPanel panel) => _phaseStarts[phase] + ((long)panel.Start * _phases[phase].Terms);

    /// <summary>Packs the filters into <paramref name="target"/>.</summary>
    public void Pack(nint[] slots, nint target, int threads) =>
        RunUnits(
            slots, (byte*)target, (long)Sets * _convolution.Sizes.Groups * _phases.Length * _panels.Length,
            Bytes / sizeof(T) < 4 * UnitElements ? 1 : threads);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        throw new DescriptionException("Filters are packed by the convolution that they belong to.", "kernel");

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        for (var unit = first; unit < end; unit++)
        {
            var panel = _panels[unit % _panels.Length];
            var phase = (int)(unit / _panels.Length % _phases.Length);
            var group = unit / _panels.Length / _phases.Length;
            var source = _convolution.Filters.Address<T>(slots, group / _convolution.Sizes.Groups)
                + (group % _convolution.Sizes.Groups * _convolution.Sizes.FiltersPerGroup);
            PackPanel(
                source + ((nint)panel.Start * _columnSpacing),
                _phases[phase],
                panel,
                (T*)shared + (group * GroupLength) + Place(phase, panel));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackPanel(T* source, ConvolutionPhase phase, in RunPanel panel, T* target)
    {
        var width = panel.Vectors * V.Count;
        if (panel.Width < width)
        {
            new Span<T>(target, phase.Terms * width).Clear();
        }

        var offsets = stackalloc nint[Transposition<V, T>.MostRows];
        var tapLength = (nint)_convolution.Sizes.ChannelsPerGroup * _convolution.Sizes.Filters;
        foreach (var row in phase.Rows.Taps)
        {
            foreach (var column in phase.Columns.Taps)
            {
                var tap = source + (((row.Entry * (nint)_convolution.Sizes.Width.Kernel) + column.Entry) * tapLength);
                if (_columnSpacing == 1)
                {
                    for (var channel = 0; channel < _channels; channel++)
                    {
                        ShortRows.Copy<V, T>(
                            tap + ((nint)channel * _channelSpacing), target + ((nint)channel * width), panel.Width);
                    }
                }
                else
                {
                    for (var i = 0; i < panel.Width; i++)
                    {
                        offsets[i] = (nint)i * _columnSpacing;
                    }

                    Transposition<V, T>.Run(tap, offsets, panel.Width, _channels, target, width);
                }

                target += (nint)_channels * width;
            }
        }
    }
}
