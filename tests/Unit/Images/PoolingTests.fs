/// Pools of images and signals, in ceil mode too, against direct loops over PyTorch's definitions.
module Curvature.Tests.Unit.Images.PoolingTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

/// One axis of windows.
type private Windows = { Size: int; Stride: int; Before: int; After: int; Dilation: int; Ceil: bool }

/// The positions that each window of an axis reads: those in the image, those in it or in the zeros around it.
let private positions (windows: Windows) length =
    let span = (windows.Size - 1) * windows.Dilation + 1
    let padded = length + windows.Before + windows.After

    let isWindow start =
        if windows.Ceil then
            start - windows.Stride + span < padded && start < length + windows.Before
        else
            start + span <= padded

    [
        for start in 0 .. windows.Stride .. padded do
            if isWindow start then
                let all = [ for k in 0 .. windows.Size - 1 -> start + k * windows.Dilation - windows.Before ]
                let around = all |> List.filter (fun place -> place < length + windows.After)
                around |> List.filter (fun place -> place >= 0 && place < length), around.Length
    ]

/// A number from the elements of each window, and from how many elements it has with and without zeros.
let private pool (down: Windows) (across: Windows) (f: float list -> int -> float) (x: Tensor) =
    let n, c, h, w = x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
    let xs = x.ToArray()
    let rows, columns = positions down h, positions across w

    let values =
        [
            for plane in 0 .. n * c - 1 do
                for ys, rowCount in rows do
                    for zs, columnCount in columns do
                        let elements =
                            [
                                for y in ys do
                                    for z in zs -> xs[(plane * h + y) * w + z]
                            ]

                        f elements (rowCount * columnCount)
        ]

    [ n; c; rows.Length; columns.Length ], values

let private slidingOf (down: Windows) (across: Windows) =
    Sliding.Default
        .WithStride(down.Stride, across.Stride)
        .WithPadding(down.Before, down.After, across.Before, across.After)
        .WithDilation(down.Dilation, across.Dilation)
        .WithCeilMode(down.Ceil)

let private windows size stride (before, after) dilation =
    {
        Size = size
        Stride = stride
        Before = before
        After = after
        Dilation = dilation
        Ceil = false
    }

let private cases =
    [
        for ceil in [ true; false ] do
            for down, across in
                [
                    windows 2 2 (0, 0) 1, windows 3 2 (1, 1) 1
                    windows 3 2 (1, 0) 1, windows 3 3 (0, 1) 1
                    windows 2 3 (1, 1) 1, windows 4 5 (2, 2) 1
                    windows 2 2 (1, 0) 2, windows 3 2 (1, 1) 2
                ] do
                { down with Ceil = ceil }, { across with Ceil = ceil }
    ]

let private check dtype tolerance (shape, values: float list) (actual: Tensor) =
    Expect.equal "type" dtype actual.DType
    Expect.tensor tolerance shape values actual

let private signal (values: float list) = Tensor.ofArray [ 1; 1; values.Length ] (Array.ofList values)

let private gives (values: float list) (t: Tensor) = Expect.tensor 1e-15 [ 1; 1; values.Length ] values t

[<Tests>]
let tests =
    testList "Unit.Images.PoolingTests" [
        test "pools agree with loops over windows" {
            for h, w in [ 5, 7; 6, 8; 7, 9 ] do
                for down, across in cases do
                    let x, sliding, size = random 1L [ 2; 3; h; w ], slidingOf down across, (down.Size, across.Size)
                    let whole = pool down across (fun elements count -> List.sum elements / float count) x
                    let inside = pool down across (fun elements _ -> List.average elements) x
                    let largest = pool down across (fun elements _ -> List.max elements) x

                    for dtype, tolerance in [ DType.Float64, 1e-14; DType.Float32, 1e-6 ] do
                        let x = Tensor.convert dtype x
                        check dtype tolerance whole (Nchw.averagePool2d size sliding x)
                        check dtype tolerance inside (Nchw.averagePool2dWithoutPadding size sliding x)
                        check dtype tolerance largest (Nchw.maxPool2d size sliding x)
        }

        test "pools of signals in ceil mode give PyTorch's numbers" {
            let ceil = Sliding.Default.WithStride(2).WithCeilMode true
            gives [ 1.5; 3.5; 5.0 ] (Nchw.averagePool1d 2 ceil (signal [ 1.0; 2.0; 3.0; 4.0; 5.0 ]))
            gives [ 2.0; 4.0; 5.0 ] (Nchw.maxPool1d 2 ceil (signal [ 1.0; 2.0; 3.0; 4.0; 5.0 ]))
            let padded = ceil.WithPadding 1
            gives [ 1.0; 3.0; 2.0 ] (Nchw.averagePool1d 3 padded (signal [ 1.0; 2.0; 3.0; 4.0 ]))
            gives [ 1.5; 3.0; 4.0 ] (Nchw.averagePool1dWithoutPadding 3 padded (signal [ 1.0; 2.0; 3.0; 4.0 ]))
            // A second window would begin among the zeros after the signal.
            let far = Sliding.Default.WithStride(3).WithPadding(1).WithCeilMode true
            gives [ 1.0 ] (Nchw.maxPool1d 2 far (signal [ 1.0; 2.0 ]))
            gives [ 0.5 ] (Nchw.averagePool1d 2 far (signal [ 1.0; 2.0 ]))
        }

        test "pools of signals are those of images of one row" {
            let x = random 2L [ 2; 3; 9 ]
            let sliding = Sliding.Default.WithStride(4, 2).WithPadding(1, 1, 1, 0)
            let row = Sliding.Default.WithStride(1, 2).WithPadding(0, 0, 1, 0)

            for of1d, of2d in
                [
                    Nchw.averagePool1d 3 sliding, Nchw.averagePool2d (1, 3) row
                    Nchw.averagePool1dWithoutPadding 3 sliding, Nchw.averagePool2dWithoutPadding (1, 3) row
                    Nchw.maxPool1d 3 sliding, Nchw.maxPool2d (1, 3) row
                ] do
                Expect.sameBits (Tensor.squeeze 2 (of2d (Tensor.unsqueeze 2 x))) (of1d x)
        }

        test "pools have derivatives of every order" {
            let x = 0.5 * random 3L [ 1; 2; 5; 4 ]
            let ceil = Sliding.Default.WithStride(2).WithPadding(1).WithCeilMode true
            differentiates "averagePool2d" (Nchw.averagePool2d (3, 2) ceil >> Tensor.tanh) x
            differentiates "averagePool2d" (Nchw.averagePool2dWithoutPadding (3, 2) ceil >> Tensor.tanh) x
            differentiates "maxPool2d" (Nchw.maxPool2d (3, 2) ceil >> Tensor.tanh) x
            differentiates "maxPool1d" (Nchw.maxPool1d 3 ceil >> Tensor.tanh) (Tensor.item 2 1 x)
        }

        test "a convolution takes as many windows in ceil mode as a pool" {
            let x, w = random 4L [ 1; 1; 6; 5 ], random 5L [ 1; 1; 3; 2 ]
            let sliding = Sliding.Default.WithStride(2, 3).WithCeilMode true
            let zeros = Nchw.pad (0, 1, 0, 0) x
            Expect.sameBits (Nchw.conv2d (sliding.WithCeilMode false) w zeros) (Nchw.conv2d sliding w x)
            Expect.isTrue "ceil mode is told" (sliding.ToString().Contains "ceil mode" && sliding.CeilMode)
        }

        test "windows that lie outside are refused by name" {
            let x = random 1L [ 1; 1; 4; 4 ]
            let outside = Sliding.Default.WithPadding 2

            Expect.error<ArgumentRangeException> [ "averagePool2d"; "half" ] (fun () ->
                Nchw.averagePool2dWithoutPadding (2, 2) outside x |> ignore)

            Expect.error<ArgumentRangeException> [ "maxPool1d"; "half" ] (fun () ->
                Nchw.maxPool1d 2 outside (Tensor.item 2 0 x) |> ignore)

            Expect.error<ShapeException> [ "averagePool1d"; "three axes"; "[1; 1; 4; 4]" ] (fun () ->
                Nchw.averagePool1d 2 Sliding.Default x |> ignore)

            Expect.error<ShapeException> [ "maxPool1d"; "5 columns"; "image of 4" ] (fun () ->
                Nchw.maxPool1d 5 (Sliding.Default.WithCeilMode true) (Tensor.item 2 0 x) |> ignore)
        }
    ]
