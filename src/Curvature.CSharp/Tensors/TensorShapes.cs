namespace Curvature.CSharp;

/// <summary>Rearranging, cutting and joining tensors, and the diagonals and triangles of matrices. Negative axes count
/// from the end.</summary>
public static class TensorShapes
{
    extension(Tensor)
    {
        /// <inheritdoc cref="FSharp.Tensor.concat"/>
        public static Tensor Concat(int axis, params IReadOnlyList<Tensor> tensors) =>
            FSharp.Tensor.concat(axis, tensors.ToFSharpList());

        /// <inheritdoc cref="FSharp.Tensor.stack"/>
        public static Tensor Stack(int axis, params IReadOnlyList<Tensor> tensors) =>
            FSharp.Tensor.stack(axis, tensors.ToFSharpList());
    }

    /// <inheritdoc cref="FSharp.Tensor.reshape"/>
    public static Tensor Reshape(this Tensor tensor, params int[] shape) =>
        FSharp.Tensor.reshape(shape.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.flatten"/>
    public static Tensor Flatten(this Tensor tensor) => FSharp.Tensor.flatten(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.permute"/>
    public static Tensor Permute(this Tensor tensor, params int[] order) =>
        FSharp.Tensor.permute(order.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.transpose"/>
    public static Tensor Transpose(this Tensor tensor) => FSharp.Tensor.transpose(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.unsqueeze"/>
    public static Tensor Unsqueeze(this Tensor tensor, int axis) => FSharp.Tensor.unsqueeze(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.squeeze"/>
    public static Tensor Squeeze(this Tensor tensor, int axis) => FSharp.Tensor.squeeze(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.broadcastTo"/>
    public static Tensor BroadcastTo(this Tensor tensor, params int[] shape) =>
        FSharp.Tensor.broadcastTo(shape.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.slice"/>
    public static Tensor Slice(this Tensor tensor, int axis, int start, int count) =>
        FSharp.Tensor.slice(axis, start, count, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.sliceStep"/>
    public static Tensor Slice(this Tensor tensor, int axis, int start, int count, int step) =>
        FSharp.Tensor.sliceStep(axis, start, count, step, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.item"/>
    public static Tensor Item(this Tensor tensor, int axis, int index) =>
        FSharp.Tensor.item(axis, index, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.split"/>
    public static IReadOnlyList<Tensor> Split(this Tensor tensor, int axis, params int[] sizes) =>
        FSharp.Tensor.split(axis, sizes.ToFSharpList(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.pad"/>
    public static Tensor Pad(this Tensor tensor, int axis, int before, int after) =>
        FSharp.Tensor.pad(axis, before, after, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.padReflect"/>
    public static Tensor PadReflect(this Tensor tensor, int axis, int before, int after) =>
        FSharp.Tensor.padReflect(axis, before, after, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.padEdge"/>
    public static Tensor PadEdge(this Tensor tensor, int axis, int before, int after) =>
        FSharp.Tensor.padEdge(axis, before, after, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.padWrap"/>
    public static Tensor PadWrap(this Tensor tensor, int axis, int before, int after) =>
        FSharp.Tensor.padWrap(axis, before, after, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.reverse"/>
    public static Tensor Reverse(this Tensor tensor, int axis) => FSharp.Tensor.reverse(axis, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.take"/>
    public static Tensor Take(this Tensor tensor, int axis, Tensor index) =>
        FSharp.Tensor.take(axis, index.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.pick"/>
    public static Tensor Pick(this Tensor tensor, Tensor index) =>
        FSharp.Tensor.pick(index.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.scatterAdd"/>
    public static Tensor ScatterAdd(this Tensor updates, int axis, int length, Tensor index) =>
        FSharp.Tensor.scatterAdd(axis, length, index.NotNull(), updates.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.gatherElements"/>
    public static Tensor GatherElements(this Tensor tensor, int axis, Tensor index) =>
        FSharp.Tensor.gatherElements(axis, index.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.scatterAddElements"/>
    public static Tensor ScatterAddElements(this Tensor tensor, int axis, Tensor index, Tensor updates) =>
        FSharp.Tensor.scatterAddElements(axis, index.NotNull(), updates.NotNull(), tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.diagonal"/>
    public static Tensor Diagonal(this Tensor tensor) => FSharp.Tensor.diagonal(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.diag"/>
    public static Tensor Diag(this Tensor tensor) => FSharp.Tensor.diag(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.trace"/>
    public static Tensor Trace(this Tensor tensor) => FSharp.Tensor.trace(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.tril"/>
    public static Tensor Tril(this Tensor tensor, int offset = 0) => FSharp.Tensor.tril(offset, tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.triu"/>
    public static Tensor Triu(this Tensor tensor, int offset = 0) => FSharp.Tensor.triu(offset, tensor.NotNull());
}
