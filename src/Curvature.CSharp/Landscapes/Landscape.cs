namespace Curvature.CSharp;

/// <summary>A risk along one or two directions from a point (Goodfellow, Vinyals &amp; Saxe 2015; Li et al. 2018), with
/// its quadratic model there. Progress and cancellation are part of <see cref="LandscapeOptions"/>; cancelled, they
/// raise <see cref="OperationCanceledException"/>, without a partial result.</summary>
public static class Landscape
{
    /// <inheritdoc cref="FSharp.Landscape.grid"/>
    public static double[] Grid(double radius, int count) => FSharp.Landscape.grid(radius, count);

    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Landscape.lineWith"/>
        public LossLine LossLine(
            Tensor theta, Direction direction, IEnumerable<double> positions, LandscapeOptions? options = null) =>
            FSharp.Landscape.lineWith(
                options ?? LandscapeOptions.Default,
                risk.NotNull(),
                theta.NotNull(),
                direction.NotNull(),
                positions.NotNull());

        /// <inheritdoc cref="FSharp.Landscape.planeWith"/>
        public LossPlane LossPlane(
            Tensor theta, LandscapeAxis first, LandscapeAxis second, LandscapeOptions? options = null) =>
            FSharp.Landscape.planeWith(
                options ?? LandscapeOptions.Default,
                risk.NotNull(),
                theta.NotNull(),
                first.NotNull(),
                second.NotNull());
    }
}
