namespace Curvature

open System
open System.Diagnostics

/// Which place of an axis element i of the resized axis is read from; the names are ONNX's. The scale is the ratio of
/// the lengths unless `ResizeOptions.WithScales` gives another.
type ResizeCoordinates =
    /// (i + ½)/scale − ½: elements are cells, and the ends of both axes meet. PyTorch's align_corners=False.
    | HalfPixel = 0
    /// The same, but 0 where the resized axis has length 1.
    | PytorchHalfPixel = 1
    /// i·(length − 1)/(resized length − 1): the first and the last elements meet. PyTorch's align_corners=True.
    | AlignCorners = 2
    /// i/scale: the first elements meet.
    | Asymmetric = 3

/// Which element `Resize.nearest` takes for a place between two; the names are ONNX's.
type ResizeRounding =
    /// The nearest, and of two the one before.
    | RoundPreferFloor = 0
    /// The nearest, and of two the one behind.
    | RoundPreferCeil = 1
    /// The one before.
    | Floor = 2
    /// The one behind.
    | Ceil = 3

/// How an axis is resized. Immutable; begin with Default, which has half pixels and prefers the element before.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ResizeOptions =
    internal
        {
            Coordinates: ResizeCoordinates
            Rounding: ResizeRounding
            /// A scale for each axis that is resized; none for the ratio of lengths.
            Scales: float list voption
        }

    /// Half pixels, and of two elements as near the one before.
    static member Default =
        {
            Coordinates = ResizeCoordinates.HalfPixel
            Rounding = ResizeRounding.RoundPreferFloor
            Scales = ValueNone
        }

    /// Which places are read. Raises ArgumentRangeException for a value without a name.
    member options.WithCoordinates(coordinates: ResizeCoordinates) =
        if not (Enum.IsDefined coordinates) then
            Fail.range $"resize: coordinates {int coordinates} are none of those that have a name"

        { options with Coordinates = coordinates }

    /// Which element a place between two takes. Raises ArgumentRangeException for a value without a name.
    member options.WithRounding(rounding: ResizeRounding) =
        if not (Enum.IsDefined rounding) then
            Fail.range $"resize: rounding {int rounding} is none of those that have a name"

        { options with Rounding = rounding }

    /// Scales in place of the ratios of lengths, one for each axis that is resized: where an exporter rounds length ·
    /// scale down, places follow the scale. Raises ArgumentRangeException unless all are positive and finite.
    member options.WithScales(scales: float seq) =
        let scales = List.ofSeq scales

        for scale in scales do
            if not (scale > 0.0 && scale < infinity) then
                Fail.range $"resize: scales are positive and finite, and one is {scale}"

        { options with Scales = ValueSome scales }

    override options.ToString() =
        let scales =
            match options.Scales with
            | ValueNone -> ""
            | ValueSome scales -> ", scales " + String.Join(", ", scales)

        $"{options.Coordinates}, {options.Rounding}{scales}"

    member internal options.Text = options.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Axes of other lengths, such as images of another height and width, as ONNX's Resize and
/// torch.nn.functional.interpolate. Places outside an axis are those of its end.
[<RequireQualifiedAccess>]
module Resize =

    /// The place on an axis that each element of the resized one reads.
    let private places (options: ResizeOptions) (scale: float voption) (length: int) (resized: int) : float[] =
        // Multiplied before it is divided, which keeps halves exact.
        let original (place: float) =
            match scale with
            | ValueSome scale -> place / scale
            | ValueNone -> place * float length / float resized

        let place (i: int) =
            match options.Coordinates with
            | ResizeCoordinates.Asymmetric -> original (float i)
            | ResizeCoordinates.AlignCorners when resized = 1 -> 0.0
            | ResizeCoordinates.AlignCorners -> float i * float (length - 1) / float (resized - 1)
            | ResizeCoordinates.PytorchHalfPixel when resized = 1 -> 0.0
            | _ -> original (float i + 0.5) - 0.5

        Array.init resized (fun i -> Math.Clamp(place i, 0.0, float (length - 1)))

    /// One axis after the other, where its length changes or a scale says what is read.
    let private resize operation (options: ResizeOptions) (axes: int list) (lengths: int list) along (t: Tensor) =
        let shape = t.Signature.Shape
        let distinct = axes |> List.map (Shape.axis operation t.Rank) |> List.distinct

        let scales =
            match options.Scales with
            | ValueNone -> distinct |> List.map (fun _ -> ValueNone)
            | ValueSome scales -> scales |> List.map ValueSome

        if distinct.Length <> axes.Length || lengths.Length <> axes.Length || scales.Length <> axes.Length then
            Fail.shape (
                $"{operation}: there are a length and, where scales are given, a scale for each axis, which is named "
                + $"once; there are {axes.Length} axes, {lengths.Length} lengths and {scales.Length} scales"
            )

        for axis, length in List.zip distinct lengths do
            Count.between 1 Count.limit $"{operation}: the length of axis {axis}" length

            if shape[axis] = 0 then
                Fail.shape $"{operation}: axis {axis} of shape {t.ShapeText} is empty"

        (List.zip distinct lengths, shape)
        ||> List.foldBack (fun (axis, length) shape -> Array.updateAt axis length shape)
        |> Shape.check operation
        |> ignore

        (t, List.zip3 distinct lengths scales)
        ||> List.fold (fun t (axis, length, scale) -> along axis (places options scale shape[axis] length) t)

    let private take (axis: int) (positions: int[]) (t: Tensor) : Tensor =
        if positions = [| 0 .. t.Signature.Shape[axis] - 1 |] then
            t
        else
            TensorSelection.takeAt axis positions t

    /// Axes resized to lengths; each element is one of the original. Of any element type; derivatives follow the
    /// elements. Raises ShapeException where axes and lengths do not fit together, ArgumentRangeException for a length
    /// below 1.
    let nearest (options: ResizeOptions) (axes: int list) (lengths: int list) (t: Tensor) : Tensor =
        let position (place: float) =
            match options.Rounding with
            | ResizeRounding.Floor -> floor place
            | ResizeRounding.Ceil -> ceil place
            | ResizeRounding.RoundPreferCeil -> floor (place + 0.5)
            | _ -> ceil (place - 0.5)
            |> int

        resize "resizeNearest" options axes lengths (fun axis places -> take axis (Array.map position places)) t

    /// Axes resized to lengths; each element is interpolated between the two beside its place, along one axis after
    /// the other: bilinear for two axes. Float32 or Float64. The rounding of the options is not used. Raises
    /// ShapeException where axes and lengths do not fit together, ArgumentRangeException for a length below 1, and
    /// DTypeException for Int32.
    let linear (options: ResizeOptions) (axes: int list) (lengths: int list) (t: Tensor) : Tensor =
        t.Signature.RequireNumbers "resizeLinear"

        let interpolate axis (places: float[]) (t: Tensor) : Tensor =
            let last = t.Signature.Shape[axis] - 1
            let before = places |> Array.map (floor >> int)
            let behind = before |> Array.map (fun position -> min (position + 1) last)
            let weights = Array.map2 (fun place position -> place - float position) places before

            if Array.forall ((=) 0.0) weights then
                take axis before t
            else
                let shape = List.init t.Rank (fun i -> if i = axis then places.Length else 1)

                let weights =
                    TensorCreation.ofArray shape weights
                    |> TensorCreation.convert t.DType
                    |> TensorCreation.toDevice t.Device

                (1.0 - weights) * take axis before t + weights * take axis behind t

        resize "resizeLinear" options axes lengths interpolate t
