namespace Curvature.Kernels;

/// <summary>Positions of the largest elements of windows. A unit is a row of the target.</summary>
internal sealed unsafe class WindowMaximumKernel<T> : CpuKernel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly WindowMaximumDescription _maximum;
    private readonly WindowSizes _sizes;
    private readonly AxisPhase _vertical;
    private readonly AxisPhase _horizontal;

    public WindowMaximumKernel(WindowMaximumDescription maximum, ThreadTeam team)
        : base(team)
    {
        _maximum = maximum;
        _sizes = maximum.Sizes;
        _vertical = AxisPhase.Forward(maximum.Sizes.Height);
        _horizontal = AxisPhase.Forward(maximum.Sizes.Width);
    }

    /// <inheritdoc/>
    public override string Name => $"window maxima {_maximum.Sizes} {_maximum.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(
            slots,
            null,
            (long)_sizes.Images * _sizes.Height.Output,
            _sizes.Elements < UnitElements ? 1 : threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _maximum.Source.Address<T>(slots);
        var imageLength = (nint)_sizes.Height.Input * _sizes.Width.Input * _sizes.Channels;
        var targetRow = (nint)_sizes.Width.Output * _sizes.Channels;
        var target = _maximum.Target.Address<int>(slots) + (first * targetRow);
        for (var unit = first; unit < end; unit++)
        {
            var image = (int)(unit / _sizes.Height.Output);
            var inStack = image % (_sizes.Images / _maximum.Stacks);
            var stack = source + ((image - inStack) * imageLength);
            var top = (int)(unit % _sizes.Height.Output) * _sizes.Height.Stride;
            for (var column = 0; column < _sizes.Width.Output; column++)
            {
                Window(stack, inStack, top, column * _sizes.Width.Stride, target);
                target += _sizes.Channels;
            }
        }
    }

    /// <summary>Finds the largest elements of one window of an image of a stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Window(T* source, int image, int top, int left, int* target)
    {
        var isFirst = true;
        foreach (var vertical in _vertical.Taps)
        {
            var row = top + vertical.Offset;
            if ((uint)row >= (uint)_sizes.Height.Input)
            {
                continue;
            }

            foreach (var horizontal in _horizontal.Taps)
            {
                var column = left + horizontal.Offset;
                if ((uint)column >= (uint)_sizes.Width.Input)
                {
                    continue;
                }

                var pixel = ((((image * _sizes.Height.Input) + row) * _sizes.Width.Input) + column) * _sizes.Channels;
                for (var channel = 0; channel < _sizes.Channels; channel++)
                {
                    if (isFirst || IsLarger(source[pixel + channel], source[target[channel]]))
                    {
                        target[channel] = pixel + channel;
                    }
                }

                isFirst = false;
            }
        }
    }

    private static bool IsLarger(T value, T best) => value > best || (T.IsNaN(value) && !T.IsNaN(best));
}
