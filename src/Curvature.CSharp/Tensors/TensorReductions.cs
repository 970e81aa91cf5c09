namespace Curvature.CSharp;

/// <summary>Sums, means, extremes and the softmax family. Negative axes count from the end.</summary>
public static class TensorReductions
{
    /// <inheritdoc cref="FSharp.Tensor.sum"/>
    public static Tensor Sum(this Tensor tensor) => FSharp.Tensor.sum(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sumAxes"/>
    public static Tensor Sum(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.sumAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.mean"/>
    public static Tensor Mean(this Tensor tensor) => FSharp.Tensor.mean(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.meanAxes"/>
    public static Tensor Mean(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.meanAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.cumulativeSum"/>
    public static Tensor CumulativeSum(this Tensor tensor, int axis) =>
        FSharp.Tensor.cumulativeSum(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.max"/>
    public static Tensor Max(this Tensor tensor) => FSharp.Tensor.max(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.argMax"/>
    public static Tensor ArgMax(this Tensor tensor) => FSharp.Tensor.argMax(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.norm"/>
    public static Tensor Norm(this Tensor tensor) => FSharp.Tensor.norm(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.logSumExp"/>
    public static Tensor LogSumExp(this Tensor tensor) => FSharp.Tensor.logSumExp(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.softmax"/>
    public static Tensor Softmax(this Tensor tensor) => FSharp.Tensor.softmax(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.logSoftmax"/>
    public static Tensor LogSoftmax(this Tensor tensor) => FSharp.Tensor.logSoftmax(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.softmaxCrossEntropy"/>
    public static Tensor SoftmaxCrossEntropy(this Tensor logits, Tensor targets) =>
        FSharp.Tensor.softmaxCrossEntropy(logits.NotNull(), targets.NotNull());
}
