using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Positions of the largest elements of windows. A unit is a row of the target.</summary>
internal sealed unsafe class WindowMaximumKernel<T> : CpuKernel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Below this, waking a helper takes longer than the work that it would take over.
    private const long FewestParallelElements = 16384;

    private readonly WindowMaximum _maximum;
    private readonly AxisPhase _vertical;
    private readonly AxisPhase _horizontal;

    public WindowMaximumKernel(WindowMaximum maximum, ThreadTeam team)
        : base(team)
    {
        _maximum = maximum;
        _vertical = AxisPhase.Forward(maximum.Height);
        _horizontal = AxisPhase.Forward(maximum.Width);
    }

    /// <inheritdoc/>
    public override string Name =>
        $"window maxima {_maximum.Images}×{_maximum.Height.Input}×{_maximum.Width.Input}×{_maximum.Channels} "
        + $"by {_maximum.Height.Kernel}×{_maximum.Width.Kernel} {_maximum.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = (long)_maximum.Images * _maximum.Height.Input * _maximum.Width.Input * _maximum.Channels;
        RunUnits(
            slots, null, (long)_maximum.Images * _maximum.Height.Output, elements < FewestParallelElements ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = (T*)slots[_maximum.SourceSlot] + _maximum.SourceOffset;
        var imageLength = (nint)_maximum.Height.Input * _maximum.Width.Input * _maximum.Channels;
        var targetRow = (nint)_maximum.Width.Output * _maximum.Channels;
        var target = (int*)slots[_maximum.TargetSlot] + _maximum.TargetOffset + (first * targetRow);
        for (var unit = first; unit < end; unit++)
        {
            var image = (int)(unit / _maximum.Height.Output);
            var inStack = image % (_maximum.Images / _maximum.Stacks);
            var stack = source + ((image - inStack) * imageLength);
            var top = (int)(unit % _maximum.Height.Output) * _maximum.Height.Stride;
            for (var column = 0; column < _maximum.Width.Output; column++)
            {
                Window(stack, inStack, top, column * _maximum.Width.Stride, target);
                target += _maximum.Channels;
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
            if ((uint)row >= (uint)_maximum.Height.Input)
            {
                continue;
            }

            foreach (var horizontal in _horizontal.Taps)
            {
                var column = left + horizontal.Offset;
                if ((uint)column >= (uint)_maximum.Width.Input)
                {
                    continue;
                }

                var pixel = ((((image * _maximum.Height.Input) + row) * _maximum.Width.Input) + column) * _maximum.Channels;
                for (var channel = 0; channel < _maximum.Channels; channel++)
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
