using System.Diagnostics;

namespace Curvature.CSharp;

/// <summary>The largest elements of the last axis, from the largest on.</summary>
/// <param name="Values">The elements.</param>
/// <param name="Positions">Where they stand on the axis, Int32.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record TopElements(Tensor Values, Tensor Positions);

/// <summary>Sums, statistics, extremes, order, and the softmax family. Negative axes count from the end.</summary>
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

    /// <inheritdoc cref="FSharp.Tensor.var"/>
    public static Tensor Var(this Tensor tensor) => FSharp.Tensor.var(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.varAxes"/>
    public static Tensor Var(this Tensor tensor, IEnumerable<int> axes, int correction = 0) =>
        FSharp.Tensor.varAxes(axes.ToFSharpList(), correction, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.std"/>
    public static Tensor Std(this Tensor tensor) => FSharp.Tensor.std(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.stdAxes"/>
    public static Tensor Std(this Tensor tensor, IEnumerable<int> axes, int correction = 0) =>
        FSharp.Tensor.stdAxes(axes.ToFSharpList(), correction, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.prod"/>
    public static Tensor Prod(this Tensor tensor) => FSharp.Tensor.prod(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.prodAxes"/>
    public static Tensor Prod(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.prodAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.any"/>
    public static Tensor Any(this Tensor tensor) => FSharp.Tensor.any(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.anyAxes"/>
    public static Tensor Any(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.anyAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.all"/>
    public static Tensor All(this Tensor tensor) => FSharp.Tensor.all(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.allAxes"/>
    public static Tensor All(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.allAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.median"/>
    public static Tensor Median(this Tensor tensor) => FSharp.Tensor.median(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.medianAxes"/>
    public static Tensor Median(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.medianAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.cumulativeSum"/>
    public static Tensor CumulativeSum(this Tensor tensor, int axis) =>
        FSharp.Tensor.cumulativeSum(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.max"/>
    public static Tensor Max(this Tensor tensor) => FSharp.Tensor.max(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.maxAxes"/>
    public static Tensor Max(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.maxAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.min"/>
    public static Tensor Min(this Tensor tensor) => FSharp.Tensor.min(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.minAxes"/>
    public static Tensor Min(this Tensor tensor, params int[] axes) =>
        FSharp.Tensor.minAxes(axes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.argMax"/>
    public static Tensor ArgMax(this Tensor tensor) => FSharp.Tensor.argMax(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.argMin"/>
    public static Tensor ArgMin(this Tensor tensor) => FSharp.Tensor.argMin(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sort"/>
    public static Tensor Sort(this Tensor tensor, int axis = -1) => FSharp.Tensor.sort(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.argSort"/>
    public static Tensor ArgSort(this Tensor tensor, int axis = -1) => FSharp.Tensor.argSort(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.topK"/>
    public static TopElements TopK(this Tensor tensor, int count) =>
        FSharp.Tensor.topK(count, tensor.NotNull()).Into((values, positions) => new TopElements(values, positions));

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
