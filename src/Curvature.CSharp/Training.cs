namespace Curvature.CSharp;

/// <summary>Finding parameters of a small loss by descent.</summary>
public static class Training
{
    /// <summary>Descends along a risk over the batches that each pass takes from its source. It costs one gradient for each batch in each
    /// pass, and one value of the loss more for each batch of the first, which checks the data.</summary>
    /// <param name="risk">What is minimised; without data, all of it is one batch.</param>
    /// <param name="theta">Where to begin.</param>
    /// <param name="options">How to train; <see cref="TrainingOptions.Default"/> where there are none.</param>
    /// <param name="progress">Told after each pass, in place of what the options name.</param>
    /// <param name="cancellationToken">Stops between two steps, in place of what the options name; what was found until then is the
    /// result.</param>
    /// <exception cref="DataException">A pass has no batches, or a label is out of range.</exception>
    /// <exception cref="NonFiniteException">The loss or the parameters stop being finite.</exception>
    public static TrainingResult Minimize(
        EmpiricalRisk risk,
        Tensor theta,
        TrainingOptions? options = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Training.minimize(Complete(options, progress, cancellationToken), risk.NotNull(), theta.NotNull());

    private static TrainingOptions Complete(
        TrainingOptions? options, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        options ??= TrainingOptions.Default;
        options = progress is null ? options : options.WithProgress(progress);
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
