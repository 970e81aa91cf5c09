namespace Curvature.CSharp;

/// <summary>A loss along one or two directions from a point (Goodfellow, Vinyals &amp; Saxe 2015; Li et al. 2018), with its quadratic
/// model there.</summary>
public static class Landscape
{
    /// <summary>Positions at equal distances from −radius to radius; with an odd count, 0 is one of them.</summary>
    /// <exception cref="ArgumentRangeException">The radius is not above 0, or there are fewer than two positions.</exception>
    public static double[] Grid(double radius, int count) => FSharp.Landscape.grid(radius, count);

    /// <summary>The loss at θ + t·d for each position t, and its quadratic model loss + gᵀd·t + ½ dᵀHd·t² at θ, whose curvature comes from
    /// the eigenvalue where d is an eigenvector, and from a quadratic form otherwise. It costs a loss for each position, and for
    /// the model one gradient, or a gradient and a product with the Hessian.</summary>
    /// <param name="loss">From θ to a scalar.</param>
    /// <param name="theta">The point, of any shape.</param>
    /// <param name="direction">Where to go from there.</param>
    /// <param name="positions">Multiples of the direction, which increase.</param>
    /// <param name="options">What to make of the model and of losses that are not finite.</param>
    /// <param name="progress">Told after every few points, in place of what the options name.</param>
    /// <param name="cancellationToken">Ends the work, in place of what the options name: part of a landscape is none.</param>
    /// <exception cref="NonFiniteException">The loss is NaN or infinite; the message says where.</exception>
    /// <exception cref="ShapeException">The direction has another size than θ, or the loss is not a scalar.</exception>
    /// <exception cref="ArgumentRangeException">The positions do not increase.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static LossLine Line(
        Func<Tensor, Tensor> loss,
        Tensor theta,
        Direction direction,
        IEnumerable<double> positions,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Landscape.lineWith(
            With(options, progress, cancellationToken),
            loss.ToFSharp(),
            theta.NotNull(),
            direction.NotNull(),
            positions.NotNull());

    /// <inheritdoc cref="Line"/>
    public static Task<LossLine> LineAsync(
        Func<Tensor, Tensor> loss,
        Tensor theta,
        Direction direction,
        IEnumerable<double> positions,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        theta.NotNull();
        direction.NotNull();
        positions.NotNull();
        return Task.Run(
            () => Line(loss, theta, direction, positions, options, progress, cancellationToken), cancellationToken);
    }

    /// <summary>The loss at θ + s·d₁ + t·d₂ for each pair of positions, and its quadratic model at θ. The directions need not be at right
    /// angles. Costs and errors are those of <see cref="Line"/>, with a product with the Hessian for each direction.</summary>
    public static LossPlane Plane(
        Func<Tensor, Tensor> loss,
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
            loss.ToFSharp(),
            theta.NotNull(),
            first.NotNull(),
            second.NotNull(),
            firstPositions.NotNull(),
            secondPositions.NotNull());

    /// <inheritdoc cref="Plane"/>
    public static Task<LossPlane> PlaneAsync(
        Func<Tensor, Tensor> loss,
        Tensor theta,
        Direction first,
        Direction second,
        IEnumerable<double> firstPositions,
        IEnumerable<double> secondPositions,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        theta.NotNull();
        first.NotNull();
        second.NotNull();
        firstPositions.NotNull();
        secondPositions.NotNull();
        return Task.Run(
            () => Plane(loss, theta, first, second, firstPositions, secondPositions, options, progress, cancellationToken),
            cancellationToken);
    }

    /// <summary>The loss of many batches along a direction, and its model. The batches are read once, and all positions evaluated on one
    /// before the next is read: memory holds one batch at a time. Otherwise as <see cref="Line"/>.</summary>
    /// <param name="loss">From a batch and θ to a scalar: the mean over the batch's samples, or their sum.</param>
    /// <param name="batches">The data. With the mean, batches count by their size.</param>
    /// <param name="theta">The point, of any shape.</param>
    /// <param name="direction">Where to go from there.</param>
    /// <param name="positions">Multiples of the direction, which increase.</param>
    /// <param name="reduction">What the loss of a batch is.</param>
    /// <param name="options">What to make of the model and of losses that are not finite.</param>
    /// <param name="progress">Told after every few points, in place of what the options name.</param>
    /// <param name="cancellationToken">Ends the work, in place of what the options name: part of a landscape is none.</param>
    /// <exception cref="DataException">There are no batches.</exception>
    public static LossLine LineOverBatches(
        Func<Batch, Tensor, Tensor> loss,
        IEnumerable<Batch> batches,
        Tensor theta,
        Direction direction,
        IEnumerable<double> positions,
        Reduction reduction = Reduction.Mean,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Landscape.lineOverBatches(
            With(options, progress, cancellationToken),
            reduction,
            loss.ToFSharp(),
            batches.NotNull(),
            theta.NotNull(),
            direction.NotNull(),
            positions.NotNull());

    /// <inheritdoc cref="LineOverBatches"/>
    public static Task<LossLine> LineOverBatchesAsync(
        Func<Batch, Tensor, Tensor> loss,
        IEnumerable<Batch> batches,
        Tensor theta,
        Direction direction,
        IEnumerable<double> positions,
        Reduction reduction = Reduction.Mean,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        batches.NotNull();
        theta.NotNull();
        direction.NotNull();
        positions.NotNull();
        return Task.Run(
            () => LineOverBatches(
                loss, batches, theta, direction, positions, reduction, options, progress, cancellationToken),
            cancellationToken);
    }

    /// <summary>The loss of many batches over the plane of two directions, and its model; see <see cref="LineOverBatches"/> and
    /// <see cref="Plane"/>.</summary>
    public static LossPlane PlaneOverBatches(
        Func<Batch, Tensor, Tensor> loss,
        IEnumerable<Batch> batches,
        Tensor theta,
        Direction first,
        Direction second,
        IEnumerable<double> firstPositions,
        IEnumerable<double> secondPositions,
        Reduction reduction = Reduction.Mean,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Landscape.planeOverBatches(
            With(options, progress, cancellationToken),
            reduction,
            loss.ToFSharp(),
            batches.NotNull(),
            theta.NotNull(),
            first.NotNull(),
            second.NotNull(),
            firstPositions.NotNull(),
            secondPositions.NotNull());

    /// <inheritdoc cref="PlaneOverBatches"/>
    public static Task<LossPlane> PlaneOverBatchesAsync(
        Func<Batch, Tensor, Tensor> loss,
        IEnumerable<Batch> batches,
        Tensor theta,
        Direction first,
        Direction second,
        IEnumerable<double> firstPositions,
        IEnumerable<double> secondPositions,
        Reduction reduction = Reduction.Mean,
        LandscapeOptions? options = null,
        IProgress<LandscapeProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        batches.NotNull();
        theta.NotNull();
        first.NotNull();
        second.NotNull();
        firstPositions.NotNull();
        secondPositions.NotNull();
        return Task.Run(
            () => PlaneOverBatches(
                loss,
                batches,
                theta,
                first,
                second,
                firstPositions,
                secondPositions,
                reduction,
                options,
                progress,
                cancellationToken),
            cancellationToken);
    }

    private static LandscapeOptions With(
        LandscapeOptions? options, IProgress<LandscapeProgress>? progress, CancellationToken cancellationToken)
    {
        options ??= LandscapeOptions.Default;
        options = progress is null ? options : options.WithProgress(progress);
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
