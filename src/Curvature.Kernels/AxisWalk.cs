namespace Curvature.Kernels;

/// <summary>An axis that two arrays share: its size, and its stride in the source and in the target.</summary>
internal readonly record struct WalkAxis(int Size, long Source, long Target);

/// <summary>Axes along which a source and a target are walked together. Neighbouring axes are merged where both arrays
/// allow it. Axes of size 1 are left out.</summary>
internal sealed unsafe class AxisWalk
{
    private readonly WalkAxis[] _axes;

    private AxisWalk(WalkAxis[] axes)
    {
        _axes = axes;
        Count = 1;
        foreach (var axis in axes)
        {
            Count *= axis.Size;
        }
    }

    /// <summary>The number of axes.</summary>
    public int Rank => _axes.Length;

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>An axis, counted from the outermost.</summary>
    public WalkAxis this[int axis] => _axes[axis];

    /// <summary>Axes in the order given.</summary>
    public static AxisWalk InOrder(IEnumerable<WalkAxis> axes)
    {
        var merged = new List<WalkAxis>();
        foreach (var axis in axes.Where(axis => axis.Size != 1))
        {
            if (merged.Count > 0
                && merged[^1].Source == axis.Source * axis.Size
                && merged[^1].Target == axis.Target * axis.Size
                && (long)merged[^1].Size * axis.Size <= int.MaxValue)
            {
                merged[^1] = axis with { Size = merged[^1].Size * axis.Size };
            }
            else
            {
                merged.Add(axis);
            }
        }

        return new AxisWalk([.. merged]);
    }

    /// <summary>The largest strides of the target first.</summary>
    public static AxisWalk ByTarget(IEnumerable<WalkAxis> axes) =>
        InOrder(axes.Where(axis => axis.Size != 1).OrderByDescending(axis => Math.Abs(axis.Target)));

    /// <summary>The largest strides of the source first.</summary>
    public static AxisWalk BySource(IEnumerable<WalkAxis> axes) =>
        InOrder(axes.Where(axis => axis.Size != 1).OrderByDescending(axis => Math.Abs(axis.Source)));

    /// <summary>All axes but one.</summary>
    public AxisWalk Without(int axis) => new([.. _axes.Where((_, i) => i != axis)]);

    /// <summary>Sets <paramref name="position"/> to the element with the given row-major number, and returns where it
    /// is.</summary>
    public (long Source, long Target) Locate(long index, int* position)
    {
        var source = 0L;
        var target = 0L;
        for (var axis = _axes.Length - 1; axis >= 0; axis--)
        {
            position[axis] = (int)(index % _axes[axis].Size);
            index /= _axes[axis].Size;
            source += position[axis] * _axes[axis].Source;
            target += position[axis] * _axes[axis].Target;
        }

        return (source, target);
    }

    /// <summary>Goes to the next element in row-major order.</summary>
    public void Advance(int* position, ref long source, ref long target)
    {
        for (var axis = _axes.Length - 1; axis >= 0; axis--)
        {
            ref readonly var step = ref _axes[axis];
            source += step.Source;
            target += step.Target;
            if (++position[axis] < step.Size)
            {
                return;
            }

            source -= position[axis] * step.Source;
            target -= position[axis] * step.Target;
            position[axis] = 0;
        }
    }
}
