namespace Curvature.Kernels;

/// <summary>A contraction that threads share. Every element of C is computed by one of them, in the same way whatever
/// the others do, so that results do not depend on their number.</summary>
internal abstract unsafe class ContractionKernel(ContractionDescription contraction, ContractionPlan plan, ThreadTeam team)
    : CpuKernel(team)
{
    // Below this, waking a helper takes longer than the work that it would take over.
    private const double FewestParallelFlops = 3e5;

    /// <inheritdoc/>
    public override string Name { get; } = plan.Shape.Describe(contraction);

    /// <inheritdoc/>
    public override double Flops { get; } = plan.Shape.Flops;

    /// <summary>The number of units of work.</summary>
    protected abstract long Units { get; }

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, Units, Flops < FewestParallelFlops ? 1 : threads);
}
