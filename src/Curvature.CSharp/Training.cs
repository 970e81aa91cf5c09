namespace Curvature.CSharp;

/// <summary>Finding parameters of a small loss by descent.</summary>
public static class Training
{
    /// <summary>Descends along a loss over batches of rows. Each pass takes the rows in another order, drawn from the key; with all rows in
    /// one batch, in their own order. It costs one gradient for each batch in each pass.</summary>
    /// <param name="loss">From θ, inputs and targets to a scalar: the mean over the rows of a batch.</param>
    /// <param name="inputs">The rows are the leading axis.</param>
    /// <param name="targets">The same number of rows.</param>
    /// <param name="theta">Where to begin.</param>
    /// <param name="key">What decides the order of the rows: the same key gives the same bits.</param>
    /// <param name="options">How to train; <see cref="TrainingOptions.Default"/> where there are none.</param>
    /// <param name="progress">Told after each pass, in place of what the options name.</param>
    /// <param name="cancellationToken">Stops between two steps, in place of what the options name; what was found until then is the
    /// result.</param>
    /// <exception cref="ShapeException">Inputs and targets differ in their number of rows, or have none.</exception>
    /// <exception cref="NonFiniteException">The loss or the parameters stop being finite.</exception>
    public static TrainingResult Minimize(
        Func<Tensor, Tensor, Tensor, Tensor> loss,
        Tensor inputs,
        Tensor targets,
        Tensor theta,
        Key key,
        TrainingOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options = Complete(options, progress, cancellationToken);
        return FSharp.Training.minimize(
            options, key, loss.ToFSharp(), inputs.NotNull(), targets.NotNull(), theta.NotNull());
    }

    /// <inheritdoc cref="Minimize"/>
    public static Task<TrainingResult> MinimizeAsync(
        Func<Tensor, Tensor, Tensor, Tensor> loss,
        Tensor inputs,
        Tensor targets,
        Tensor theta,
        Key key,
        TrainingOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        inputs.NotNull();
        targets.NotNull();
        theta.NotNull();
        return Task.Run(
            () => Minimize(loss, inputs, targets, theta, key, options, progress, cancellationToken), CancellationToken.None);
    }

    /// <summary>Descends along a loss over the batches that each pass takes from a source. It costs one gradient for each batch in each
    /// pass, and one value of the loss more for each batch of the first, which checks the data.</summary>
    /// <param name="loss">From a batch and θ to a scalar: the mean over the samples of the batch.</param>
    /// <param name="batches">The batches of each pass, by its number from 0 on.</param>
    /// <param name="theta">Where to begin.</param>
    /// <param name="options">How to train; <see cref="TrainingOptions.Default"/> where there are none. The size of a batch is the
    /// source's.</param>
    /// <param name="progress">Told after each pass, in place of what the options name.</param>
    /// <param name="cancellationToken">Stops between two steps, in place of what the options name; what was found until then is the
    /// result.</param>
    /// <exception cref="DataException">A pass has no batches, or a label is out of range.</exception>
    /// <exception cref="NonFiniteException">The loss or the parameters stop being finite.</exception>
    public static TrainingResult MinimizeOverBatches(
        Func<Batch, Tensor, Tensor> loss,
        Func<int, IEnumerable<Batch>> batches,
        Tensor theta,
        TrainingOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options = Complete(options, progress, cancellationToken);
        return FSharp.Training.minimizeOverBatches(options, loss.ToFSharp(), batches.ToFSharp(), theta.NotNull());
    }

    /// <inheritdoc cref="MinimizeOverBatches"/>
    public static Task<TrainingResult> MinimizeOverBatchesAsync(
        Func<Batch, Tensor, Tensor> loss,
        Func<int, IEnumerable<Batch>> batches,
        Tensor theta,
        TrainingOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        loss.NotNull();
        batches.NotNull();
        theta.NotNull();
        return Task.Run(() => MinimizeOverBatches(loss, batches, theta, options, progress, cancellationToken), CancellationToken.None);
    }

    private static TrainingOptions Complete(
        TrainingOptions? options, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        options ??= TrainingOptions.Default;
        options = progress is null ? options : options.WithProgress(progress);
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
