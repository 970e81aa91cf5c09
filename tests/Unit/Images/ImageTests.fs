/// Convolution and pooling in PyTorch's layout against direct loops over its definitions.
module Curvature.Tests.Unit.Images.ImageTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

/// torch.nn.functional.conv2d, one product after the other; stride, padding and dilation are pairs.
let private conv2d (strideY, strideX) (padY, padX) (dilationY, dilationX) groups (w: Tensor) (x: Tensor) =
    let (n, c, h, width), (k, perGroup, kh, kw) =
        (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]), (w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3])

    let rows = (h + 2 * padY - (kh - 1) * dilationY - 1) / strideY + 1
    let columns = (width + 2 * padX - (kw - 1) * dilationX - 1) / strideX + 1
    let xs, ws = x.ToArray(), w.ToArray()

    let element image filter row column =
        let mutable sum = 0.0

        for channel in 0 .. perGroup - 1 do
            for i in 0 .. kh - 1 do
                for j in 0 .. kw - 1 do
                    let y, z = row * strideY + i * dilationY - padY, column * strideX + j * dilationX - padX

                    if y >= 0 && y < h && z >= 0 && z < width then
                        let source = filter / (k / groups) * perGroup + channel
                        let weight = ws[((filter * perGroup + channel) * kh + i) * kw + j]
                        sum <- sum + weight * xs[((image * c + source) * h + y) * width + z]

        sum

    [
        for image in 0 .. n - 1 do
            for filter in 0 .. k - 1 do
                for row in 0 .. rows - 1 do
                    for column in 0 .. columns - 1 -> element image filter row column
    ]
    |> Expect.tensor 1e-13 [ n; k; rows; columns ]

/// A number for each window of one channel: f of the list of its elements inside the image.
let private pool (kh, kw) stride padding (f: float list -> float) (x: Tensor) =
    let n, c, h, w = x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
    let rows, columns = (h + 2 * padding - kh) / stride + 1, (w + 2 * padding - kw) / stride + 1
    let xs = x.ToArray()

    [
        for plane in 0 .. n * c - 1 do
            for row in 0 .. rows - 1 do
                for column in 0 .. columns - 1 do
                    f [
                        for i in 0 .. kh - 1 do
                            for j in 0 .. kw - 1 do
                                let y, z = row * stride + i - padding, column * stride + j - padding

                                if y >= 0 && y < h && z >= 0 && z < w then xs[(plane * h + y) * w + z]
                    ]
    ]
    |> Expect.tensor 1e-14 [ n; c; rows; columns ]

[<Tests>]
let tests =
    testList "Unit.Images.ImageTests" [
        test "convolution in PyTorch's layout agrees with its definition" {
            for stride, padding, dilation, groups, channels, filters, h, w, kh, kw in
                [
                    (1, 1), (1, 1), (1, 1), 1, 3, 4, 6, 5, 3, 3
                    (2, 1), (0, 2), (1, 2), 2, 4, 6, 7, 9, 2, 3
                    (1, 3), (3, 0), (2, 1), 3, 3, 3, 5, 8, 4, 1
                    (1, 1), (0, 0), (1, 1), 1, 5, 7, 1, 1, 1, 1
                    (2, 2), (2, 2), (1, 1), 1, 2, 2, 3, 3, 5, 5
                ] do
                let x, weights = random 1L [ 2; channels; h; w ], random 2L [ filters; channels / groups; kh; kw ]

                let sliding =
                    Sliding.Default
                        .WithStride(fst stride, snd stride)
                        .WithPadding(fst padding, snd padding)
                        .WithDilation(fst dilation, snd dilation)

                conv2d stride padding dilation groups weights x (Nchw.groupedConv2d groups sliding weights x)

                if groups = 1 then
                    conv2d stride padding dilation 1 weights x (Nchw.conv2d sliding weights x)
        }

        test "zeros on four sides are those of an image that is padded" {
            let x, w = random 1L [ 2; 3; 4; 5 ], random 2L [ 2; 3; 3; 2 ]
            let padded = Nchw.pad (1, 2, 0, 3) x
            Expect.isTrue "the shape grows" (padded.Shape = [| 2; 3; 7; 8 |])
            let inside = padded |> Tensor.slice 2 1 4 |> Tensor.slice 3 0 5
            Expect.sameBits x inside
            let expected = Nchw.conv2d Sliding.Default w padded
            Expect.tensorsClose 1e-14 expected (Nchw.conv2d (Sliding.Default.WithPadding(1, 2, 0, 3)) w x)
        }

        test "average pooling counts zeros, and maximum pooling does not" {
            let x = random 3L [ 2; 3; 7; 6 ] - 2.0

            for size, stride, padding in [ (2, 2), 2, 0; (3, 3), 2, 1; (3, 2), 1, 1; (7, 6), 1, 0 ] do
                let sliding = Sliding.Default.WithStride(stride: int).WithPadding(padding: int)
                let count = float (fst size * snd size)
                pool size stride padding (fun window -> List.sum window / count) x (Nchw.averagePool2d size sliding x)
                pool size stride padding List.max x (Nchw.maxPool2d size sliding x)

            let mean = Nchw.globalAveragePool x
            pool (7, 6) 1 0 List.average x (Tensor.reshape [ 2; 3; 1; 1 ] mean)
        }

        test "maximum pooling sends its derivative to the first largest element" {
            let x = Tensor.ofArray [ 1; 1; 2; 4 ] [| 1.0; 1.0; 0.0; -1.0; 1.0; 0.0; 0.0; 2.0 |]
            let pool = Nchw.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
            Expect.tensor 0.0 [ 1; 1; 1; 2 ] [ 1.0; 2.0 ] (pool x)
            let weights = Tensor.ofArray [ 1; 1; 1; 2 ] [| 3.0; 5.0 |]
            let gradient = grad (fun x -> Tensor.sum (weights * pool x)) x
            Expect.tensor 0.0 [ 1; 1; 2; 4 ] [ 3.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0; 5.0 ] gradient
            Expect.isTrue "NaN comes out" (Double.IsNaN((pool (x / 0.0)).ToArray()[0]))
        }

        test "the steps of Nhwc are those of Nchw in another order" {
            let x, w = random 4L [ 2; 4; 6; 5 ], random 5L [ 6; 2; 3; 2 ]
            let sliding = Sliding.Default.WithStride(2, 1).WithPadding 1
            let last, filters = Nchw.toNhwc x, Nchw.filtersToNhwc w
            let same expected actual = Expect.sameBits expected (Nchw.ofNhwc actual)
            same (Nchw.groupedConv2d 2 sliding w x) (Nhwc.groupedConv2d 2 sliding filters last)
            same (Nchw.averagePool2d (3, 2) sliding x) (Nhwc.averagePool2d (3, 2) sliding last)
            same (Nchw.maxPool2d (3, 2) sliding x) (Nhwc.maxPool2d (3, 2) sliding last)
            same (Nchw.pad (1, 0, 2, 3) x) (Nhwc.pad (1, 0, 2, 3) last)
            Expect.sameBits (Nchw.globalAveragePool x) (Nhwc.globalAveragePool last)
        }

        test "second derivatives of a convolution and of pools agree with differences of gradients" {
            let x, w = random 6L [ 2; 2; 5; 4 ], random 7L [ 3; 2; 2; 3 ]
            let sliding = Sliding.Default.WithStride(2, 1).WithPadding(1)
            let size = x.Size

            let f (theta: Tensor) =
                let x = theta |> Tensor.slice 0 0 size |> Tensor.reshape [ 2; 2; 5; 4 ]
                let w = theta |> Tensor.slice 0 size w.Size |> Tensor.reshape [ 3; 2; 2; 3 ]
                let y = Tensor.tanh (Nchw.conv2d sliding w x)
                let pooled = Nchw.maxPool2d (2, 2) Sliding.Default y + Nchw.averagePool2d (2, 2) Sliding.Default y
                Tensor.sum (Tensor.square pooled)

            let theta = Tensor.concat 0 [ Tensor.flatten x; Tensor.flatten w ] * 0.3
            let v = Tensor.rademacher (Key.OfSeed 8L) DType.Float64 [ theta.Size ]
            let step = 1e-5
            let difference = (grad f (theta + step * v) - grad f (theta - step * v)) / (2.0 * step)
            let product = hessianv f theta v
            Expect.tensorsClose 1e-7 difference product
            Expect.tensorsClose 1e-12 (Tensor.dot v product) (quadraticForm f theta v)
            let u = Tensor.rademacher (Key.OfSeed 9L) DType.Float64 [ theta.Size ]
            Expect.tensorsClose 1e-12 (Tensor.dot u product) (Tensor.dot v (hessianv f theta u))
        }

        test "what does not fit together is refused by name" {
            let x, w = random 1L [ 2; 4; 5; 5 ], random 2L [ 6; 4; 3; 3 ]
            let conv sliding w x () = Nchw.conv2d sliding w x |> ignore
            let standard = Sliding.Default
            Expect.error<ShapeException> [ "conv2d"; "[8; 5; 5]" ] (conv standard w (Tensor.reshape [ 8; 5; 5 ] x))

            Expect.error<ShapeException>
                [ "conv2d"; "4 channels"; "3 channels" ]
                (conv standard (random 1L [ 6; 3; 3; 3 ]) x)

            Expect.error<ShapeException> [ "conv2d"; "11 rows"; "image of 5" ] (conv (standard.WithDilation 5) w x)
            Expect.error<DTypeException> [ "Float32" ] (conv standard (Tensor.convert DType.Float32 w) x)
            Expect.error<DTypeException> [ "Int32" ] (conv standard w (Tensor.convert DType.Int32 x))

            Expect.error<ArgumentRangeException> [ "groups"; "3" ] (fun () ->
                Nchw.groupedConv2d 3 standard w x |> ignore)

            Expect.error<ArgumentRangeException> [ "maxPool2d"; "half" ] (fun () ->
                Nchw.maxPool2d (2, 2) (standard.WithPadding 2) x |> ignore)

            Expect.error<ArgumentRangeException> [ "averagePool2d"; "row" ] (fun () ->
                Nchw.averagePool2d (0, 2) standard x |> ignore)

            Expect.error<ArgumentRangeException> [ "stride" ] (fun () -> standard.WithStride 0 |> ignore)
            Expect.error<ArgumentRangeException> [ "padding" ] (fun () -> standard.WithPadding -1 |> ignore)
            Expect.error<ArgumentRangeException> [ "dilation" ] (fun () -> standard.WithDilation 0 |> ignore)
        }
    ]
