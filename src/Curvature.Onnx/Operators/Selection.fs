namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Operators that join, cut and pick elements.
[<RequireQualifiedAccess>]
module internal Selection =

    let private concat (call: Call) : Value list =
        let values = call.Inputs
        let first = values.Head
        let axis = call.Axis(first.Rank, call.Node.Int("axis", 1L))

        for value in values do
            if value.Rank <> first.Rank || value.Kind <> first.Kind then
                call.Fail
                    $"its inputs are {first.Kind} {Shape.show first.Shape} and {value.Kind} {Shape.show value.Shape}"

        let isHost value =
            match value with
            | OnHost _ -> true
            | AsTensor _ -> false

        if List.forall isHost values then
            // The positions in one list of all elements are joined as the elements are.
            let numbers = values |> List.map Value.integers |> Array.concat
            let starts = values |> List.scan (fun start value -> start + (Value.integers value).Length) 0

            let places (value: Value) (start: int) =
                let count = (Value.integers value).Length
                Tensor.ofIndices (List.ofArray value.Shape) [| start .. start + count - 1 |]

            let joined = Tensor.concat axis (List.map2 places values starts[.. values.Length - 1])
            let found = joined.ToInt32Array() |> Array.map (fun place -> numbers[place])
            [ Value.host first.Kind joined.Shape found ]
        else
            let dtype = if first.IsFloating then call.Context.DTypeOf first.Kind else DType.Float64
            let joined = Tensor.concat axis (values |> List.map (Value.tensor call.Context dtype))
            [ Value.Numbers(first.Kind, joined) ]

    let private split (call: Call) : Value list =
        let value = call.Input 0
        let axis = call.Axis(value.Rank, call.Node.Int("axis", 0L))
        let length = value.Shape[axis]

        let sizes =
            match call.TryIntegers("split", 1) with
            | ValueSome sizes -> sizes |> Array.map (fun size -> call.Small("a length", size)) |> List.ofArray
            | ValueNone ->
                // The last piece is shorter where the axis does not divide.
                let pieces = call.Node.Int("num_outputs", int64 call.Node.Record.Outputs.Length) |> int

                if pieces < 1 || pieces > max 1 length then
                    call.Fail $"{length} elements are cut into {pieces} pieces"

                let size = (length + pieces - 1) / pieces
                List.init pieces (fun i -> max 0 (min size (length - i * size)))

        if List.exists (fun size -> size < 0) sizes || List.sumBy int64 sizes <> int64 length then
            call.Fail $"pieces of {sizes} elements are not the {length} of the axis"

        let starts = List.scan (+) 0 sizes

        match value with
        | AsTensor(kind, tensor) -> Tensor.split axis sizes tensor |> List.map (fun piece -> Value.Numbers(kind, piece))
        | host ->
            List.map2
                (fun start size -> Value.move (Tensor.slice axis start size) host)
                starts[.. sizes.Length - 1]
                sizes

    /// The part of an axis from a start to an end, which may lie outside of it, by a step, which may be negative.
    let private sliceAxis (call: Call) (axis: int) (start: int64, finish: int64, step: int64) (value: Value) : Value =
        let length = int64 value.Shape[axis]
        let fromStart (place: int64) = if place < 0L && place >= -length then place + length else place

        if step = 0L then call.Fail "a step is 0"

        if step > 0L then
            let first = Math.Clamp(fromStart start, 0L, length)
            let last = Math.Clamp(fromStart finish, 0L, length)
            let count = if last > first then (last - first - 1L) / step + 1L else 0L
            let step = if count <= 1L then 1L else step
            Value.move (Tensor.sliceStep axis (int (if count = 0L then 0L else first)) (int count) (int step)) value
        else
            // In the reversed axis element i is element length − 1 − i.
            let first = Math.Clamp(fromStart start, 0L, max 0L (length - 1L))
            let last = Math.Clamp(fromStart finish, -1L, max -1L (length - 1L))
            let stride = if step = Int64.MinValue then Int64.MaxValue else -step
            let count = if length > 0L && first > last then (first - last - 1L) / stride + 1L else 0L
            let stride = if count <= 1L then 1L else stride
            let start = if count = 0L then 0L else length - 1L - first

            value
            |> Value.move (fun t ->
                t |> Tensor.reverse axis |> Tensor.sliceStep axis (int start) (int count) (int stride))

    let private slice (call: Call) : Value list =
        let value = call.Input 0

        let required name input =
            match call.TryIntegers(name, input) with
            | ValueSome numbers -> numbers
            | ValueNone -> call.Fail $"its {name} are missing"

        let starts, ends = required "starts" 1, required "ends" 2
        let axes = call.TryIntegers("axes", 3) |> ValueOption.defaultValue [| 0L .. int64 starts.Length - 1L |]
        let steps = call.TryIntegers("steps", 4) |> ValueOption.defaultValue (Array.create starts.Length 1L)

        if ends.Length <> starts.Length || axes.Length <> starts.Length || steps.Length <> starts.Length then
            call.Fail
                $"{starts.Length} starts, {ends.Length} ends, {axes.Length} axes and {steps.Length} steps are given"

        call.Axes(value.Rank, axes) |> ignore

        let sliced =
            (value, [ 0 .. starts.Length - 1 ])
            ||> List.fold (fun value i ->
                sliceAxis call (call.Axis(value.Rank, axes[i])) (starts[i], ends[i], steps[i]) value)

        [ sliced ]

    /// Positions counted from the start. Where they are not known, negative ones are moved by arithmetic.
    let private positions (call: Call) (length: int) (index: Value) : Tensor =
        match index with
        | OnHost(kind, array) ->
            let fromStart (place: int64) =
                let moved = if place < 0L then place + int64 length else place

                if moved < 0L || moved >= int64 length then
                    call.Fail $"position {place} is outside an axis of {length} elements"

                moved

            Value.indices call.Context (Value.host kind array.Shape (array.Numbers |> Array.map fromStart))
        | AsTensor(_, tensor) ->
            let wide = Tensor.stopGradient (Tensor.convert DType.Float64 tensor)
            Tensor.convert DType.Int32 (Tensor.where (Tensor.greater 0.0 wide) (wide + float length) wide)

    let private gather (call: Call) : Value list =
        let value = call.Input 0
        let axis = call.Axis(value.Rank, call.Node.Int("axis", 0L))
        let index = positions call value.Shape[axis] (call.Input 1)
        let lengths = List.ofArray value.Shape
        let shape = lengths[.. axis - 1] @ List.ofArray index.Shape @ lengths[axis + 1 ..]
        call.Context.RequireRoom(call.Node.Label, shape |> List.map int64)

        match value with
        | OnHost _ when Value.isKnown (call.Input 1) -> [ Value.move (Tensor.take axis index) value ]
        | OnHost(kind, _) ->
            [ Value.Numbers(kind, Tensor.take axis index (Value.tensor call.Context DType.Float64 value)) ]
        | AsTensor(kind, tensor) -> [ Value.Numbers(kind, Tensor.take axis index tensor) ]

    /// The part of the other axes that the index covers, then one position for each row of the last axis.
    let private gatherElements (call: Call) : Value list =
        let value = call.Input 0
        let index = call.Input 1
        let axis = call.Axis(value.Rank, call.Node.Int("axis", 0L))

        let fits i = i = axis || index.Shape[i] <= value.Shape[i]

        if index.Rank <> value.Rank || not (List.forall fits [ 0 .. value.Rank - 1 ]) then
            call.Fail $"an index of shape {Shape.show index.Shape} does not fit {Shape.show value.Shape}"

        let places = positions call value.Shape[axis] index

        let picked (t: Tensor) =
            let covered =
                (t, [ 0 .. t.Rank - 1 ])
                ||> List.fold (fun t i -> if i = axis then t else Tensor.slice i 0 index.Shape[i] t)

            Tensor.gatherElements axis places covered

        match value with
        | OnHost(kind, _) when not (Value.isKnown index) ->
            [ Value.Numbers(kind, picked (Value.tensor call.Context DType.Float64 value)) ]
        | _ -> [ Value.move picked value ]

    let private triangle (call: Call) : Value list =
        let value = call.Input 0

        let offset =
            match call.TryInput 1 with
            | ValueSome offset -> Math.Clamp((Value.integers offset)[0], -(1L <<< 30), 1L <<< 30) |> int
            | ValueNone -> 0

        let part = if call.Node.Flag("upper", true) then Tensor.triu offset else Tensor.tril offset

        if value.IsFloating then
            call.Result(part (call.Tensor 0))
        else
            [ Value.ofWhole value.Kind (part (Value.tensor call.Context DType.Float64 value)) ]

    let operators: Operator list =
        [
            Operator.make "Concat" (1, Int32.MaxValue) "axis:int" concat
            Operator.make "Split" (1, 1) "axis:int split:ints" split
            |> Operator.until 12
            |> Operator.outputs Int32.MaxValue
            Operator.make "Split" (1, 2) "axis:int" split
            |> Operator.since 13
            |> Operator.until 17
            |> Operator.outputs Int32.MaxValue
            |> Operator.settings [ 1 ]
            Operator.make "Split" (1, 2) "axis:int num_outputs:int" split
            |> Operator.since 18
            |> Operator.outputs Int32.MaxValue
            |> Operator.settings [ 1 ]
            Operator.make "Slice" (1, 1) "starts:ints ends:ints axes:ints" slice |> Operator.until 9
            Operator.make "Slice" (3, 5) "" slice |> Operator.since 10
            Operator.make "Gather" (2, 2) "axis:int" gather
            Operator.make "GatherElements" (2, 2) "axis:int" gatherElements |> Operator.since 11
            Operator.make "Trilu" (1, 2) "upper:int" triangle |> Operator.since 14
        ]
