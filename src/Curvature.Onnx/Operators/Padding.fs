namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Elements around a value: one number, mirror images, the elements at the ends, or those of the other end.
[<RequireQualifiedAccess>]
module internal Padding =

    /// The same number before and after the elements of an axis.
    let private withNumber (number: float) (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        if number = 0.0 then
            Tensor.pad axis before after t
        else
            let block (count: int) : Tensor = t.Fill(Array.updateAt axis count t.Shape, number)

            Tensor.concat axis [ block before; t; block after ]

    /// A negative count takes elements away.
    let private cut (axis: int) (before: int64) (after: int64) (call: Call) (t: Tensor) : Tensor =
        let first, last = min before 0L, min after 0L

        if first = 0L && last = 0L then
            t
        else
            let left = int64 t.Shape[axis] + first + last

            if left < 0L then
                call.Fail $"{-first - last} elements are taken from an axis of {t.Shape[axis]}"

            Tensor.slice axis (int -first) (int left) t

    let private padded (call: Call) (pads: int64[]) (axes: int list) (side: int -> int -> int -> Tensor -> Tensor) t =
        let count = axes.Length

        (t, List.indexed axes)
        ||> List.fold (fun t (i, axis) ->
            let before, after = pads[i], pads[i + count]
            let grow = int (max before 0L), int (max after 0L)
            let t = cut axis before after call t
            if grow = (0, 0) then t else side axis (fst grow) (snd grow) t)

    let private pad (call: Call) : Value list =
        let value = call.Input 0

        let pads =
            match call.TryIntegers("pads", 1) with
            | ValueSome pads -> pads
            | ValueNone -> call.Fail "its pads are missing"

        let axes =
            match call.TryInput 3 with
            | ValueSome axes ->
                Value.integers axes |> Array.map (fun axis -> call.Axis(value.Rank, axis)) |> List.ofArray
            | ValueNone -> [ 0 .. value.Rank - 1 ]

        if pads.Length <> 2 * axes.Length then
            call.Fail $"{pads.Length} pads are given for {axes.Length} axes"

        for count in pads do
            call.Small("a pad", count) |> ignore

        let length axis =
            match List.tryFindIndex ((=) axis) axes with
            | Some i -> max 0L (int64 value.Shape[axis] + pads[i] + pads[i + axes.Length])
            | None -> int64 value.Shape[axis]

        call.Context.RequireRoom(call.Node.Label, List.init value.Rank length)

        match call.Node.Text("mode", "constant") with
        | "reflect" -> [ Value.move (padded call pads axes Tensor.padReflect) value ]
        | "edge" -> [ Value.move (padded call pads axes Tensor.padEdge) value ]
        | "wrap" -> [ Value.move (padded call pads axes Tensor.padWrap) value ]
        | _ ->
            let number = call.TryReal("value", 2) |> ValueOption.defaultValue 0.0
            let constant = padded call pads axes (withNumber number)

            match value with
            | AsTensor(kind, tensor) when ElementType.isFloating kind -> [ Value.Numbers(kind, constant tensor) ]
            | whole -> [ Value.ofWhole whole.Kind (constant (Value.tensor call.Context DType.Float64 whole)) ]

    let private refuseMode (last: int) (node: Node) =
        match node.Text("mode", "constant") with
        | "constant"
        | "reflect"
        | "edge" -> ValueNone
        | "wrap" when last > 18 -> ValueNone
        | other -> ValueSome $"has mode \"{other}\", which is not supported"

    let private inVersions first last fewest most attributes inputs =
        Operator.make "Pad" (fewest, most) attributes pad
        |> Operator.since first
        |> Operator.until last
        |> Operator.settings inputs
        |> Operator.refusing (refuseMode last)

    let operators: Operator list =
        [
            inVersions 8 10 1 1 "mode:text pads:ints value:float" []
            inVersions 11 17 2 3 "mode:text" [ 1; 2 ]
            inVersions 18 18 2 4 "mode:text" [ 1; 2; 3 ]
            inVersions 19 24 2 4 "mode:text" [ 1; 2; 3 ]
        ]
