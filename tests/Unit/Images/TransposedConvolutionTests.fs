/// Convolutions of signals, and transposed convolutions, against direct loops over their definitions.
module Curvature.Tests.Unit.Images.TransposedConvolutionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

/// Stride, zeros before and after, output padding and dilation of one axis.
type private Axis = { Stride: int; Before: int; After: int; Extra: int; Dilation: int }

let private axis stride before after extra dilation =
    {
        Stride = stride
        Before = before
        After = after
        Extra = extra
        Dilation = dilation
    }

let private slidingOf (down: Axis) (across: Axis) =
    Sliding.Default
        .WithStride(down.Stride, across.Stride)
        .WithPadding(down.Before, down.After, across.Before, across.After)
        .WithDilation(down.Dilation, across.Dilation)

/// torch.nn.functional.conv_transpose2d: every pixel adds its multiple of the filter to the result, of which the zeros
/// of the convolution are cut off.
let private transposed (down: Axis) (across: Axis) groups (w: Tensor) (x: Tensor) =
    let n, c, h, width = x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
    let perGroup, kh, kw = w.Shape[1], w.Shape[2], w.Shape[3]
    let outputs = perGroup * groups

    let length (axis: Axis) size kernel =
        (size - 1) * axis.Stride - axis.Before - axis.After + (kernel - 1) * axis.Dilation + 1 + axis.Extra

    let rows, columns = length down h kh, length across width kw
    let result = Array.zeroCreate (n * outputs * rows * columns)
    let xs, ws = x.ToArray(), w.ToArray()

    for image in 0 .. n - 1 do
        for channel in 0 .. c - 1 do
            for y in 0 .. h - 1 do
                for z in 0 .. width - 1 do
                    for filter in 0 .. perGroup - 1 do
                        for i in 0 .. kh - 1 do
                            for j in 0 .. kw - 1 do
                                let row = y * down.Stride + i * down.Dilation - down.Before
                                let column = z * across.Stride + j * across.Dilation - across.Before

                                if row >= 0 && row < rows && column >= 0 && column < columns then
                                    let output = channel / (c / groups) * perGroup + filter
                                    let place = ((image * outputs + output) * rows + row) * columns + column
                                    let pixel = xs[((image * c + channel) * h + y) * width + z]
                                    let weight = ws[((channel * perGroup + filter) * kh + i) * kw + j]
                                    result[place] <- result[place] + pixel * weight

    [ n; outputs; rows; columns ], result

/// Strides, zeros on two sides, output padding, dilations, groups and sizes.
let private cases =
    [
        axis 1 0 0 0 1, axis 1 0 0 0 1, 1, (2, 3), (4, 5), (3, 2)
        axis 2 1 1 1 1, axis 3 0 2 2 1, 1, (2, 3), (4, 5), (3, 3)
        axis 2 0 1 0 2, axis 1 1 0 0 3, 2, (4, 6), (3, 5), (2, 3)
        axis 2 0 0 1 1, axis 4 0 0 3 1, 3, (3, 3), (2, 3), (1, 2)
        axis 1 1 0 2 3, axis 2 0 0 2 3, 1, (1, 1), (5, 1), (3, 1)
    ]

[<Tests>]
let tests =
    testList "Unit.Images.TransposedConvolutionTests" [
        test "a transposed convolution agrees with its definition, in both element types" {
            for down, across, groups, (c, outputs), (h, width), (kh, kw) in cases do
                let x, w = random 1L [ 2; c; h; width ], random 2L [ c; outputs / groups; kh; kw ]
                let shape, expected = transposed down across groups w x

                let actual dtype =
                    Tensor.convert dtype x
                    |> Nchw.groupedConvTranspose2d
                        groups
                        (down.Extra, across.Extra)
                        (slidingOf down across)
                        (Tensor.convert dtype w)

                Expect.tensor 1e-13 shape expected (actual DType.Float64)
                Expect.equal "type" DType.Float32 (actual DType.Float32).DType
                Expect.tensor 1e-5 shape expected (actual DType.Float32)
        }

        test "a transposed convolution of two numbers" {
            let x, w = Tensor.ofArray [ 1; 1; 2 ] [| 1.0; 2.0 |], Tensor.ofArray [ 1; 1; 3 ] [| 1.0; 10.0; 100.0 |]
            let sliding = Sliding.Default.WithStride 2
            let signal (values: float list) = Expect.tensor 0.0 [ 1; 1; values.Length ] values
            signal [ 1.0; 10.0; 102.0; 20.0; 200.0 ] (Nchw.convTranspose1d sliding w x)
            let cut = sliding.WithPadding 1
            signal [ 10.0; 102.0; 20.0 ] (Nchw.convTranspose1d cut w x)
            signal [ 10.0; 102.0; 20.0; 200.0 ] (Nchw.groupedConvTranspose1d 1 1 cut w x)
            signal [ 1.0; 10.0; 102.0; 20.0; 200.0; 0.0 ] (Nchw.groupedConvTranspose1d 1 1 sliding w x)
        }

        test "a transposed convolution is the transpose of the convolution" {
            let isTransposed (down, across, groups, (c, outputs), (h, width), (kh, kw)) =
                let y, w = random 3L [ 2; c; h; width ], random 4L [ c; outputs / groups; kh; kw ]
                let sliding = slidingOf down across
                let back = Nchw.groupedConvTranspose2d groups (down.Extra, across.Extra) sliding w y
                let x = random 5L (List.ofArray back.Shape)
                let forth = Nchw.groupedConv2d groups sliding w x

                // Output padding of a whole step or more belongs to no image of this height and width.
                let fits = forth.Shape = y.Shape

                if fits then
                    Expect.tensorsClose 1e-12 (Tensor.sum (forth * y)) (Tensor.sum (x * back))

                fits

            Expect.equal "cases" 4 (cases |> List.filter isTransposed |> List.length)
        }

        test "convolutions of signals agree with those of images of one row" {
            let x, w = random 1L [ 2; 4; 9 ], random 2L [ 6; 2; 3 ]
            // What is said of rows does not count.
            let sliding = Sliding.Default.WithStride(5, 2).WithPadding(3, 3, 1, 0).WithDilation(4, 2)
            let row = Sliding.Default.WithStride(1, 2).WithPadding(0, 0, 1, 0).WithDilation(1, 2)
            let asImages (t: Tensor) = Tensor.unsqueeze 2 t

            Nchw.groupedConv1d 2 sliding w x
            |> Expect.sameBits (Tensor.squeeze 2 (Nchw.groupedConv2d 2 row (asImages w) (asImages x)))

            // One output by hand: position 2 of filter 4, in the second group, begins at 2·2 − 1 = 3.
            let xs, ws, ys = x.ToArray(), w.ToArray(), (Nchw.groupedConv1d 2 sliding w x).ToArray()

            let expected =
                List.sum [
                    for channel in 0..1 do
                        for k in 0..2 -> ws[(4 * 2 + channel) * 3 + k] * xs[(4 + 2 + channel) * 9 + 3 + 2 * k]
                ]

            Expect.within "element" 1e-14 expected ys[(6 + 4) * 3 + 2]
            Expect.equal "shape" [| 2; 6; 3 |] (Nchw.groupedConv1d 2 sliding w x).Shape
            let whole = random 3L [ 5; 4; 2 ]
            Expect.sameBits (Nchw.groupedConv1d 1 sliding whole x) (Nchw.conv1d sliding whole x)
        }

        test "transposed convolutions have derivatives of every order" {
            let x, w = 0.4 * random 6L [ 1; 4; 3; 2 ], 0.4 * random 7L [ 4; 3; 2; 3 ]
            let sliding = Sliding.Default.WithStride(2, 1).WithPadding(1, 0, 0, 1)
            let of2d w x = Tensor.tanh (Nchw.groupedConvTranspose2d 2 (1, 0) sliding w x)
            differentiates "convTranspose2d of images" (of2d w) x
            differentiates "convTranspose2d of filters" (fun w -> of2d w x) w
            let signal, kernel = Tensor.flatten x |> Tensor.reshape [ 2; 4; 3 ], Tensor.reshape [ 4; 3; 6 ] w
            differentiates "convTranspose1d" (Nchw.convTranspose1d sliding kernel >> Tensor.tanh) signal
            let filters = Tensor.reshape [ 6; 4; 3 ] w
            differentiates "conv1d" (Nchw.conv1d sliding filters >> Tensor.tanh) signal
        }

        test "what does not fit together is refused by name" {
            let x, w = random 1L [ 2; 4; 5; 5 ], random 2L [ 4; 3; 3; 3 ]
            let standard = Sliding.Default
            let run groups extra sliding w x () = Nchw.groupedConvTranspose2d groups extra sliding w x |> ignore
            let shape = Expect.error<ShapeException>
            shape [ "convTranspose2d"; "[4; 5; 5]" ] (run 1 (0, 0) standard w (Tensor.item 0 0 x))

            Expect.error<ShapeException>
                [ "convTranspose2d"; "4 channels"; "3" ]
                (run 1 (0, 0) standard (random 1L [ 3; 3; 3; 3 ]) x)

            Expect.error<ShapeException> [ "7 rows"; "-1 rows" ] (fun () ->
                run 1 (0, 0) (standard.WithDilation(3, 1).WithPadding(6, 0, 0, 6)) w (Tensor.slice 2 0 1 x) ()
                run 1 (0, 0) (standard.WithDilation(3, 1).WithPadding(4, 4, 0, 0)) w (Tensor.slice 2 0 1 x) ())

            Expect.error<ArgumentRangeException> [ "groups"; "3" ] (run 3 (0, 0) standard w x)
            Expect.error<ArgumentRangeException> [ "output padding"; "2" ] (run 1 (0, 2) (standard.WithStride 2) w x)
            Expect.error<ArgumentRangeException> [ "output padding"; "-1" ] (run 1 (-1, 0) standard w x)
            Expect.error<ArgumentRangeException> [ "ceil mode" ] (run 1 (0, 0) (standard.WithCeilMode true) w x)
            Expect.error<DTypeException> [ "Int32" ] (run 1 (0, 0) standard w (Tensor.convert DType.Int32 x))
            let signal = random 3L [ 2; 4; 5 ]
            Expect.error<ShapeException> [ "conv1d"; "three axes" ] (fun () -> Nchw.conv1d standard w signal |> ignore)

            Expect.error<ShapeException> [ "convTranspose1d"; "signals"; "[2; 4; 5; 5]" ] (fun () ->
                Nchw.convTranspose1d standard (random 1L [ 4; 1; 3 ]) x |> ignore)

            Expect.error<ShapeException> [ "conv1d"; "11 columns" ] (fun () ->
                Nchw.conv1d (standard.WithDilation 5) (random 1L [ 2; 4; 3 ]) signal |> ignore)
        }
    ]
