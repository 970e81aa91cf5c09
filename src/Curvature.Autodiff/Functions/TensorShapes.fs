namespace Curvature

/// How elements are moved.
module internal TensorShapes =

    let private checkShape operation (shape: int list) = Shape.check operation (List.toArray shape)

    let reshape (shape: int list) (t: Tensor) : Tensor =
        let shape =
            match shape |> List.filter (fun length -> length = -1) |> List.length with
            | 0 -> checkShape "reshape" shape
            | 1 ->
                let others = shape |> List.filter (fun length -> length <> -1) |> checkShape "reshape" |> Shape.size

                if others = 0 || t.Size % others <> 0 then
                    Fail.shape $"reshape: {t.Size} elements do not divide into {Shape.show (List.toArray shape)}"

                shape |> List.map (fun length -> if length = -1 then t.Size / others else length) |> List.toArray
            | _ -> Fail.shape $"reshape: only one length can be inferred, in {Shape.show (List.toArray shape)}"

        if t.Signature.Shape = shape then t else Tensor.Of(Structure.Reshape shape, t)

    let permute (order: int list) (t: Tensor) : Tensor =
        let axes = order |> List.map (Shape.axis "permute" t.Rank) |> List.toArray

        if Array.sort axes <> [| 0 .. t.Rank - 1 |] then
            Fail.shape $"permute: {order} is not an order of the {t.Rank} axes of {t.ShapeText}"

        if axes = [| 0 .. t.Rank - 1 |] then t else Tensor.Of(Structure.Permute axes, t)

    /// The order of axes that puts one of them last, and the order that undoes it.
    let withLast (axis: int) (rank: int) : int list * int list =
        let order = List.removeAt axis [ 0 .. rank - 1 ] @ [ axis ]
        order, List.init rank (fun i -> List.findIndex ((=) i) order)

    let transpose (t: Tensor) : Tensor =
        if t.Rank < 2 then
            Fail.shape $"transpose: two axes are needed, and the shape is {t.ShapeText}"

        permute ([ 0 .. t.Rank - 3 ] @ [ t.Rank - 1; t.Rank - 2 ]) t

    let unsqueeze (axis: int) (t: Tensor) =
        let axis = Shape.axis "unsqueeze" (t.Rank + 1) axis
        reshape (List.insertAt axis 1 (List.ofArray t.Signature.Shape)) t

    let squeeze (axis: int) (t: Tensor) =
        let axis = Shape.axis "squeeze" t.Rank axis

        if t.Signature.Shape[axis] <> 1 then
            Fail.shape $"squeeze: axis {axis} of {t.ShapeText} does not have length 1"

        reshape (List.removeAt axis (List.ofArray t.Signature.Shape)) t

    let broadcastTo (shape: int list) (t: Tensor) : Tensor =
        let shape = checkShape "broadcastTo" shape

        if Shape.broadcast "broadcastTo" t.Signature.Shape shape <> shape then
            Fail.shape $"broadcastTo: {t.ShapeText} does not broadcast to {Shape.show shape}"

        t.BroadcastTo shape

    let sliceStep (axis: int) (start: int) (count: int) (step: int) (t: Tensor) : Tensor =
        let axis = Shape.axis "slice" t.Rank axis

        if count < 0 || step < 1 then
            Fail.range
                $"slice: a count of at least 0 and a step of at least 1 are needed, and they are {count} and {step}"

        let at value others = Array.create t.Rank others |> Array.updateAt axis value
        Tensor.Of(Structure.Slice(at start 0, Array.updateAt axis count t.Signature.Shape, at step 1), t)

    let item (axis: int) (index: int) (t: Tensor) =
        let axis = Shape.axis "item" t.Rank axis
        squeeze axis (sliceStep axis index 1 1 t)

    let concat (axis: int) (tensors: Tensor list) : Tensor =
        match tensors with
        | [] -> Fail.range "concat: there is nothing to join"
        | first :: rest ->
            let axis = Shape.axis "concat" first.Rank axis

            if rest.IsEmpty then
                first
            else
                Tensor.Of(Structure.Concat axis, List.toArray tensors)

    let stack (axis: int) (tensors: Tensor list) : Tensor =
        for t in tensors do
            if t.Signature.Shape <> tensors.Head.Signature.Shape then
                Fail.shape $"stack: shapes {tensors.Head.ShapeText} and {t.ShapeText} differ"

        tensors |> List.map (unsqueeze axis) |> concat axis

    let pad (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        let axis = Shape.axis "pad" t.Rank axis

        if before < 0 || after < 0 then
            Fail.range $"pad: counts of zeros cannot be negative, and they are {before} and {after}"

        let at value = Array.zeroCreate t.Rank |> Array.updateAt axis value
        Tensor.Of(Structure.Pad(at before, at 0, at after), t)
