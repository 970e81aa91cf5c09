namespace Curvature

open System.Collections.Generic

/// The tangents of a value along the axes of a point, as the rows of a stack. Where the value depends on few axes, each
/// element has its own: slot k of element s holds the derivative along axis `Axes`[k; s], and none where that is −1.
[<NoEquality; NoComparison>]
type internal SlotTangents =
    {
        /// [slots; …]
        Stack: Tensor
        /// The axis of each element of the stack; nothing where slot r is axis r everywhere.
        Axes: int[] voption
    }

    member tangents.Slots = tangents.Stack.Signature.Shape[0]

/// What linear operations that move or sum elements do to the axes of tangents.
module internal SlotTangents =

    let private size (shape: int[]) = Shape.size shape

    let private indexed (slots: int) (shape: int[]) (axes: int[]) : Tensor =
        TensorCreation.ofIndices (slots :: List.ofArray shape) (axes |> Array.map ((+) 1))

    let private axesOf (index: Tensor) : int[] = index.ToInt32Array() |> Array.map (fun axis -> axis - 1)

    /// The axes of the results of an operation that moves elements.
    let moved (primitive: Primitive) (slots: int) (shape: int[]) (axes: int[]) (others: Tensor[]) : int[][] =
        Batching.vmap
            (fun stacks -> Interpreter.Bind(primitive, Array.append stacks others))
            [| indexed slots shape axes |]
        |> Array.map axesOf

    /// The same tangents with a slot for every axis.
    let dense (count: int) (shape: int[]) (tangents: SlotTangents) : Tensor =
        match tangents.Axes with
        | ValueNone -> tangents.Stack
        | ValueSome axes ->
            let elements = size shape

            // Elements without an axis go to a row of their own, which is cut off.
            let place i axis = (if axis < 0 then count else axis) * elements + i % elements
            let index = axes |> Array.mapi place |> TensorCreation.ofIndices [ axes.Length ]
            let updates = Tensor.Of(Structure.Reshape [| axes.Length |], tangents.Stack)
            let index = TensorCreation.toDevice updates.Device index
            let rows = Tensor.Of(Indexing.ScatterAdd(0, 0, (count + 1) * elements), index, updates)
            let kept = Tensor.Of(Structure.Slice([| 0 |], [| count * elements |], [| 1 |]), rows)
            Tensor.Of(Structure.Reshape(Array.append [| count |] shape), kept)

    /// Whether no element has an axis in two slots.
    let private isDistinct (slots: int) (axes: int[]) =
        let elements = if slots = 0 then 0 else axes.Length / slots

        Seq.forall
            (fun s ->
                let seen = HashSet<int>()

                Seq.forall
                    (fun k -> axes[k * elements + s] < 0 || seen.Add axes[k * elements + s])
                    (seq { 0 .. slots - 1 }))
            (seq { 0 .. elements - 1 })

    /// A dense stack where the slots are the axes, in their order.
    let private simplified (count: int) (tangents: SlotTangents) : SlotTangents =
        match tangents.Axes with
        | ValueSome axes when tangents.Slots = count ->
            let elements = axes.Length / count

            if Seq.forall (fun i -> axes[i] = i / elements) (seq { 0 .. axes.Length - 1 }) then
                { tangents with Axes = ValueNone }
            else
                tangents
        | _ -> tangents

    /// What becomes of the axes where axes of an array, by label, are summed over.
    [<RequireQualifiedAccess>]
    type Reduced =
        /// Elements that are summed have the same axes: those of the result.
        | Kept of int[]
        /// They have different ones, which become slots: those of the result, with more slots.
        | Spread of int[]
        /// Neither; every axis gets a slot.
        | Lost

    /// The axes of a sum over some array axes, whose result has the other ones and, by broadcasting, those of a shape:
    /// axis i of the result is axis source[i] of the operand, or none for −1.
    let reduce (count: int) (slots: int) (shape: int[]) (axes: int[]) (summed: int[]) (result: struct (int[] * int[])) =
        let struct (resultShape, source) = result
        let index = indexed slots shape axes
        let rank = shape.Length
        let kept = source |> Array.filter (fun axis -> axis >= 0)
        let length = summed |> Array.fold (fun product axis -> product * shape[axis]) 1
        let keptShape = kept |> Array.map (fun axis -> shape[axis])
        let shift (list: int[]) = list |> Array.map ((+) 1)
        assert (kept.Length + summed.Length = rank)
        let order = Array.concat [ [| 0 |]; shift summed; shift kept ]
        let spread = Tensor.Of(Structure.Permute order, index)
        let elements = size keptShape

        /// In the shape of the result.
        let broadcast (slots: int) (own: int[]) =
            let dims =
                [|
                    0
                    yield!
                        shift
                            [|
                                for i in 0 .. source.Length - 1 do
                                    if source[i] >= 0 then i
                            |]
                |]

            let stack = TensorCreation.ofIndices (slots :: List.ofArray keptShape) own
            (Tensor.Of(Broadcast(Array.append [| slots |] resultShape, dims), stack)).ToInt32Array()

        let each = axesOf spread
        let at slot l s = each[(slot * length + l) * elements + s]

        let isUniform =
            Seq.forall
                (fun slot ->
                    Seq.forall
                        (fun l -> Seq.forall (fun s -> at slot l s = at slot 0 s) (seq { 0 .. elements - 1 }))
                        (seq { 1 .. length - 1 }))
                (seq { 0 .. slots - 1 })

        if length = 0 then
            Reduced.Lost
        elif isUniform then
            Reduced.Kept(
                broadcast
                    slots
                    [|
                        for slot in 0 .. slots - 1 do
                            for s in 0 .. elements - 1 -> at slot 0 s
                    |]
            )
        elif slots * length <= count && isDistinct (slots * length) each then
            Reduced.Spread(broadcast (slots * length) each)
        else
            Reduced.Lost

    /// Tangents of this stack and these axes.
    let ofSlots count stack (axes: int[]) = simplified count { Stack = stack; Axes = ValueSome axes }
