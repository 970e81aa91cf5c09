namespace Curvature.Cuda;

/// <summary>Reductions. How one is cut into pieces depends on its shape alone.</summary>
internal static class ReductionPlans
{
    private const string Module = "reductions";
    private const int ShortLength = 64;
    private const int ManyColumns = 4096;
    private const long LeastPiece = 8192;
    private const long MostPieces = 1024;

    /// <summary>The launches of a reduction.</summary>
    public static KernelPlan Make(ReductionDescription reduction)
    {
        ArgumentNullException.ThrowIfNull(reduction);
        ReductionKernels.Validate(reduction);
        var kept = AxisWalk.ByTarget(ReductionKernels.Kept(reduction));
        var name = ReductionKernels.Describe(reduction);
        if (kept.Count == 0)
        {
            return new KernelPlan(name);
        }

        return reduction.Kind == ReductionKind.ArgMaximum
            ? Position(reduction, kept, name)
            : Fold(reduction, kept, name);
    }

    /// <summary>Adds up the pieces of a tape's sums.</summary>
    public static Launch AddPieces(DType dtype, Argument pieces, Argument target, AxisWalk kept, long perSum) =>
        Pieces("sum", dtype, pieces, target, kept, perSum);

    private static KernelPlan Position(ReductionDescription reduction, AxisWalk kept, string name)
    {
        var reduced = AxisWalk.InOrder(ReductionKernels.Reduced(reduction));
        if (reduced.Count == 0)
        {
            throw ReductionKernels.NothingToReduce(reduction);
        }

        return new KernelPlan(name, KernelPlan.Fixed(
            Module,
            $"arg_maximum_{KernelPlan.Suffix(reduction.DType)}",
            Grid.OfBlocks(kept.Count),
            ArrayArgument.Of(reduction.Source.Place, reduction.DType),
            ArrayArgument.Of(reduction.Target.Place, DType.Int32),
            AxesArgument.Of(kept, nameof(ReductionDescription.Shape)),
            AxesArgument.Of(reduced, nameof(ReductionDescription.Shape)),
            ValueArgument.Of(reduced.Count)));
    }

    private static KernelPlan Fold(ReductionDescription reduction, AxisWalk kept, string name)
    {
        var reduced = AxisWalk.BySource(ReductionKernels.Reduced(reduction));
        var verb = reduction.Kind == ReductionKind.Sum ? "sum" : "maximum";
        var suffix = KernelPlan.Suffix(reduction.DType);
        var source = ArrayArgument.Of(reduction.Source.Place, reduction.DType);
        var target = ArrayArgument.Of(reduction.Target.Place, reduction.DType);
        var keptArgument = AxesArgument.Of(kept, nameof(ReductionDescription.Shape));
        var reducedArgument = AxesArgument.Of(reduced, nameof(ReductionDescription.Shape));
        if (reduced.Count <= ShortLength || (HasColumns(kept) && kept.Count >= ManyColumns))
        {
            return new KernelPlan(name, KernelPlan.Fixed(
                Module,
                $"{verb}_short_{suffix}",
                Grid.ForElements(kept.Count),
                source,
                target,
                keptArgument,
                reducedArgument,
                ValueArgument.Of(kept.Count),
                ValueArgument.Of(reduced.Count)));
        }

        var even = (reduced.Count + MostPieces - 1) / MostPieces;
        var length = Math.Max(LeastPiece, (even + KernelText.Threads - 1) / KernelText.Threads * KernelText.Threads);
        var pieces = (int)((reduced.Count + length - 1) / length);
        var launch = KernelPlan.Fixed(
            Module,
            $"{verb}_{suffix}",
            Grid.OfBlocks(kept.Count * pieces),
            source,
            target,
            pieces > 1 ? new WorkspaceArgument(0) : target,
            keptArgument,
            reducedArgument,
            ValueArgument.Of(reduced.Count),
            ValueArgument.Of(length),
            ValueArgument.Of(pieces));
        return pieces == 1
            ? new KernelPlan(name, launch)
            : new KernelPlan(
                name, launch, Pieces(verb, reduction.DType, new WorkspaceArgument(0), target, kept, pieces))
            {
                Workspaces = [kept.Count * pieces * sizeof(double)],
            };
    }

    private static Launch Pieces(
        string verb, DType dtype, Argument pieces, Argument target, AxisWalk kept, long perSum) =>
        KernelPlan.Fixed(
        Module,
        $"{verb}_pieces_{KernelPlan.Suffix(dtype)}",
        Grid.ForElements(kept.Count),
        pieces,
        target,
        AxesArgument.Of(kept, nameof(kept)),
        ValueArgument.Of(kept.Count),
        ValueArgument.Of(perSum));

    /// <summary>Whether neighbouring results read neighbouring elements.</summary>
    private static bool HasColumns(AxisWalk kept) => kept.Rank > 0 && kept[kept.Rank - 1].Source == 1;
}
