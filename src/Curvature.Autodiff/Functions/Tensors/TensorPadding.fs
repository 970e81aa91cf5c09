namespace Curvature

/// Padding of an axis with its own elements.
module internal TensorPadding =

    /// The axis, counted from the start, where the counts are at most what a rule allows for its length.
    let private check name (axis: int) (before: int) (after: int) (most: int -> int) (t: Tensor) : int =
        let axis = Shape.axis name t.Rank axis
        let length = t.Signature.Shape[axis]

        if min before after < 0 || max before after > most length then
            Fail.range (
                $"{name}: from 0 to {most length} elements can be added on each side of an axis of length {length}, "
                + $"and {before} before and {after} after it were asked for"
            )

        axis

    /// Pieces of so many elements joined to an axis; an empty one is left out.
    let private around axis (before: int) (after: int) (first: Tensor -> Tensor) (last: Tensor -> Tensor) (t: Tensor) =
        TensorShapes.concat
            axis
            [
                if before > 0 then first t
                t
                if after > 0 then last t
            ]

    let private piece axis start count (t: Tensor) : Tensor = TensorShapes.sliceStep axis start count 1 t

    let reflect (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        let axis = check "padReflect" axis before after (fun length -> max 0 (length - 1)) t
        let mirrored start count t = Tensor.Of(Structure.ReverseAxes [| axis |], piece axis start count t)
        let length = t.Signature.Shape[axis]
        around axis before after (mirrored 1 before) (mirrored (length - 1 - after) after) t

    let edge (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        let axis = check "padEdge" axis before after (fun length -> if length = 0 then 0 else Count.limit) t

        let repeated start count (t: Tensor) =
            (piece axis start 1 t).BroadcastTo(Array.updateAt axis count t.Signature.Shape)

        around axis before after (repeated 0 before) (repeated (t.Signature.Shape[axis] - 1) after) t

    let wrap (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        let axis = check "padWrap" axis before after id t
        around axis before after (piece axis (t.Signature.Shape[axis] - before) before) (piece axis 0 after) t
