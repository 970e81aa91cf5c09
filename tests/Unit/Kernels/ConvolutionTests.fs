/// Convolutions and their gradients against a direct loop.
module Curvature.Tests.Unit.Kernels.ConvolutionTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support
open Curvature.Tests.Unit.Kernels.ConvolutionCases

let inline private compute
    (convert: float -> 'T)
    (back: 'T -> float)
    (device: Device)
    case
    form
    accumulate
    (data: float[][])
    =
    let kernel = device.Convolve(describe dtypeOf<'T> accumulate case, form)
    let arrays = [ for values in data -> upload device (Array.map convert values) ]
    run device kernel arrays
    let target = place form
    download<'T> device data[target].Length arrays[target] |> Array.map back

let private check (device: CpuDevice) (case: Case) =
    let random = Random 5
    let data = numbers random case
    let rounded = data |> Array.map (Array.map (float32 >> float))

    for form in forms do
        // The array that is computed is not shared.
        if case.Shared <> Some form then
            for accumulate in [ false; true ] do
                let close tolerance (expected: float[]) (actual: float[]) =
                    let scale = expected |> Array.map abs |> Array.append [| 1.0 |] |> Array.max

                    Array.forall2 (fun e a -> abs (e - a) <= tolerance * scale) expected actual
                    |> holds $"{form}, accumulate {accumulate}, {device.Name}: {case}"

                compute id id device case form accumulate data |> close 1e-12 (expected case form accumulate data)

                compute float32 float device case form accumulate rounded
                |> close 1e-5 (expected case form accumulate rounded)

let private checkAll cases =
    for case in cases do
        for device in devices do
            check device case

let private square input kernel stride padding dilation = WindowAxis(input, kernel, stride, padding, padding, dilation)

[<Tests>]
let tests =
    testList "Unit.Kernels.ConvolutionTests" [
        test "all strides, dilations and zeros around small images agree with a direct loop" {
            checkAll [
                for input in [ 1; 2; 5; 8 ] do
                    for kernel in 1..4 do
                        for stride in 1..3 do
                            for dilation in 1..2 do
                                for before, after in [ 0, 0; 1, 1; 0, 2; 3, 1 ] do
                                    let axis = WindowAxis(input, kernel, stride, before, after, dilation)

                                    if axis.Output > 0 && (input + kernel + stride + before) % 3 = 0 then
                                        { plain with
                                            Images = 2
                                            Height = axis
                                            Width = WindowAxis(7, 3, 1 + input % 2, 1, kernel % 2)
                                            Channels = 2
                                            Filters = 3
                                        }

                                        { plain with
                                            Height = WindowAxis(6, 2, stride, 1, 0)
                                            Width = axis
                                            Channels = 3
                                            Filters = 2
                                        }
            ]
        }

        test "any numbers of channels, filters and groups agree with a direct loop" {
            checkAll [
                for channels, filters, groups in
                    [
                        1, 1, 1
                        3, 16, 1
                        16, 3, 1
                        4, 4, 4
                        5, 10, 5
                        6, 9, 3
                        16, 16, 1
                        17, 33, 1
                        33, 17, 1
                        32, 48, 2
                        8, 64, 1
                        70, 5, 1
                    ] do
                    { plain with
                        Images = 2
                        Height = square 5 3 1 1 1
                        Width = square 6 3 1 1 1
                        Channels = channels
                        Filters = filters
                        Groups = groups
                    }

                    { plain with
                        Images = 3
                        Height = square 5 2 2 0 1
                        Width = square 4 3 2 1 1
                        Channels = channels
                        Filters = filters
                        Groups = groups
                    }
            ]
        }

        test "wide rows, many images of one pixel and large images agree with a direct loop" {
            checkAll [
                { plain with
                    Images = 2
                    Height = square 3 3 1 1 1
                    Width = square 45 5 1 2 1
                    Channels = 3
                    Filters = 18
                }
                { plain with
                    Images = 300
                    Height = square 1 1 1 0 1
                    Width = square 1 1 1 0 1
                    Channels = 6
                    Filters = 5
                }
                { plain with
                    Images = 30
                    Height = square 1 3 1 1 1
                    Width = square 2 3 1 1 1
                    Channels = 5
                    Filters = 4
                }
                { plain with
                    Images = 1
                    Height = square 40 3 1 1 1
                    Width = square 3 1 1 0 1
                    Channels = 4
                    Filters = 2
                }
                // More scratch memory for an image than there is: the image is cut.
                { plain with
                    Images = 2
                    Height = square 41 3 2 1 1
                    Width = square 300 3 2 1 1
                    Channels = 8
                    Filters = 2
                }
            ]
        }

        test "repetitions agree with a direct loop, whichever array they share" {
            checkAll [
                for shared in
                    [
                        None
                        Some ConvolutionForm.Forward
                        Some ConvolutionForm.InputGradient
                        Some ConvolutionForm.FilterGradient
                    ] do
                    { plain with
                        Images = 2
                        Height = square 4 3 1 1 1
                        Width = square 5 2 2 1 1
                        Channels = 4
                        Filters = 6
                        Groups = 2
                        Repeats = 3
                        Shared = shared
                    }
            ]
        }

        test "repetitions that follow each other are computed as more images" {
            let device = devices[0]
            let axis = square 4 3 1 1 1
            let random = Random 8
            let input = Array.init (3 * 2 * 16 * 2) (fun _ -> random.NextDouble())
            let filters = Array.init (9 * 2 * 5) (fun _ -> random.NextDouble())
            let length = 2 * 16

            let run (convolution: ConvolutionDescription) =
                let output = device.Allocate(int64 (3 * length * 5 * 8))
                let arrays = [ upload device input; upload device filters; output ]
                run device (device.Convolve(convolution, ConvolutionForm.Forward)) arrays
                download<float> device (3 * length * 5) output

            let place slot step = RepeatedPlace(Place(slot, 0L), int64 step)

            let together =
                let sizes = ConvolutionSizes(6, axis, axis, 2, 5)
                ConvolutionDescription(DType.Float64, sizes, place 0 0, place 1 0, place 2 0)

            let apart =
                let sizes = ConvolutionSizes(2, axis, axis, 2, 5)

                ConvolutionDescription(
                    DType.Float64,
                    sizes,
                    place 0 (length * 2),
                    place 1 0,
                    place 2 (length * 5),
                    false,
                    3
                )

            same (run together |> bits) (run apart |> bits)
        }

        test "results are the same bits on one, two and three threads" {
            let random = Random 6

            for case in
                [
                    { plain with
                        Images = 33
                        Height = square 16 3 1 1 1
                        Width = square 16 3 1 1 1
                        Channels = 16
                        Filters = 16
                    }
                    { plain with
                        Images = 1
                        Height = square 60 3 2 1 1
                        Width = square 61 3 2 1 1
                        Channels = 12
                        Filters = 20
                        Groups = 2
                        Repeats = 2
                    }
                ] do
                let data = numbers random case

                for form in forms do
                    let results =
                        teams |> List.map (fun device -> compute float32 float device case form true data |> bits)

                    results |> List.forall ((=) results.Head) |> holds $"{form}: threads change bits of {case}"
        }

        test "nothing to sum over gives zeros, and adds nothing" {
            let far = WindowAxis(2, 1, 1, 3, 3)
            // Windows that reach zeros only, no images, and filters larger than the image with its zeros.
            checkAll [
                { plain with Height = far; Width = far; Channels = 2; Filters = 3 }
                { plain with Images = 0; Channels = 2; Filters = 3 }
                { plain with Height = square 2 3 1 0 1; Channels = 2; Filters = 3 }
            ]
        }

        test "runs allocate nothing on the managed heap" {
            let case =
                { plain with
                    Images = 20
                    Height = square 16 3 1 1 1
                    Width = square 16 3 1 1 1
                    Channels = 16
                    Filters = 17
                }

            let device = teams[1]
            let data = numbers (Random 1) case |> Array.map (Array.map float32)
            let arrays = [| for values in data -> upload device values |]
            let slots = arrays |> Array.map _.Address

            for form in forms do
                let kernel = device.Convolve(describe DType.Float32 false case, form)

                for _ in 1..3 do
                    kernel.Run(slots, 2)

                let allocatedBy () =
                    let before = GC.GetAllocatedBytesForCurrentThread()
                    kernel.Run(slots, 2)
                    GC.GetAllocatedBytesForCurrentThread() - before

                // The runtime itself may allocate once, when a thread has to wait for the first time.
                let allocated = Seq.init 3 (fun _ -> allocatedBy ()) |> Seq.min
                holds $"{form} allocates {allocated} bytes" (allocated = 0L)

            GC.KeepAlive arrays
        }

        test "descriptions that are not well formed are refused" {
            let axis = square 4 3 1 1 1
            let device = devices[0]

            let make dtype images (height: WindowAxis) channels filters groups repeats outputStep () =
                let place slot step = RepeatedPlace(Place(slot, 0L), step)
                let sizes = ConvolutionSizes(images, height, axis, channels, filters, groups)

                let convolution =
                    ConvolutionDescription(dtype, sizes, place 0 0L, place 1 0L, place 2 outputStep, false, repeats)

                device.Convolve(convolution, ConvolutionForm.Forward) |> ignore

            make DType.Float32 1 axis 4 4 2 1 0L ()
            make DType.Int32 1 axis 4 4 2 1 0L |> refuses "DType"
            make DType.Float32 -1 axis 4 4 2 1 0L |> refuses "Images"
            make DType.Float32 1 (WindowAxis(4, 0)) 4 4 2 1 0L |> refuses "Height"
            make DType.Float32 1 (WindowAxis(4, 3, 0)) 4 4 2 1 0L |> refuses "Height"
            make DType.Float32 1 (WindowAxis(4, 3, 1, -1)) 4 4 2 1 0L |> refuses "Height"
            make DType.Float32 1 (WindowAxis(4, 3, 1, 0, 0, 0)) 4 4 2 1 0L |> refuses "Height"
            make DType.Float32 1 axis 5 4 2 1 0L |> refuses "Channels"
            make DType.Float32 1 axis 4 5 2 1 0L |> refuses "Filters"
            make DType.Float32 1 axis 4 4 0 1 0L |> refuses "Groups"
            make DType.Float32 1 axis 4 4 2 2 0L |> refuses "convolution"
        }
    ]
