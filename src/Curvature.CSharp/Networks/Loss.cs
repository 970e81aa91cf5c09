namespace Curvature.CSharp;

/// <summary>Losses: what to compare with, then the outputs of a network. All are twice differentiable in the outputs,
/// L1 and Huber but for their kinks, and stable for outputs of any size.</summary>
public static class Loss
{
    /// <inheritdoc cref="FSharp.Loss.meanSquaredError"/>
    public static Tensor MeanSquaredError(Tensor targets, Tensor outputs, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.meanSquaredError(reduction, targets.NotNull(), outputs.NotNull());

    /// <inheritdoc cref="FSharp.Loss.softmaxCrossEntropy"/>
    public static Tensor SoftmaxCrossEntropy(Tensor targets, Tensor logits, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.softmaxCrossEntropy(reduction, targets.NotNull(), logits.NotNull());

    /// <inheritdoc cref="FSharp.Loss.binaryCrossEntropy"/>
    public static Tensor BinaryCrossEntropy(Tensor targets, Tensor logits, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.binaryCrossEntropy(reduction, targets.NotNull(), logits.NotNull());

    /// <inheritdoc cref="FSharp.Loss.l1"/>
    public static Tensor L1(Tensor targets, Tensor outputs, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.l1(reduction, targets.NotNull(), outputs.NotNull());

    /// <inheritdoc cref="FSharp.Loss.huber"/>
    public static Tensor Huber(
        Tensor targets, Tensor outputs, double delta = 1, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.huber(delta, reduction, targets.NotNull(), outputs.NotNull());

    /// <inheritdoc cref="FSharp.Loss.negativeLogLikelihood"/>
    public static Tensor NegativeLogLikelihood(
        Tensor labels, Tensor logProbabilities, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.negativeLogLikelihood(reduction, labels.NotNull(), logProbabilities.NotNull());

    /// <inheritdoc cref="FSharp.Loss.kullbackLeibler"/>
    public static Tensor KullbackLeibler(
        Tensor targets, Tensor logProbabilities, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.kullbackLeibler(reduction, targets.NotNull(), logProbabilities.NotNull());

    /// <inheritdoc cref="FSharp.Loss.focal"/>
    public static Tensor Focal(
        Tensor labels, Tensor logits, double gamma = 2, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.focal(gamma, reduction, labels.NotNull(), logits.NotNull());

    /// <inheritdoc cref="FSharp.Loss.binaryFocal"/>
    public static Tensor BinaryFocal(
        Tensor targets, Tensor logits, double gamma = 2, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.binaryFocal(gamma, reduction, targets.NotNull(), logits.NotNull());

    /// <inheritdoc cref="FSharp.Loss.accuracy"/>
    public static double Accuracy(Tensor labels, Tensor logits) =>
        FSharp.Loss.accuracy(labels.NotNull(), logits.NotNull());
}
