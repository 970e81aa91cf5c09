namespace Curvature.CSharp;

/// <summary>Losses: what to compare with, then the outputs of a network. All are twice differentiable in the outputs,
/// and stable for outputs of any size.</summary>
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

    /// <inheritdoc cref="FSharp.Loss.accuracy"/>
    public static double Accuracy(Tensor labels, Tensor logits) =>
        FSharp.Loss.accuracy(labels.NotNull(), logits.NotNull());
}
