namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Images of one size with 8 bits a channel, each with a class. Immutable; the pixels stay bytes until they are asked
/// for, so that a set takes an eighth of the memory of its numbers in Float64.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ImageSet internal (pixels: byte[], labels: int[], channels: int, height: int, width: int) =
    let pixelsPerImage = channels * height * width

    let check (number: int) =
        if number < 0 || number >= labels.Length then
            Fail.range $"image {number} is not among the {labels.Length} that there are"

    let single = lazy (Array.init 256 (fun value -> float32 value / 255.0f))
    let double = lazy (Array.init 256 (fun value -> float value / 255.0))

    /// The number of images.
    member _.Count = labels.Length

    /// The number of channels, such as 3 for red, green and blue.
    member _.Channels = channels

    /// Pixels from top to bottom.
    member _.Height = height

    /// Pixels from left to right.
    member _.Width = width

    /// The class of each image, Int32 [count].
    member _.Labels: Tensor = Tensor.ofIndices [ labels.Length ] labels

    /// The images from `first` on, so many of them. Raises ArgumentRangeException where these are not there.
    member _.Slice(first: int, count: int) : ImageSet =
        if first < 0 || count < 0 || first > labels.Length - count then
            Fail.range $"{count} images from number {first} on are not among the {labels.Length} that there are"

        let part = pixels[first * pixelsPerImage .. (first + count) * pixelsPerImage - 1]
        ImageSet(part, labels[first .. first + count - 1], channels, height, width)

    /// The images in an order, or some of them, by number. Raises ArgumentRangeException for a number that is not
    /// there.
    member _.Pick(numbers: int[]) : ImageSet =
        Array.iter check numbers
        let part = Array.zeroCreate<byte>(numbers.Length * pixelsPerImage)

        numbers
        |> Array.iteri (fun place number ->
            System.Array.Copy(pixels, number * pixelsPerImage, part, place * pixelsPerImage, pixelsPerImage))

        ImageSet(part, numbers |> Array.map (fun number -> labels[number]), channels, height, width)

    /// All images as one tensor [count; channels; height; width] of numbers from 0 (black) to 1, Float32 or Float64.
    /// Raises DTypeException for Int32.
    member _.ToTensor(dtype: DType) : Tensor =
        let shape = [ labels.Length; channels; height; width ]

        match dtype with
        | DType.Float64 ->
            let values = double.Value
            pixels |> Array.map (fun pixel -> values[int pixel]) |> Tensor.ofArray shape
        | DType.Float32 ->
            let values = single.Value
            pixels |> Array.map (fun pixel -> values[int pixel]) |> Tensor.ofSingleArray shape
        | other -> Fail.dtype $"images are numbers from 0 to 1, Float32 or Float64, and {other} was asked for"

    member internal _.Parts = struct (pixels, labels)

    override _.ToString() =
        let images, parts = FSharp.Describe.count labels.Length "image", FSharp.Describe.count channels "channel"
        $"{images} of {height}×{width} pixels in {parts}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Sets of images.
[<RequireQualifiedAccess>]
module ImageSet =

    /// Images of channels × height × width bytes, one image after the other, each channel row by row, and the class of
    /// each.
    /// Raises ArgumentRangeException for a size below 1, DataException where bytes and classes do not go together or a
    /// class is negative.
    let create (channels: int, height: int, width: int) (labels: int[]) (pixels: byte[]) : ImageSet =
        if channels < 1 || height < 1 || width < 1 then
            Fail.range
                $"images: channels, height and width are at least 1, and they are {channels}, {height} and {width}"

        let expected = int64 labels.Length * int64 channels * int64 height * int64 width

        if int64 pixels.Length <> expected then
            Fail.data (
                $"images: {labels.Length} images of {channels}×{height}×{width} have {expected} bytes, and there are "
                + $"{pixels.Length}"
            )

        match labels |> Array.tryFindIndex (fun label -> label < 0) with
        | Some image -> Fail.data $"images: label {labels[image]} of image {image} is negative"
        | None -> ()

        ImageSet(Array.copy pixels, Array.copy labels, channels, height, width)

    /// The images of several sets one after the other, such as those of the five files of CIFAR-10. Raises
    /// DataException for no sets, and ShapeException where images differ in size.
    let concat (sets: ImageSet seq) : ImageSet =
        let sets = List.ofSeq sets

        match sets with
        | [] -> Fail.data "images: there are no sets to put together"
        | first :: _ ->
            let size (set: ImageSet) = struct (set.Channels, set.Height, set.Width)

            for set in sets do
                if size set <> size first then
                    Fail.shape $"images: {set} do not go with {first}"

            let pixels = [ for set in sets -> (let struct (pixels, _) = set.Parts in pixels) ]
            let labels = [ for set in sets -> (let struct (_, labels) = set.Parts in labels) ]
            ImageSet(Array.concat pixels, Array.concat labels, first.Channels, first.Height, first.Width)
