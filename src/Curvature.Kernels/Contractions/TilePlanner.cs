namespace Curvature.Kernels;

/// <summary>Chooses how a contraction is cut into tiles.</summary>
internal static class TilePlanner
{
    /// <summary>The faster of the two ways to lay the operands along a tile.</summary>
    public static TilePlan Plan(Contraction contraction, ContractionShape shape, Tiling tiling)
    {
        var straight = new TilePlan(shape, tiling, swapped: false);
        var swapped = new TilePlan(shape, tiling, swapped: true);
        return TileCost.Cycles(contraction, swapped) < TileCost.Cycles(contraction, straight) ? swapped : straight;
    }
}
