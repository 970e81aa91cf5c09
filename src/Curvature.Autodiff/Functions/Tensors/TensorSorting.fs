namespace Curvature

/// Sorting, and what is read off a sorted axis. Positions have no derivative; elements do, by being gathered.
module internal TensorSorting =

    /// A function of the last axis, over another one.
    let private along name (axis: int) (f: Tensor -> Tensor) (t: Tensor) : Tensor =
        let order, back = TensorShapes.withLast (Shape.axis name t.Rank axis) t.Rank
        t |> TensorShapes.permute order |> f |> TensorShapes.permute back

    let private positions (descending: bool) (t: Tensor) : Tensor = Tensor.Of(Indexing.ArgSort descending, t)

    /// For each row, the elements of the last axis at that row's positions.
    let private elements (index: Tensor) (t: Tensor) : Tensor =
        Tensor.Of(Indexing.Gather(t.Rank - 1, t.Rank - 1), t, index)

    let private sortLast (t: Tensor) : Tensor = elements (positions false t) t

    let argSort (axis: int) (t: Tensor) : Tensor = along "argSort" axis (positions false) t

    let sort (axis: int) (t: Tensor) : Tensor = along "sort" axis sortLast t

    let topK (count: int) (t: Tensor) : Tensor * Tensor =
        if t.Rank = 0 then Fail.shape "topK: a scalar has no axis to choose from"

        let length = TensorReductions.lastLength t

        if count < 0 || count > length then
            Fail.range $"topK: count is from 0 to {length}, the length of the last axis, and it is {count}"

        let index = TensorShapes.sliceStep -1 0 count 1 (positions true t)
        elements index t, index

    let medianAxes (axes: int list) (t: Tensor) : Tensor =
        t.Signature.RequireNumbers "median"
        let sorted = sortLast (TensorReductions.mergeElements "median" axes t)
        let count = TensorReductions.lastLength sorted
        let entry i = TensorShapes.item -1 i sorted

        let middle: Tensor =
            if count % 2 = 1 then
                entry (count / 2)
            else
                0.5 * entry (count / 2 - 1) + 0.5 * entry (count / 2)

        // NaN is sorted to the end; a median of what is not known is not known.
        let last = entry (count - 1)
        Tensor.Where(Tensor.Equal(last, last), middle, last)
