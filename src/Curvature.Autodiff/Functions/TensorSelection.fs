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
