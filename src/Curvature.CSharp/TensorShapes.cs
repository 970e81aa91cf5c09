namespace Curvature.CSharp;

/// <summary>Rearranging, cutting and joining tensors. Negative axes count from the end.</summary>
public static class TensorShapes
{
    extension(Tensor)
    {
        /// <summary>Joins tensors along an axis.</summary>
        /// <exception cref="ArgumentRangeException">There is nothing to join.</exception>
        /// <exception cref="ShapeException">The other axes differ.</exception>
        public static Tensor Concat(int axis, params IReadOnlyList<Tensor> tensors) =>
            FSharp.Tensor.concat(axis, tensors.ToFSharpList());

        /// <summary>Joins tensors of the same shape along a new axis.</summary>
        /// <exception cref="ArgumentRangeException">There is nothing to join.</exception>
        /// <exception cref="ShapeException">The shapes differ.</exception>
        public static Tensor Stack(int axis, params IReadOnlyList<Tensor> tensors) =>
            FSharp.Tensor.stack(axis, tensors.ToFSharpList());
    }

    /// <summary>The same elements in row-major order in another shape; one length may be −1, and is then inferred.</summary>
    /// <exception cref="ShapeException">The elements do not fill the shape.</exception>
    public static Tensor Reshape(this Tensor tensor, params int[] shape) =>
        FSharp.Tensor.reshape(shape.ToFSharpList(), tensor.NotNull());

    /// <summary>One axis with all elements.</summary>
    public static Tensor Flatten(this Tensor tensor) => FSharp.Tensor.flatten(tensor.NotNull());

    /// <summary>The axes in another order: result axis i is axis <c>order[i]</c>.</summary>
    /// <exception cref="ShapeException">The order does not name every axis once.</exception>
    public static Tensor Permute(this Tensor tensor, params int[] order) =>
        FSharp.Tensor.permute(order.ToFSharpList(), tensor.NotNull());

    /// <summary>The last two axes trade places.</summary>
    /// <exception cref="ShapeException">There are fewer than two axes.</exception>
    public static Tensor Transpose(this Tensor tensor) => FSharp.Tensor.transpose(tensor.NotNull());

    /// <summary>Adds an axis of length 1 before the given one.</summary>
    public static Tensor Unsqueeze(this Tensor tensor, int axis) => FSharp.Tensor.unsqueeze(axis, tensor.NotNull());

    /// <summary>Removes an axis of length 1.</summary>
    /// <exception cref="ShapeException">The axis has another length.</exception>
    public static Tensor Squeeze(this Tensor tensor, int axis) => FSharp.Tensor.squeeze(axis, tensor.NotNull());

    /// <summary>Repeats axes of length 1, and new leading ones, to reach a shape.</summary>
    /// <exception cref="ShapeException">The tensor does not broadcast to the shape.</exception>
    public static Tensor BroadcastTo(this Tensor tensor, params int[] shape) =>
        FSharp.Tensor.broadcastTo(shape.ToFSharpList(), tensor.NotNull());

    /// <summary><paramref name="count"/> elements of an axis from <paramref name="start"/>.</summary>
    /// <exception cref="ArgumentRangeException">The count is negative.</exception>
    public static Tensor Slice(this Tensor tensor, int axis, int start, int count) =>
        FSharp.Tensor.slice(axis, start, count, tensor.NotNull());

    /// <summary><paramref name="count"/> elements of an axis from <paramref name="start"/>, every <paramref name="step"/>-th.</summary>
    /// <exception cref="ArgumentRangeException">The count is negative, or the step is less than 1.</exception>
    public static Tensor Slice(this Tensor tensor, int axis, int start, int count, int step) =>
        FSharp.Tensor.sliceStep(axis, start, count, step, tensor.NotNull());

    /// <summary>Entry <paramref name="index"/> of an axis, which disappears.</summary>
    public static Tensor Item(this Tensor tensor, int axis, int index) => FSharp.Tensor.item(axis, index, tensor.NotNull());

    /// <summary>Cuts an axis into consecutive pieces of the given lengths.</summary>
    /// <exception cref="ShapeException">The lengths do not add up to that of the axis.</exception>
    public static IReadOnlyList<Tensor> Split(this Tensor tensor, int axis, params int[] sizes) =>
        FSharp.Tensor.split(axis, sizes.ToFSharpList(), tensor.NotNull());

    /// <summary>Zeros before and after the elements of an axis.</summary>
    /// <exception cref="ArgumentRangeException">A count of zeros is negative.</exception>
    public static Tensor Pad(this Tensor tensor, int axis, int before, int after) =>
        FSharp.Tensor.pad(axis, before, after, tensor.NotNull());

    /// <summary>The elements of an axis in the opposite order.</summary>
    public static Tensor Reverse(this Tensor tensor, int axis) => FSharp.Tensor.reverse(axis, tensor.NotNull());

    /// <summary>The elements of an axis at the given <see cref="DType.Int32"/> positions; the positions' axes take the axis's place.</summary>
    /// <exception cref="ArgumentRangeException">A position is outside the axis.</exception>
    public static Tensor Take(this Tensor tensor, int axis, Tensor index) =>
        FSharp.Tensor.take(axis, index.NotNull(), tensor.NotNull());

    /// <summary>For each row, the element of the last axis at that row's <see cref="DType.Int32"/> position.</summary>
    /// <exception cref="ArgumentRangeException">A position is outside the axis.</exception>
    public static Tensor Pick(this Tensor tensor, Tensor index) => FSharp.Tensor.pick(index.NotNull(), tensor.NotNull());

    /// <summary>Zeros of length <paramref name="length"/> along a new axis, to which each update is added at its
    /// <see cref="DType.Int32"/> position; the inverse of <see cref="Take"/>.</summary>
    /// <exception cref="ArgumentRangeException">A position is outside the axis.</exception>
    public static Tensor ScatterAdd(this Tensor updates, int axis, int length, Tensor index) =>
        FSharp.Tensor.scatterAdd(axis, length, index.NotNull(), updates.NotNull());
}
