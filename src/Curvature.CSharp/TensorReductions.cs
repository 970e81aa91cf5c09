namespace Curvature.CSharp;

/// <summary>Sums, means, extremes and the softmax family. Negative axes count from the end.</summary>
public static class TensorReductions
{
    /// <summary>The sum of all elements. <see cref="DType.Float32"/> accumulates in <see cref="DType.Float64"/> or pairwise.</summary>
    public static Tensor Sum(this Tensor tensor) => FSharp.Tensor.sum(tensor.NotNull());

    /// <summary>The sum over axes, which disappear.</summary>
    public static Tensor Sum(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.sumAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <summary>The mean of all elements.</summary>
    public static Tensor Mean(this Tensor tensor) => FSharp.Tensor.mean(tensor.NotNull());

    /// <summary>The mean over axes, which disappear.</summary>
    public static Tensor Mean(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.meanAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <summary>Sums of all elements up to each one along an axis.</summary>
    public static Tensor CumulativeSum(this Tensor tensor, int axis) => FSharp.Tensor.cumulativeSum(axis, tensor.NotNull());

    /// <summary>The largest element of the last axis; the derivative goes to the first of equal ones.</summary>
    public static Tensor Max(this Tensor tensor) => FSharp.Tensor.max(tensor.NotNull());

    /// <summary>The position of the first largest element of the last axis, <see cref="DType.Int32"/>. It has no derivative.</summary>
    public static Tensor ArgMax(this Tensor tensor) => FSharp.Tensor.argMax(tensor.NotNull());

    /// <summary>The Euclidean norm of all elements. Its derivative at 0 is not defined.</summary>
    public static Tensor Norm(this Tensor tensor) => FSharp.Tensor.norm(tensor.NotNull());

    /// <summary>ln Σ eˣ over the last axis, shifted by the maximum of its own row.</summary>
    public static Tensor LogSumExp(this Tensor tensor) => FSharp.Tensor.logSumExp(tensor.NotNull());

    /// <summary>eˣ / Σ eˣ over the last axis.</summary>
    public static Tensor Softmax(this Tensor tensor) => FSharp.Tensor.softmax(tensor.NotNull());

    /// <summary>x − ln Σ eˣ over the last axis.</summary>
    public static Tensor LogSoftmax(this Tensor tensor) => FSharp.Tensor.logSoftmax(tensor.NotNull());

    /// <summary>−Σ q·ln softmax(x) over the last axis, for logits x and target distributions q of the same shape.</summary>
    public static Tensor SoftmaxCrossEntropy(this Tensor logits, Tensor targets) =>
        FSharp.Tensor.softmaxCrossEntropy(logits.NotNull(), targets.NotNull());
}
