/// The arithmetic of windows, with sizes, strides, dilations and paddings up to the largest Int32, against BigInteger.
module Curvature.Tests.Unit.Kernels.GeometryTests

open System
open System.Numerics
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests
open Curvature.Tests.Unit.Kernels.Support

let private most = BigInteger Int32.MaxValue

/// What an axis comes to, in exact arithmetic.
type private Exact(axis: WindowAxis) =
    let big (x: int) = BigInteger x
    let span = (big axis.Kernel - BigInteger.One) * big axis.Dilation + BigInteger.One
    let padded = big axis.Input + big axis.Before + big axis.After

    member _.Span = span
    member _.Padded = padded

    /// 0 where no window fits.
    member _.Output =
        if padded < span then
            BigInteger.Zero
        else
            (padded - span) / big axis.Stride + BigInteger.One

    member _.IsAddressable = span <= most && padded <= most

    /// The input that element k of window o reads, if there is one.
    member _.Reads (o: int) (k: int) : int option =
        let position = big o * big axis.Stride + big k * big axis.Dilation - big axis.Before

        if position >= BigInteger.Zero && position < big axis.Input then
            Some(int position)
        else
            None

/// A number up to the largest Int32: mostly small, sometimes near a power of two or the end.
let private number (random: Random) least =
    match random.Next 6 with
    | 0 -> random.Next(least, Int32.MaxValue)
    | 1 -> Int32.MaxValue - random.Next 3
    | 2 -> (1 <<< random.Next(8, 31)) - random.Next 2
    | _ -> random.Next(least, 8)

let private randomAxis (random: Random) =
    let small least = random.Next(least, 6)

    match random.Next 3 with
    // Few elements, far apart: what is accepted can be computed.
    | 0 -> WindowAxis(1 + small 0, small 1, number random 1, number random 0 / 2, number random 0 / 2, number random 1)
    | 1 -> WindowAxis(number random 0, number random 1, small 1, small 0, small 0, number random 1)
    | _ ->
        WindowAxis(number random 0, number random 1, number random 1, number random 0, number random 0, number random 1)

let private attempt (make: unit -> Kernel) =
    try
        Ok(make ())
    with :? DescriptionException as error ->
        Error error.Message

/// Sums over the windows of one row of an image, in exact index arithmetic.
let private sums (axis: WindowAxis) adjoint (data: float[]) =
    let exact = Exact axis
    let outputs = int exact.Output
    let result = Array.zeroCreate (if adjoint then axis.Input else outputs)

    for o in 0 .. outputs - 1 do
        for k in 0 .. axis.Kernel - 1 do
            match exact.Reads o k with
            | Some i when adjoint -> result[i] <- result[i] + data[o]
            | Some i -> result[o] <- result[o] + data[i]
            | None -> ()

    result

let private unit = WindowAxis(1, 1)

/// Runs a pooling kernel of one row; what it must come to is known.
let private compare (device: Device) (axis: WindowAxis) adjoint (kernel: Kernel) =
    let length = if adjoint then int (Exact axis).Output else axis.Input
    let data = Array.init length (fun i -> float (i + 1))
    let expected = sums axis adjoint data
    let source, target = upload device data, upload device (Array.create expected.Length 7.0)
    run device kernel [ source; target ]
    holds $"{axis}, adjoint {adjoint}" (download<float> device expected.Length target = expected)

[<Tests>]
let tests =
    testList "Unit.Kernels.GeometryTests" [
        testCase
            "descriptions of windows are accepted where exact arithmetic says that they fit, and then they are right"
            (fun () ->
                let random = Random 20
                let device = devices[0]
                let mutable accepted, refused, computed = 0, 0, 0

                for _ in 1..4000 do
                    let axis = randomAxis random
                    let exact = Exact axis
                    same (string exact.Span) (string axis.Span)
                    same (string exact.Padded) (string axis.Padded)
                    let fits = exact.IsAddressable && exact.Output <= most
                    // What is large and valid would take memory and time to describe; its arithmetic has been compared.
                    let isSmall =
                        axis.Kernel <= 10000 && exact.Output <= BigInteger 10000 && min axis.Stride axis.Input <= 10000

                    if fits then same (string exact.Output) (string axis.Output)

                    if isSmall || not fits then
                        for adjoint in [ false; true ] do
                            for place in [ 0; 1 ] do
                                let height, width = if place = 0 then axis, unit else unit, axis
                                let sizes = WindowSizes(1, height, width, 1)

                                let sum =
                                    WindowSumDescription(DType.Float64, sizes, adjoint, Place(0, 0L), Place(1, 0L))

                                let made = attempt (fun () -> device.SumWindows sum)
                                holds $"{axis}: sums were {made}" (made.IsOk = fits)

                                match made with
                                | Ok kernel when axis.Input <= 10000 ->
                                    computed <- computed + 1
                                    compare device axis adjoint kernel
                                | _ -> ()

                        let sizes = WindowSizes(1, axis, unit, 1)
                        let maximum = WindowMaximumDescription(DType.Float64, sizes, Place(0, 0L), Place(1, 0L))
                        let made = attempt (fun () -> device.MaximumOfWindows maximum)

                        let isReached =
                            fits
                            && seq { 0 .. int exact.Output - 1 }
                               |> Seq.forall (fun o ->
                                   seq { 0 .. axis.Kernel - 1 } |> Seq.exists (fun k -> (exact.Reads o k).IsSome))

                        holds $"{axis}: maxima were {made}" (made.IsOk = isReached)
                        if fits then accepted <- accepted + 1 else refused <- refused + 1

                stdout.WriteLine $"{accepted} accepted, {refused} refused, {computed} computed"
                holds "too few cases of one kind" (accepted > 300 && refused > 300 && computed > 1000))

        testCase "convolutions are accepted only where exact arithmetic says that they fit" (fun () ->
            let random = Random 21
            let device = devices[0]
            let mutable accepted, refused = 0, 0

            for _ in 1..2000 do
                let height, width = randomAxis random, randomAxis random
                let exact = [ Exact height; Exact width ]

                let product (sizes: BigInteger list) =
                    List.fold (fun p (n: BigInteger) -> p * max BigInteger.One n) BigInteger.One sizes

                let big (n: int) = BigInteger n
                let channels, filters = 2, 3

                let fits =
                    exact |> List.forall _.IsAddressable
                    && product [ big height.Input; big width.Input; big channels ] <= most
                    && product [ exact[0].Output; exact[1].Output; big filters ] <= most
                    && product [ big height.Kernel; big width.Kernel; big channels; big filters ] <= most

                let isSmall =
                    [ height; width ]
                    |> List.forall (fun axis ->
                        axis.Kernel <= 300
                        && min axis.Stride axis.Input <= 100
                        && (Exact axis).Output <= BigInteger 10000)

                if not fits || isSmall then
                    for form in Enum.GetValues<ConvolutionForm>() do
                        let convolution =
                            let place slot = RepeatedPlace(Place(slot, 0L))
                            let sizes = ConvolutionSizes(1, height, width, channels, filters)
                            ConvolutionDescription(DType.Float64, sizes, place 0, place 1, place 2)

                        match attempt (fun () -> device.Convolve(convolution, form)) with
                        | Ok _ ->
                            accepted <- accepted + 1
                            holds $"accepted: {height}, {width}" fits
                        | Error message ->
                            refused <- refused + 1
                            holds $"{message} for {height}, {width}" (not fits || message.Contains "scratch memory")

            stdout.WriteLine $"{accepted} accepted, {refused} refused"
            holds "too few cases of one kind" (accepted > 200 && refused > 200))

        testCase
            "images are pooled, convolved and padded where windows fit, and refused with a ShapeException elsewhere"
            (fun () ->
                let random = Random 22
                let mutable accepted, refused = 0, 0

                for _ in 1..2000 do
                    let axis = randomAxis random

                    if axis.Input > 0 && axis.Input <= 100 && axis.Kernel <= 100 then
                        let exact = Exact axis
                        let output = exact.Output
                        let fits = exact.Padded <= most && output >= BigInteger.One

                        let sliding =
                            Sliding.Default
                                .WithStride(axis.Stride, 1)
                                .WithPadding(axis.Before, axis.After, 0, 0)
                                .WithDilation(axis.Dilation, 1)

                        let images = Tensor.ones DType.Float64 [ 1; axis.Input; 1; 1 ]
                        let filters = Tensor.ones DType.Float64 [ axis.Kernel; 1; 1; 1 ]

                        if not fits then
                            refused <- refused + 1

                            Expect.raises<ShapeException> [] (fun () ->
                                Nhwc.averagePool2d (axis.Kernel, 1) sliding images)

                            Expect.raises<ShapeException> [] (fun () -> Nhwc.maxPool2d (axis.Kernel, 1) sliding images)
                            Expect.raises<ShapeException> [] (fun () -> Nhwc.conv2d sliding filters images)
                        elif output <= BigInteger 10000 then
                            accepted <- accepted + 1
                            let expected = sums axis false (Array.create axis.Input 1.0)
                            let shape = [ 1; int output; 1; 1 ]
                            let means = expected |> Array.map (fun sum -> sum / float axis.Kernel)
                            Expect.tensor 1e-14 shape means (Nhwc.averagePool2d (axis.Kernel, 1) sliding images)
                            Expect.tensor 1e-14 shape expected (Nhwc.conv2d sliding filters images)

                holds $"{accepted} accepted, {refused} refused" (accepted > 100 && refused > 100)
                let rows = Tensor.ones DType.Float64 [ 1; 2; 2; 1 ]
                let huge = Int32.MaxValue
                Expect.raises<ShapeException> [ "pad" ] (fun () -> Nhwc.pad (huge, 0, 0, 0) rows)
                Expect.raises<ShapeException> [ "pad" ] (fun () -> Nhwc.pad (0, 0, huge, huge) rows)
                Expect.raises<ShapeException> [ "pad" ] (fun () -> Tensor.pad 0 huge huge rows))

        test "shapes that overflow are refused by kernels and tensors" {
            let device = devices[0]
            let shape = [| 1 <<< 20; 1 <<< 20; 1 <<< 20; 1 <<< 20 |]
            let operand = Operand(0, 0L, [| 0; 0; 0; 0 |])
            let copy () = device.Copy(CopyDescription(DType.Float64, DType.Float64, shape, operand, operand)) |> ignore
            copy |> refuses "Shape"
            Expect.raises<ShapeException> [ "elements" ] (fun () -> Tensor.zeros DType.Float64 (List.ofArray shape))

            Expect.error<DeviceMemoryException> [ string Int64.MaxValue ] (fun () ->
                device.Allocate Int64.MaxValue |> ignore)
        }
    ]
