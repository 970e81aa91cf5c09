namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Images, or any other axes, of other lengths.
[<RequireQualifiedAccess>]
module internal Resizing =

    let private coordinates (node: Node) : ResizeCoordinates voption =
        match node.Text("coordinate_transformation_mode", "half_pixel") with
        | "half_pixel" -> ValueSome ResizeCoordinates.HalfPixel
        | "pytorch_half_pixel" -> ValueSome ResizeCoordinates.PytorchHalfPixel
        | "align_corners" -> ValueSome ResizeCoordinates.AlignCorners
        | "asymmetric" -> ValueSome ResizeCoordinates.Asymmetric
        | _ -> ValueNone

    let private rounding (node: Node) : ResizeRounding voption =
        match node.Text("nearest_mode", "round_prefer_floor") with
        | "round_prefer_floor" -> ValueSome ResizeRounding.RoundPreferFloor
        | "round_prefer_ceil" -> ValueSome ResizeRounding.RoundPreferCeil
        | "floor" -> ValueSome ResizeRounding.Floor
        | "ceil" -> ValueSome ResizeRounding.Ceil
        | _ -> ValueNone

    /// An axis, its new length, and how many times longer it is said to become.
    let private resized (call: Call) (options: ResizeOptions) (changes: (int * int64 * float) list) : Value list =
        let value = call.Input 0

        let changes =
            changes |> List.filter (fun (axis, length, scale) -> length <> int64 value.Shape[axis] || scale <> 1.0)

        let length axis =
            match changes |> List.tryFind (fun (other, _, _) -> other = axis) with
            | Some(_, length, _) -> length
            | None -> int64 value.Shape[axis]

        call.Context.RequireRoom(call.Node.Label, List.init value.Rank length)

        if changes.IsEmpty then
            [ value ]
        else
            let axes = changes |> List.map (fun (axis, _, _) -> axis)
            let lengths = changes |> List.map (fun (_, length, _) -> call.Small("a length", length))
            let options = options.WithScales(changes |> List.map (fun (_, _, scale) -> scale))

            match call.Node.Text("mode", "nearest") with
            | "nearest" -> [ Value.move (Resize.nearest options axes lengths) value ]
            | _ -> call.Result(Resize.linear options axes lengths (call.Tensor 0))

    let private byScales (call: Call) options (axes: int list) (scales: float[]) : Value list =
        let value = call.Input 0

        if scales.Length <> axes.Length then
            call.Fail $"{scales.Length} scales are given for {axes.Length} axes"

        let change (axis: int) (scale: float) =
            if not (scale > 0.0 && scale < 1e9) then call.Fail $"a scale is {scale}"
            // Scales are Float32 in the file, and 4·0.5f has to be 2 after rounding errors of the product too.
            axis, int64 (Math.Floor(float value.Shape[axis] * scale)), scale

        resized call options (List.map2 change axes (List.ofArray scales))

    let private bySizes (call: Call) options (axes: int list) (sizes: int64[]) : Value list =
        let value = call.Input 0

        if sizes.Length <> axes.Length then
            call.Fail $"{sizes.Length} sizes are given for {axes.Length} axes"

        let change (axis: int) (size: int64) = axis, size, float size / float value.Shape[axis]
        resized call options (List.map2 change axes (List.ofArray sizes))

    let private options (node: Node) : ResizeOptions =
        ResizeOptions.Default.WithCoordinates((coordinates node).Value).WithRounding((rounding node).Value)

    /// Inputs are the value, a region that is not used, scales, and sizes; one of the last two is given.
    let private resize (call: Call) : Value list =
        let value = call.Input 0

        let axes =
            match call.Node.TryInts "axes" with
            | ValueSome axes -> axes |> Array.map (fun axis -> call.Axis(value.Rank, axis)) |> List.ofArray
            | ValueNone -> [ 0 .. value.Rank - 1 ]

        let given i =
            match call.TryInput i with
            | ValueSome list when list.Shape <> [| 0 |] -> ValueSome list
            | _ -> ValueNone

        match given 2, given 3 with
        | ValueSome scales, ValueNone -> byScales call (options call.Node) axes (Value.reals scales)
        | ValueNone, ValueSome sizes -> bySizes call (options call.Node) axes (Value.integers sizes)
        | _ -> call.Fail "either scales or sizes are needed"

    /// The operators of before version 11 begin at the first element and take the one before a place.
    let private upsample (call: Call) : Value list =
        let options =
            ResizeOptions.Default.WithCoordinates(ResizeCoordinates.Asymmetric).WithRounding ResizeRounding.Floor

        let scales =
            match call.Node.TryFloats "scales" with
            | ValueSome scales -> scales
            | ValueNone -> Value.reals (call.Input 1)

        byScales call options [ 0 .. (call.Input 0).Rank - 1 ] scales

    let private refuse (node: Node) =
        let text name fallback = node.Text(name, fallback)

        match text "mode" "nearest" with
        | "nearest"
        | "linear" when (coordinates node).IsNone ->
            let mode = text "coordinate_transformation_mode" ""
            ValueSome $"has coordinate_transformation_mode \"{mode}\", which is not supported"
        | "nearest"
        | "linear" when (rounding node).IsNone ->
            ValueSome $"""has nearest_mode "{text "nearest_mode" ""}", which is not known"""
        | "nearest"
        | "linear" when node.Flag("antialias", false) -> ValueSome "has antialias 1, which is not supported"
        | "nearest"
        | "linear" when text "keep_aspect_ratio_policy" "stretch" <> "stretch" ->
            ValueSome "keeps the aspect ratio, which is not supported"
        | "nearest"
        | "linear" -> ValueNone
        | other -> ValueSome $"has mode \"{other}\", which is not supported"

    let private attributes =
        "coordinate_transformation_mode:text cubic_coeff_a:float exclude_outside:int extrapolation_value:float "
        + "mode:text nearest_mode:text"

    let private since first last inputs attributes =
        Operator.make "Resize" inputs attributes resize
        |> Operator.since first
        |> Operator.until last
        |> Operator.settings [ 1; 2; 3 ]
        |> Operator.refusing refuse

    let private upsampleOf name inputs attributes =
        Operator.make name inputs attributes upsample |> Operator.settings [ 1 ] |> Operator.refusing refuse

    let operators: Operator list =
        [
            upsampleOf "Upsample" (1, 1) "mode:text scales:floats" |> Operator.until 8
            upsampleOf "Upsample" (2, 2) "mode:text" |> Operator.since 9 |> Operator.until 9
            upsampleOf "Resize" (2, 2) "mode:text" |> Operator.since 10 |> Operator.until 10
            since 11 12 (3, 4) attributes
            since 13 17 (1, 4) attributes
            since 18 24 (1, 4) (attributes + " antialias:int axes:ints keep_aspect_ratio_policy:text")
        ]
