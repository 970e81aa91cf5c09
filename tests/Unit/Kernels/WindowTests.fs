/// Pooling against a direct loop.
module Curvature.Tests.Unit.Kernels.WindowTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

/// Pairs of a window's place among the outputs and an element's place among the inputs, in row-major order of both.
let private pairs images (height: WindowAxis) (width: WindowAxis) channels =
    [
        for image in 0 .. images - 1 do
            for oy in 0 .. height.Output - 1 do
                for ox in 0 .. width.Output - 1 do
                    for channel in 0 .. channels - 1 do
                        for ky in 0 .. height.Kernel - 1 do
                            for kx in 0 .. width.Kernel - 1 do
                                let y = oy * height.Stride + ky * height.Dilation - height.Before
                                let x = ox * width.Stride + kx * width.Dilation - width.Before

                                if y >= 0 && y < height.Input && x >= 0 && x < width.Input then
                                    ((image * height.Output + oy) * width.Output + ox) * channels + channel,
                                    ((image * height.Input + y) * width.Input + x) * channels + channel
    ]

let private axes =
    [
        for input in [ 1; 4; 7 ] do
            for kernel in 1..3 do
                for stride in 1..3 do
                    for before, after in [ 0, 0; 1, 0; 1, 2 ] do
                        for dilation in 1..2 do
                            WindowAxis(input, kernel, stride, before, after, dilation)
    ]
    |> List.filter (fun axis -> axis.Output > 0)

let private cases =
    [
        for i, height in List.indexed axes do
            2, height, axes[(7 * i + 3) % axes.Length], [| 1; 3; 18 |][i % 3]
        40, WindowAxis(8, 2, 2), WindowAxis(8, 2, 2), 16
    ]

let inline private sum
    (convert: float -> 'T)
    (back: 'T -> float)
    (device: Device)
    images
    height
    width
    channels
    adjoint
    data
    count
    =
    let sizes = WindowSizes(images, height, width, channels)
    let kernel = device.SumWindows(WindowSumDescription(dtypeOf<'T>, sizes, adjoint, Place(0, 2L), Place(1, 3L)))
    let source = upload device (Array.append [| convert 9.0; convert 9.0 |] (Array.map convert data))
    let target = upload device (Array.create (count + 6) (convert 8.0))
    run device kernel [ source; target ]
    let values = download<'T> device (count + 6) target |> Array.map back
    Seq.append values[..2] values[count + 3 ..] |> Seq.forall ((=) 8.0) |> holds "wrote outside its target"
    values[3 .. count + 2]

let inline private maxima (device: Device) images height width channels (data: 'T[]) count =
    let sizes = WindowSizes(images, height, width, channels)
    let kernel = device.MaximumOfWindows(WindowMaximumDescription(dtypeOf<'T>, sizes, Place(0, 0L), Place(1, 1L)))
    let source = upload device data
    let target = upload device (Array.create (count + 2) -5)
    run device kernel [ source; target ]
    let values = download<int> device (count + 2) target
    holds "wrote outside its target" (values[0] = -5 && values[count + 1] = -5)
    values[1..count]

[<Tests>]
let tests =
    testList "Unit.Kernels.WindowTests" [
        test "sums over windows and their adjoints agree with a direct loop, on any number of threads" {
            let random = Random 4

            for images, height, width, channels in cases do
                let inputs = images * height.Input * width.Input * channels
                let outputs = images * height.Output * width.Output * channels
                let pairs = pairs images height width channels

                for adjoint in [ false; true ] do
                    let data = Array.init (if adjoint then outputs else inputs) (fun _ -> float (random.Next(-9, 10)))
                    let expected = Array.zeroCreate<float>(if adjoint then inputs else outputs)

                    for output, input in pairs do
                        if adjoint then
                            expected[input] <- expected[input] + data[output]
                        else
                            expected[output] <- expected[output] + data[input]

                    for device in devices @ teams do
                        let about =
                            $"adjoint {adjoint}, {images} images, {height}, {width}, {channels} channels, {device.Name}"

                        let count = expected.Length
                        holds about (sum id id device images height width channels adjoint data count = expected)

                        holds
                            about
                            (sum float32 float device images height width channels adjoint data count = expected)
        }

        test "positions of maxima are those of the first largest elements, or of the first NaN" {
            let random = Random 3

            for images, height, width, channels in cases do
                let windows = pairs images height width channels |> List.groupBy fst
                let count = images * height.Output * width.Output * channels
                // A window without elements has no maximum.
                if windows.Length = count then
                    let numbers =
                        Array.init (images * height.Input * width.Input * channels) (fun _ ->
                            match random.Next 12 with
                            | 0 -> nan
                            | n -> float (n / 2))

                    let rank x = if Double.IsNaN x then infinity else x

                    let expected =
                        [|
                            for _, elements in windows ->
                                elements |> List.map snd |> List.sort |> List.maxBy (fun i -> rank numbers[i])
                        |]

                    for device in teams do
                        same expected (maxima device images height width channels numbers count)
                        same expected (maxima device images height width channels (Array.map float32 numbers) count)
        }

        test "descriptions that are not well formed are refused" {
            let device = devices[0]
            let axis = WindowAxis(4, 2, 2)

            let sum height channels () =
                let sizes = WindowSizes(1, height, axis, channels)

                device.SumWindows(WindowSumDescription(DType.Float32, sizes, false, Place(0, 0L), Place(1, 0L)))
                |> ignore

            let maximum width images () =
                let sizes = WindowSizes(images, axis, width, 1)

                device.MaximumOfWindows(WindowMaximumDescription(DType.Float32, sizes, Place(0, 0L), Place(1, 0L)))
                |> ignore

            sum axis 1 ()
            maximum axis 1 ()
            sum (WindowAxis(4, 0)) 1 |> refuses "Height"
            sum axis -1 |> refuses "Channels"
            maximum (WindowAxis(4, 2, 1, 2)) 1 |> refuses "Width"
            maximum axis 200_000_000 |> refuses "maximum"
        }
    ]
