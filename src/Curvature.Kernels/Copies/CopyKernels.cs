namespace Curvature.Kernels;

/// <summary>Makes copy kernels.</summary>
internal static unsafe class CopyKernels
{
    // Below this, an axis is too short to be worth turning blocks.
    private const int LeastBlock = 8;

    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(CopyDescription copy, InstructionSet set, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(copy);
        Check.Known(copy.SourceDType, nameof(CopyDescription.SourceDType));
        Check.Known(copy.TargetDType, nameof(CopyDescription.TargetDType));
        var count = Check.Shape(copy.Shape, nameof(CopyDescription.Shape));
        Check.Operand(copy.Source, copy.Shape.Length, nameof(CopyDescription.Source));
        Check.Operand(copy.Target, copy.Shape.Length, nameof(CopyDescription.Target));
        if (count == 0)
        {
            return new NothingKernel(Describe(copy));
        }

        var axes = AxisWalk.ByTarget(copy.Shape.Select((size, axis) =>
            new WalkAxis(size, copy.Source.Strides[axis], copy.Target.Strides[axis])));
        return (copy.SourceDType, copy.TargetDType) switch
        {
            (DType.Float32, DType.Float64) => new RowCopy<float, double>(copy, axes, &Rows.Convert, team),
            (DType.Float32, DType.Int32) => new RowCopy<float, int>(copy, axes, &Rows.Convert, team),
            (DType.Float64, DType.Float32) => new RowCopy<double, float>(copy, axes, &Rows.Convert, team),
            (DType.Float64, DType.Int32) => new RowCopy<double, int>(copy, axes, &Rows.Convert, team),
            (DType.Int32, DType.Float32) => new RowCopy<int, float>(copy, axes, &Rows.Convert, team),
            (DType.Int32, DType.Float64) => new RowCopy<int, double>(copy, axes, &Rows.Convert, team),
            _ => Move(copy, axes, set, team),
        };
    }

    /// <summary>What a copy does, for people.</summary>
    public static string Describe(CopyDescription copy) =>
        copy.SourceDType == copy.TargetDType
            ? $"copy {Elements.Describe(copy.Shape)} {copy.SourceDType}"
            : $"convert {Elements.Describe(copy.Shape)} {copy.SourceDType} to {copy.TargetDType}";

    private static Kernel Move(CopyDescription copy, AxisWalk axes, InstructionSet set, ThreadTeam team)
    {
        var wide = copy.SourceDType == DType.Float64;
        if (ContiguousInSourceOnly(axes) is not { } along)
        {
            return wide
                ? new RowCopy<ulong, ulong>(copy, axes, &Rows.Move, team)
                : new RowCopy<uint, uint>(copy, axes, &Rows.Move, team);
        }

        // Only bits move, so integers go as floats of their size.
        var bits = wide ? DType.Float64 : DType.Float32;
        return VectorWidths.Choose(set, bits, new Transposing(copy, axes, along, team));
    }

    /// <summary>The axis that is contiguous in the source where another is in the target, and both are long enough for
    /// blocks; null if there is none.</summary>
    private static int? ContiguousInSourceOnly(AxisWalk axes)
    {
        var last = axes.Rank - 1;
        if (axes.Rank < 2 || axes[last].Target != 1 || axes[last].Source is 0 or 1 || axes[last].Size < LeastBlock)
        {
            return null;
        }

        for (var axis = last - 1; axis >= 0; axis--)
        {
            if (axes[axis].Source == 1 && axes[axis].Size >= LeastBlock)
            {
                return axis;
            }
        }

        return null;
    }

    private sealed class Transposing(CopyDescription copy, AxisWalk axes, int along, ThreadTeam team)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            new TransposeCopy<V, T>(copy, axes, along, team);
    }
}
