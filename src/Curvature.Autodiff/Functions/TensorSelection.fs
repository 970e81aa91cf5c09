namespace Curvature

open Curvature.Kernels

/// Reductions over axes, and elements picked by index.
module internal TensorSelection =

    let sumAxes (axes: int list) (t: Tensor) : Tensor =
        t.SumOver(axes |> List.map (Shape.axis "sum" t.Rank) |> List.distinct |> List.sort |> List.toArray)

    let meanAxes (axes: int list) (t: Tensor) : Tensor =
        let shape = t.Signature.Shape
        let axes = axes |> List.map (Shape.axis "mean" t.Rank) |> List.distinct
        let count = axes |> List.fold (fun count axis -> count * float shape[axis]) 1.0

        if count = 0.0 then
            Fail.shape $"mean: there is nothing to take the mean of in axes {axes} of shape {Shape.show shape}"

        sumAxes axes t / count

    let take (axis: int) (index: Tensor) (t: Tensor) : Tensor =
        Tensor.Of(Indexing.Gather(Shape.axis "take" t.Rank axis, 0), t, index)

    /// The elements of an axis at known positions, such as some rows of a table.
    let takeAt (axis: int) (positions: int[]) (t: Tensor) : Tensor =
        take axis (TensorCreation.toDevice t.Device (TensorCreation.ofIndices [ positions.Length ] positions)) t

    let pick (index: Tensor) (t: Tensor) : Tensor =
        let shape = t.Signature.Shape

        if shape.Length = 0 || index.Signature.Shape <> shape[.. shape.Length - 2] then
            Fail.shape (
                $"pick: an index of shape {index.ShapeText} does not give one position for each row "
                + $"of {Shape.show shape}"
            )

        Tensor.Of(Indexing.Gather(t.Rank - 1, t.Rank - 1), t, index)

    let scatterAdd (axis: int) (length: int) (index: Tensor) (updates: Tensor) : Tensor =
        let axis = Shape.axis "scatterAdd" (updates.Rank - index.Rank + 1) axis
        Tensor.Of(Indexing.ScatterAdd(axis, 0, length), index, updates)

    let cumulativeSum (axis: int) (t: Tensor) : Tensor =
        Tensor.Of(Indexing.CumulativeSum(Shape.axis "cumulativeSum" t.Rank axis, false), t)

    let private indexOnly operation (index: Tensor) =
        if index.DType <> DType.Int32 then
            Fail.dtype $"{operation}: an index is an Int32 tensor, and this one is {index.DType}"

    /// The axis that an index with as many axes as a tensor picks from. Along other axes it is at most as long.
    let private indexedAxis name (axis: int) (index: Tensor) (t: Tensor) : int =
        indexOnly name index
        let axis = Shape.axis name t.Rank axis
        let fits i length = i = axis || length <= t.Signature.Shape[i]

        if index.Rank <> t.Rank || not (index.Signature.Shape |> Array.mapi fits |> Array.forall id) then
            Fail.shape (
                $"{name}: an index has as many axes as the tensor, and is no longer along all but axis {axis}; the "
                + $"index has shape {index.ShapeText}, and the tensor {t.ShapeText}"
            )

        axis

    let gatherElements (axis: int) (index: Tensor) (t: Tensor) : Tensor =
        let axis = indexedAxis "gatherElements" axis index t
        let shape = index.Signature.Shape |> Array.updateAt axis t.Signature.Shape[axis]
        let last, back = TensorShapes.withLast axis t.Rank
        let first = Array.zeroCreate t.Rank
        let ones = Array.create t.Rank 1

        let part =
            if shape = t.Signature.Shape then
                t
            else
                Tensor.Of(Structure.Slice(first, shape, ones), t)

        let gather = Indexing.Gather(t.Rank - 1, t.Rank - 1)

        Tensor.Of(gather, TensorShapes.permute last part, TensorShapes.permute last index)
        |> TensorShapes.permute back

    let scatterAddElements (axis: int) (index: Tensor) (updates: Tensor) (t: Tensor) : Tensor =
        let axis = indexedAxis "scatterAddElements" axis index t

        if updates.Signature.Shape <> index.Signature.Shape then
            Fail.shape (
                $"scatterAddElements: there is an update for each element of the index, of shape {index.ShapeText}, "
                + $"and the updates have shape {updates.ShapeText}"
            )

        let length = t.Signature.Shape[axis]
        let last, back = TensorShapes.withLast axis t.Rank
        let scatter = Indexing.ScatterAdd(t.Rank - 1, t.Rank - 1, length)

        let sums =
            Tensor.Of(scatter, TensorShapes.permute last index, TensorShapes.permute last updates)
            |> TensorShapes.permute back

        let zeros: int[] = Array.zeroCreate t.Rank
        let missing = Array.map2 (-) t.Signature.Shape sums.Signature.Shape

        let added =
            if missing = zeros then
                sums
            else
                Tensor.Of(Structure.Pad(zeros, zeros, missing), sums)

        t + added

    let oneHot (dtype: DType) (classes: int) (labels: Tensor) : Tensor =
        indexOnly "oneHot" labels

        if isNull labels.Owner then
            labels.ToInt32Array()
            |> Array.iteri (fun row label ->
                if label < 0 || label >= classes then
                    Fail.data $"label {label} of row {row} is not one of 0 … {classes - 1}")

        Shape.size [| labels.Size; classes |] |> ignore
        let positions = TensorCreation.arange dtype classes
        let rows = labels |> TensorShapes.unsqueeze -1 |> TensorCreation.convert dtype
        Tensor.Apply(OpCode.Equal, rows, TensorCreation.toDevice labels.Device positions)
