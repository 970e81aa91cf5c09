namespace Curvature.Kernels;

/// <summary>A contraction that threads share. Each element of C is computed by one thread, so that results do not
/// depend on the number of threads.</summary>
internal abstract unsafe class ContractionKernel(
    ContractionDescription contraction, ContractionPlan plan, ThreadTeam team)
    : CpuKernel(team)
{
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
