namespace Curvature.CSharp;

/// <summary>Losses: what to compare with, then the outputs of a network. All are twice differentiable in the outputs, and stable for
/// outputs of any size.</summary>
public static class Loss
{
    /// <summary>(y − t)² for each element; the mean is over all elements, as in torch.nn.MSELoss.</summary>
    /// <param name="targets">t, in the shape of the outputs.</param>
    /// <param name="outputs">y.</param>
    /// <param name="reduction">How the losses of the elements become one number.</param>
    /// <exception cref="ShapeException">The shapes differ, or there are no elements.</exception>
    public static Tensor MeanSquaredError(Tensor targets, Tensor outputs, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.meanSquaredError(reduction, targets.NotNull(), outputs.NotNull());

    /// <summary>−Σ q·ln softmax(y) for each row of logits y [batch, classes].</summary>
    /// <param name="targets"><see cref="DType.Int32"/> labels [batch], or distributions q [batch, classes].</param>
    /// <param name="logits">y.</param>
    /// <param name="reduction">How the losses of the rows become one number.</param>
    /// <exception cref="ShapeException">The shapes do not fit, or there are no rows.</exception>
    /// <exception cref="DataException">A label is not one of 0 … classes − 1; the message names its row.</exception>
    public static Tensor SoftmaxCrossEntropy(Tensor targets, Tensor logits, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.softmaxCrossEntropy(reduction, targets.NotNull(), logits.NotNull());

    /// <summary>−t·ln σ(y) − (1 − t)·ln(1 − σ(y)) for each logit y.</summary>
    /// <param name="targets">t: probabilities, or <see cref="DType.Int32"/> labels 0 and 1, in the shape of the logits.</param>
    /// <param name="logits">y.</param>
    /// <param name="reduction">How the losses of the elements become one number.</param>
    /// <exception cref="ShapeException">The shapes differ, or there are no elements.</exception>
    /// <exception cref="DataException">A target is outside 0 … 1; the message names it.</exception>
    public static Tensor BinaryCrossEntropy(Tensor targets, Tensor logits, Reduction reduction = Reduction.Mean) =>
        FSharp.Loss.binaryCrossEntropy(reduction, targets.NotNull(), logits.NotNull());

    /// <summary>The share of rows of logits [batch, classes] whose largest element is at the <see cref="DType.Int32"/> label [batch]. It
    /// has no derivative.</summary>
    public static double Accuracy(Tensor labels, Tensor logits) => FSharp.Loss.accuracy(labels.NotNull(), logits.NotNull());
}
