namespace Curvature.Kernels;

/// <summary>Makes reduction kernels.</summary>
internal static class ReductionKernels
{
    // Fewer columns than this are better reduced one by one.
    private const int LeastColumns = 4;

    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(ReductionDescription reduction, InstructionSet set, ThreadTeam team, MemoryPool pool)
    {
        ArgumentNullException.ThrowIfNull(reduction);
        Validate(reduction);
        return VectorWidths.Choose(set, reduction.DType, new Factory(reduction, team, pool));
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(ReductionDescription reduction)
    {
        Check.Floating(reduction.DType, nameof(ReductionDescription.DType));
        Check.Shape(reduction.Shape, nameof(ReductionDescription.Shape));
        Check.Axes(reduction.Axes, reduction.Shape.Length, nameof(ReductionDescription.Axes));
        var rank = reduction.Shape.Length;
        Check.Operand(reduction.Source, rank, nameof(ReductionDescription.Source));
        Check.Operand(reduction.Target, rank - reduction.Axes.Length, nameof(ReductionDescription.Target));
        Check.Defined(reduction.Kind, nameof(ReductionDescription.Kind));
    }

    /// <summary>What a reduction does, for people.</summary>
    public static string Describe(ReductionDescription reduction) =>
        $"{reduction.Kind} of {Elements.Describe(reduction.Shape)} over [{string.Join(' ', reduction.Axes)}] "
        + $"{reduction.DType}";

    /// <summary>The error for a position among no elements.</summary>
    public static DescriptionException NothingToReduce(ReductionDescription reduction) => new(
        $"Expected elements to reduce, got none in {Elements.Describe(reduction.Shape)}.",
        nameof(ReductionDescription.Shape));

    /// <summary>The start of a fold.</summary>
    public static double Neutral(ReductionKind kind) => kind == ReductionKind.Sum ? 0.0 : double.NegativeInfinity;

    private static Kernel Make<D, T>(ReductionDescription reduction, ThreadTeam team, MemoryPool pool)
        where D : struct, ILanes<D>
        where T : unmanaged
    {
        var kept = AxisWalk.ByTarget(Kept(reduction));
        if (kept.Count == 0)
        {
            return new NothingKernel(Describe(reduction));
        }

        if (reduction.Kind == ReductionKind.ArgMaximum)
        {
            return new ArgMaximumKernel<D, T>(reduction, kept, AxisWalk.InOrder(Reduced(reduction)), team);
        }

        var reduced = AxisWalk.BySource(Reduced(reduction));
        var columns = ColumnsOf(kept);
        return (reduction.Kind, columns) switch
        {
            (ReductionKind.Sum, null) => new RowReduction<D, T, Operations.Add>(reduction, kept, reduced, team, pool),
            (_, null) => new RowReduction<D, T, Operations.Maximum>(reduction, kept, reduced, team, pool),
            (ReductionKind.Sum, { } axis) =>
                new ColumnReduction<D, T, Operations.Add>(reduction, kept, axis, reduced, team, pool),
            (_, { } axis) =>
                new ColumnReduction<D, T, Operations.Maximum>(reduction, kept, axis, reduced, team, pool),
        };
    }

    /// <summary>The axes kept.</summary>
    public static IEnumerable<WalkAxis> Kept(ReductionDescription reduction)
    {
        var target = 0;
        for (var axis = 0; axis < reduction.Shape.Length; axis++)
        {
            if (Array.IndexOf(reduction.Axes, axis) < 0)
            {
                var stride = reduction.Target.Strides[target++];
                yield return new WalkAxis(reduction.Shape[axis], reduction.Source.Strides[axis], stride);
            }
        }
    }

    /// <summary>The axes reduced.</summary>
    public static IEnumerable<WalkAxis> Reduced(ReductionDescription reduction) =>
        reduction.Axes.Select(axis => new WalkAxis(reduction.Shape[axis], reduction.Source.Strides[axis], 0));

    /// <summary>The kept axis that is contiguous in the source, if it is long enough for vectors.</summary>
    private static int? ColumnsOf(AxisWalk kept)
    {
        for (var axis = 0; axis < kept.Rank; axis++)
        {
            if (kept[axis].Source == 1 && kept[axis].Size >= LeastColumns)
            {
                return axis;
            }
        }

        return null;
    }

    private sealed class Factory(ReductionDescription reduction, ThreadTeam team, MemoryPool pool)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            ReductionKernels.Make<D, T>(reduction, team, pool);
    }
}
