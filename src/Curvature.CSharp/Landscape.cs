namespace Curvature.CSharp;

/// <summary>A risk along one or two directions from a point (Goodfellow, Vinyals &amp; Saxe 2015; Li et al. 2018), with its quadratic
/// model there.</summary>
public static class Landscape
{
    /// <summary>Positions at equal distances from −radius to radius; with an odd count, 0 is one of them.</summary>
    /// <exception cref="ArgumentRangeException">The radius is not above 0, or there are fewer than two positions.</exception>
    public static double[] Grid(double radius, int count) => FSharp.Landscape.grid(radius, count);

    /// <summary>The value of a risk at θ + t·d for each position t, and its quadratic model loss + gᵀd·t + ½ dᵀHd·t² at θ, whose curvature
    /// comes from the eigenvalue where d is an eigenvector, and from a quadratic form otherwise. It costs a loss for each position, and for
    /// the model one gradient, or a gradient and a product with the Hessian. Batches are read once, one in memory at a time.</summary>
    /// <param name="risk">What is looked at.</param>
    /// <param name="theta">The point, of any shape.</param>
    /// <param name="direction">Where to go from there.</param>
    /// <param name="positions">Multiples of the direction, which increase.</param>
    /// <param name="options">What to make of the model and of losses that are not finite.</param>
    /// <param name="progress">Told after every few points, in place of what the options name.</param>
    /// <param name="cancellationToken">Ends the work, in place of what the options name: part of a landscape is none.</param>
    /// <exception cref="NonFiniteException">The loss is NaN or infinite; the message says where.</exception>
    /// <exception cref="ShapeException">The direction has another size than θ, or the loss is not a scalar.</exception>
    /// <exception cref="ArgumentRangeException">The positions do not increase.</exception>
    /// <exception cref="DataException">There are no batches.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static LossLine Line(
        EmpiricalRisk risk,
        Tensor theta,
        Direction direction,
        IEnumerable<double> positions,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Landscape.lineWith(
            With(options, progress, cancellationToken),
            risk.NotNull(),
            theta.NotNull(),
            direction.NotNull(),
            positions.NotNull());

    /// <summary>The value of a risk at θ + s·d₁ + t·d₂ for each pair of positions, and its quadratic model at θ. The directions need not be
    /// at right angles. Costs and errors are those of <see cref="Line"/>, with a product with the Hessian for each direction.</summary>
    public static LossPlane Plane(
        EmpiricalRisk risk,
        Tensor theta,
        Direction first,
        Direction second,
        IEnumerable<double> firstPositions,
        IEnumerable<double> secondPositions,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Landscape.planeWith(
            With(options, progress, cancellationToken),
            risk.NotNull(),
            theta.NotNull(),
            first.NotNull(),
            firstPositions.NotNull(),
            second.NotNull(),
            secondPositions.NotNull());

    private static LandscapeOptions With(
        LandscapeOptions? options, IProgress<LandscapeProgress>? progress, CancellationToken cancellationToken)
    {
        options ??= LandscapeOptions.Default;
        options = progress is null ? options : options.WithProgress(progress);
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
