/// Resized axes against the examples of ONNX's Resize and against loops over its definition.
module Curvature.Tests.Unit.Images.ResizeTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private standard = ResizeOptions.Default
let private corners = standard.WithCoordinates ResizeCoordinates.AlignCorners

/// 1, 2, … in one image.
let private counted rows columns =
    Tensor.arange DType.Float64 (rows * columns) + 1.0 |> Tensor.reshape [ 1; 1; rows; columns ]

let private image (rows: float list list) =
    Expect.tensor 1e-6 [ 1; 1; rows.Length; rows.Head.Length ] (List.concat rows)

/// The rows and columns of a 4×4 image that an 8×8 one takes.
let private taken (places: int list) =
    image [ for row in places -> [ for column in places -> float (4 * row + column + 1) ] ]

/// ONNX's definition for one axis, in words of its specification.
let private original coordinates scale length resized (i: int) =
    let x = float i

    match coordinates with
    | ResizeCoordinates.HalfPixel -> (x + 0.5) / scale - 0.5
    | ResizeCoordinates.PytorchHalfPixel -> if resized > 1 then (x + 0.5) / scale - 0.5 else 0.0
    | ResizeCoordinates.AlignCorners -> if resized = 1 then 0.0 else x * float (length - 1) / float (resized - 1)
    | _ -> x / scale

let private everyCoordinates = Enum.GetValues<ResizeCoordinates>()

[<Tests>]
let tests =
    testList "Unit.Images.ResizeTests" [
        test "linear interpolation gives the numbers of ONNX's examples" {
            Nchw.resizeLinear standard (4, 4) (counted 2 2)
            |> image [
                [ 1.0; 1.25; 1.75; 2.0 ]
                [ 1.5; 1.75; 2.25; 2.5 ]
                [ 2.5; 2.75; 3.25; 3.5 ]
                [ 3.0; 3.25; 3.75; 4.0 ]
            ]

            Nchw.resizeLinear corners (4, 4) (counted 2 2)
            |> image [
                [ 1.0; 1.33333333; 1.66666667; 2.0 ]
                [ 1.66666667; 2.0; 2.33333333; 2.66666667 ]
                [ 2.33333333; 2.66666667; 3.0; 3.33333333 ]
                [ 3.0; 3.33333333; 3.66666667; 4.0 ]
            ]

            Nchw.resizeLinear (standard.WithScales [ 0.6; 0.6 ]) (1, 2) (counted 2 4)
            |> image [ [ 2.6666665; 4.3333331 ] ]

            Nchw.resizeLinear (corners.WithScales [ 0.6; 0.6 ]) (1, 2) (counted 2 4) |> image [ [ 1.0; 4.0 ] ]

            counted 4 4
            |> Nchw.resizeLinear (standard.WithCoordinates ResizeCoordinates.PytorchHalfPixel) (3, 1)
            |> image [ [ 1.6666666 ]; [ 7.0 ]; [ 12.333333 ] ]
        }

        test "nearest elements are those of ONNX's examples" {
            Nchw.resizeNearest (standard.WithScales [ 0.6; 0.6 ]) (1, 2) (counted 2 4) |> image [ [ 1.0; 3.0 ] ]

            Nchw.resizeNearest standard (7, 8) (counted 2 2)
            |> image [
                for row in 0..6 -> [ for column in 0..7 -> (if row < 4 then 1.0 else 3.0) + float (column / 4) ]
            ]

            let options coordinates rounding = standard.WithCoordinates(coordinates).WithRounding rounding

            counted 4 4
            |> Nchw.resizeNearest (options ResizeCoordinates.AlignCorners ResizeRounding.Floor) (8, 8)
            |> taken [ 0; 0; 0; 1; 1; 2; 2; 3 ]

            counted 4 4
            |> Nchw.resizeNearest (options ResizeCoordinates.Asymmetric ResizeRounding.RoundPreferCeil) (8, 8)
            |> taken [ 0; 1; 1; 2; 2; 3; 3; 3 ]

            counted 4 4
            |> Nchw.resizeNearest (options ResizeCoordinates.HalfPixel ResizeRounding.Ceil) (8, 8)
            |> taken [ 0; 1; 1; 2; 2; 3; 3; 3 ]
        }

        test "axes agree with ONNX's definition, whatever the lengths" {
            for coordinates in everyCoordinates do
                for length, resized in [ 5, 5; 5, 7; 7, 3; 3, 8; 1, 4; 6, 1; 4, 2 ] do
                    for scale in [ None; Some(float resized / float length * 0.9) ] do
                        let x = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 2; length; 3 ]
                        let used = defaultArg scale (float resized / float length)

                        let options =
                            match scale with
                            | None -> standard.WithCoordinates coordinates
                            | Some scale -> standard.WithCoordinates(coordinates).WithScales [ scale ]

                        let xs = x.ToArray()

                        let at (position: float) row column =
                            xs[(row * length + int (Math.Clamp(position, 0.0, float (length - 1)))) * 3 + column]

                        let all f =
                            [
                                for row in 0..1 do
                                    for i in 0 .. resized - 1 do
                                        for column in 0..2 -> f (original coordinates used length resized i) row column
                            ]

                        let between place row column =
                            let below = floor place
                            let share = place - below
                            (1.0 - share) * at below row column + share * at (below + 1.0) row column

                        Resize.linear options [ 1 ] [ resized ] x |> Expect.tensor 1e-12 [ 2; resized; 3 ] (all between)

                        for rounding, round in [ ResizeRounding.Floor, floor; ResizeRounding.Ceil, ceil ] do
                            Resize.nearest (options.WithRounding rounding) [ -2 ] [ resized ] x
                            |> Expect.tensor 0.0 [ 2; resized; 3 ] (all (round >> at))
        }

        test "any axes are resized, of any element type where elements are taken" {
            let x = Tensor.ofIndices [ 2; 1; 2 ] [| 1; 2; 3; 4 |]
            let grown = Resize.nearest standard [ 2; 0 ] [ 4; 2 ] x
            Expect.equal "type" DType.Int32 grown.DType
            Expect.tensor 0.0 [ 2; 1; 4 ] [ 1.0; 1.0; 2.0; 2.0; 3.0; 3.0; 4.0; 4.0 ] grown
            let single = Resize.linear standard [ 2 ] [ 3 ] (Tensor.convert DType.Float32 x)
            Expect.equal "type" DType.Float32 single.DType
            Expect.tensor 1e-6 [ 2; 1; 3 ] [ 1.0; 1.5; 2.0; 3.0; 3.5; 4.0 ] single
        }

        test "resizing has derivatives of every order" {
            let x = 0.5 * Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 1; 2; 3; 4 ]
            differentiates "resizeLinear" (Nchw.resizeLinear standard (5, 3) >> Tensor.tanh) x
            differentiates "resizeNearest" (Nchw.resizeNearest corners (2, 7) >> Tensor.tanh) x
        }

        test "what cannot be resized is refused by name" {
            let x = counted 2 3
            Expect.raises<ArgumentRangeException> [ "resizeLinear"; "0" ] (fun () -> Nchw.resizeLinear corners (0, 2) x)

            Expect.raises<ShapeException> [ "resizeNearest"; "2 axes"; "1 lengths" ] (fun () ->
                Resize.nearest standard [ 2; 3 ] [ 4 ] x)

            Expect.raises<ShapeException> [ "once" ] (fun () -> Resize.nearest standard [ 3; -1 ] [ 4; 4 ] x)

            Expect.raises<ShapeException> [ "1 scales" ] (fun () ->
                Resize.nearest (standard.WithScales [ 2.0 ]) [ 2; 3 ] [ 4; 6 ] x)

            Expect.raises<DTypeException> [ "resizeLinear" ] (fun () ->
                Resize.linear standard [ 2 ] [ 3 ] (Tensor.convert DType.Int32 x))

            Expect.raises<ShapeException> [ "resizeLinear"; "four axes" ] (fun () ->
                Nchw.resizeLinear standard (2, 2) (Tensor.item 0 0 x))

            let empty = Tensor.slice 3 0 0 x
            Expect.raises<ShapeException> [ "empty" ] (fun () -> Resize.nearest standard [ 3 ] [ 2 ] empty)
            Expect.error<ArgumentRangeException> [ "NaN" ] (fun () -> standard.WithScales [ nan ] |> ignore)

            Expect.error<ArgumentRangeException> [ "9" ] (fun () ->
                standard.WithRounding(enum<ResizeRounding> 9) |> ignore)

            let scaled = corners.WithScales [ 2.0; 0.5 ]
            Expect.equal "text" "AlignCorners, RoundPreferFloor, scales 2, 0.5" (scaled.ToString())
        }
    ]
