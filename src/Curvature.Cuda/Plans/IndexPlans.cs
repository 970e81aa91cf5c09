namespace Curvature.Cuda;

/// <summary>Gathers, scatter-adds and cumulative sums.</summary>
internal static class IndexPlans
{
    // With so many columns a thread for each keeps a card busy; above the other number, looking for equal indices takes
    // longer than adding.
    private const long ManyColumns = 8192;
    private const int LongIndex = 16384;

    private const string Module = "indices";

    /// <summary>The launches of a gather.</summary>
    public static KernelPlan Gather(IndexingDescription indexing)
    {
        ArgumentNullException.ThrowIfNull(indexing);
        IndexingKernels.Validate(indexing);
        var sizes = indexing.Sizes;
        var count = (long)sizes.Batch * sizes.Outer * sizes.Count * sizes.Inner;
        var name = $"gather {Describe(indexing)}";
        return count == 0
            ? new KernelPlan(name)
            : new KernelPlan(name, KernelPlan.Fixed(
                Module,
                $"gather{Elements.SizeOf(indexing.DType)}",
                Grid.ForElements(count),
                ArrayArgument.Of(indexing.Source, indexing.DType),
                ArrayArgument.Of(indexing.Index, DType.Int32),
                ArrayArgument.Of(indexing.Target, indexing.DType),
                new WrongIndexArgument(),
                ValueArgument.Of(sizes)));
    }

    /// <summary>The launches of a scatter-add. Terms are added in the order of the index, as on the
    /// processor.</summary>
    public static KernelPlan ScatterAdd(IndexingDescription indexing)
    {
        ArgumentNullException.ThrowIfNull(indexing);
        IndexingKernels.Validate(indexing);
        Check.Floating(indexing.DType, nameof(IndexingDescription.DType));
        var sizes = indexing.Sizes;
        var name = $"scatter-add {Describe(indexing)}";
        var columns = (long)sizes.Batch * sizes.Outer * sizes.Inner;
        if (columns * sizes.Length == 0)
        {
            return new KernelPlan(name);
        }

        var source = ArrayArgument.Of(indexing.Source, indexing.DType);
        var index = ArrayArgument.Of(indexing.Index, DType.Int32);
        var target = ArrayArgument.Of(indexing.Target, indexing.DType);
        var suffix = KernelPlan.Suffix(indexing.DType);
        var zeros = CopyPlans.Zeros(indexing.DType, target, columns * sizes.Length);
        if (sizes.Count == 0)
        {
            return new KernelPlan(name, zeros);
        }

        if (columns >= ManyColumns || sizes.Count > LongIndex)
        {
            return new KernelPlan(name, zeros, KernelPlan.Fixed(
                Module,
                $"scatter_columns_{suffix}",
                Grid.ForElements(columns),
                source,
                index,
                target,
                new WrongIndexArgument(),
                ValueArgument.Of(sizes)));
        }

        var places = (long)sizes.Batch * sizes.Count;
        var links = KernelPlan.Fixed(
            Module,
            "scatter_links",
            Grid.ForElements(places),
            index,
            new WorkspaceArgument(0),
            new WrongIndexArgument(),
            ValueArgument.Of(sizes));
        var chains = KernelPlan.Fixed(
            Module,
            $"scatter_chains_{suffix}",
            Grid.ForElements(columns * sizes.Count),
            source,
            index,
            new WorkspaceArgument(0),
            target,
            ValueArgument.Of(sizes));
        return new KernelPlan(name, zeros, links, chains) { Workspaces = [places * sizeof(int)] };
    }

    /// <summary>The launches of a cumulative sum.</summary>
    public static KernelPlan CumulativeSum(CumulativeSumDescription sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        CumulativeSumKernels.Validate(sum);
        var name = $"cumulative sum {sum.Outer}×{sum.Length}×{sum.Inner} {sum.DType}";
        var lines = (long)sum.Outer * sum.Inner;
        return lines * sum.Length == 0
            ? new KernelPlan(name)
            : new KernelPlan(name, KernelPlan.Fixed(
                Module,
                $"cumulative_{KernelPlan.Suffix(sum.DType)}",
                Grid.OfBlocks(lines),
                ArrayArgument.Of(sum.Source, sum.DType),
                ArrayArgument.Of(sum.Target, sum.DType),
                ValueArgument.Of(sum.Length),
                ValueArgument.Of(sum.Inner),
                ValueArgument.Of(sum.Reverse ? 1 : 0)));
    }

    private static string Describe(IndexingDescription indexing)
    {
        var (batch, outer, length, count, inner) = indexing.Sizes;
        return $"{batch}×{outer}×{length}×{inner} by {count} {indexing.DType}";
    }
}
