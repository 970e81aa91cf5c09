namespace Curvature.Kernels;

/// <summary>Chooses how a contraction is computed.</summary>
internal static class ContractionPlanner
{
    /// <summary>The plan that is estimated to be the fastest: tiles with either operand along the rows, or dot
    /// products.</summary>
    public static ContractionPlan Plan(ContractionDescription contraction, Tiling tiling)
    {
        var shape = new ContractionShape(contraction);
        var straight = new TilePlan(contraction, shape, tiling, swapped: false);
        var swapped = new TilePlan(contraction, shape, tiling, swapped: true);
        var straightCycles = ContractionCost.Cycles(straight);
        var swappedCycles = ContractionCost.Cycles(swapped);
        var dots = DotPlan.Of(contraction, shape, tiling);
        return dots is not null && ContractionCost.Cycles(dots) < Math.Min(straightCycles, swappedCycles) ? dots
            : swappedCycles < straightCycles ? swapped
            : straight;
    }
}
