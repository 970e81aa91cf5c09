/// Convolutions as a direct loop computes them, and numbers to convolve.
module Curvature.Tests.Unit.Kernels.ConvolutionCases

open System
open Curvature
open Curvature.Kernels

/// Sizes of a convolution, and how many of them are computed at once.
type Case =
    {
        Images: int
        Height: WindowAxis
        Width: WindowAxis
        Channels: int
        Filters: int
        Groups: int
        Repeats: int
        /// The form that computes the array, of input, filters and output, that all repetitions share.
        Shared: ConvolutionForm option
    }

    member case.Lengths =
        [|
            case.Images * case.Height.Input * case.Width.Input * case.Channels
            case.Height.Kernel * case.Width.Kernel * (case.Channels / case.Groups) * case.Filters
            case.Images * case.Height.Output * case.Width.Output * case.Filters
        |]

let plain =
    {
        Images = 1
        Height = WindowAxis(1, 1)
        Width = WindowAxis(1, 1)
        Channels = 1
        Filters = 1
        Groups = 1
        Repeats = 1
        Shared = None
    }

let forms = Enum.GetValues<ConvolutionForm>()

/// The position, among input, filters and output, of the array that a form computes.
let place form =
    match form with
    | ConvolutionForm.InputGradient -> 0
    | ConvolutionForm.FilterGradient -> 1
    | _ -> 2

/// Elements before each array, so that offsets count.
let private offsets = [| 3; 5; 7 |]

let private steps (case: Case) =
    case.Lengths
    |> Array.mapi (fun i length ->
        match case.Shared with
        | Some shared when place shared = i -> 0
        | _ when case.Repeats = 1 -> 0
        | _ -> length + i)

let private extents (case: Case) =
    Array.map3
        (fun length step offset -> offset + length + (case.Repeats - 1) * step + 4)
        case.Lengths
        (steps case)
        offsets

let describe dtype accumulate (case: Case) =
    let step = steps case

    let place slot = RepeatedPlace(Place(slot, int64 offsets[slot]), int64 step[slot])

    ConvolutionDescription(
        dtype,
        ConvolutionSizes(case.Images, case.Height, case.Width, case.Channels, case.Filters, case.Groups),
        place 0,
        place 1,
        place 2,
        accumulate,
        case.Repeats
    )

/// Calls back with the places in input, filters and output of every product of a convolution.
let private products (case: Case) (action: int -> int -> int -> unit) =
    let perGroup, filtersPerGroup = case.Channels / case.Groups, case.Filters / case.Groups
    let height, width = case.Height, case.Width
    let step = steps case

    for repeat in 0 .. case.Repeats - 1 do
        let starts = Array.map2 (fun offset step -> offset + repeat * step) offsets step

        for image in 0 .. case.Images - 1 do
            for oy in 0 .. height.Output - 1 do
                for ox in 0 .. width.Output - 1 do
                    for ky in 0 .. height.Kernel - 1 do
                        for kx in 0 .. width.Kernel - 1 do
                            let y = oy * height.Stride + ky * height.Dilation - height.Before
                            let x = ox * width.Stride + kx * width.Dilation - width.Before

                            if y >= 0 && y < height.Input && x >= 0 && x < width.Input then
                                for f in 0 .. case.Filters - 1 do
                                    for c in 0 .. perGroup - 1 do
                                        let channel = f / filtersPerGroup * perGroup + c

                                        let pixel = ((image * height.Input + y) * width.Input + x) * case.Channels
                                        let entry = ((ky * width.Kernel + kx) * perGroup + c) * case.Filters
                                        let result = ((image * height.Output + oy) * width.Output + ox) * case.Filters

                                        action
                                            (starts[0] + pixel + channel)
                                            (starts[1] + entry + f)
                                            (starts[2] + result + f)

/// Whether an element belongs to the array that is computed.
let private isComputed (case: Case) target i =
    let within = i - offsets[target]
    let length = case.Lengths[target]
    let step = max length (Array.item target (steps case))
    within >= 0 && step > 0 && within / step < case.Repeats && within % step < length

let expected (case: Case) form accumulate (data: float[][]) =
    let target = place form
    let result = data[target] |> Array.mapi (fun i x -> if isComputed case target i && not accumulate then 0.0 else x)

    products case (fun i w o ->
        match form with
        | ConvolutionForm.InputGradient -> result[i] <- result[i] + data[1][w] * data[2][o]
        | ConvolutionForm.FilterGradient -> result[w] <- result[w] + data[0][i] * data[2][o]
        | _ -> result[o] <- result[o] + data[0][i] * data[1][w])

    result

let numbers (random: Random) case =
    extents case |> Array.map (fun length -> Array.init length (fun _ -> 2.0 * random.NextDouble() - 1.0))
