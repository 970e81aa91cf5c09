namespace Curvature.FSharp

open System.Buffers.Binary
open System.IO
open Curvature

/// The IDX format of MNIST: a number that tells element type and number of axes, their lengths, then the elements, all
/// with the most significant byte first.
[<RequireQualifiedAccess>]
module Idx =

    let private kinds =
        Map
            [
                0x08uy, ElementType.UInt8
                0x09uy, ElementType.Int8
                0x0Buy, ElementType.Int16
                0x0Cuy, ElementType.Int32
                0x0Duy, ElementType.Float32
                0x0Euy, ElementType.Float64
            ]

    /// Element type, lengths of the axes, and the bytes of the elements.
    let private parse (reading: Reading) (stream: Stream) : ElementType * int64[] * byte[] =
        let name = reading.Name
        let start = DataFile.readBytes reading "the beginning" 4L stream

        if start[0] <> 0uy || start[1] <> 0uy || not (kinds.ContainsKey start[2]) then
            Fail.data (
                $"{name}: an IDX file begins with two zeros and an element type, and this one with {start[0]}, "
                + $"{start[1]}, {start[2]}"
            )

        let kind = kinds[start[2]]

        let lengths =
            Array.init (int start[3]) (fun _ ->
                DataFile.readBytes reading "the length of an axis" 4L stream
                |> BinaryPrimitives.ReadUInt32BigEndian
                |> int64)

        let count = Elements.count name "the array" lengths
        let bytes = DataFile.readBytes reading "the array" (int64 count * int64 kind.Size) stream
        DataFile.requireEnd reading "the array" stream
        kind, lengths, bytes

    let private tensor (reading: Reading) (stream: Stream) : Tensor =
        let kind, lengths, bytes = parse reading stream
        Elements.toTensor reading "the array" kind true (lengths |> Array.map int |> List.ofArray) bytes

    /// The array of a stream that can seek; the name is for messages.
    let readStream (limits: ReadLimits) (name: string) (stream: Stream) : Tensor =
        let reading = Reading(name, limits)
        DataFile.readStream reading stream (tensor reading)

    /// The array of a file, plain or gzip: Float32, Float64, or Int32 for whole numbers.
    /// Raises DataException where the file is missing, not what the format asks for, or exceeds the limits.
    let readWith (limits: ReadLimits) (path: string) : Tensor = DataFile.read limits path tensor

    /// The array of a file, plain or gzip, within the default limits.
    let read (path: string) : Tensor = readWith ReadLimits.Default path

    /// Images [count; height; width] and their labels [count] of 8 bits each, from two files such as
    /// train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz. Raises DataException where these are missing, broken,
    /// exceed the limits, which are for each of the two, or do not belong together.
    let imagesWith (limits: ReadLimits) (imagesPath: string) (labelsPath: string) : ImageSet =
        let bytes path axes =
            match DataFile.read limits path parse with
            | ElementType.UInt8, lengths, bytes when lengths.Length = axes -> lengths, bytes
            | kind, lengths, _ ->
                Fail.data $"{path}: bytes along {axes} axes are needed, and these are {kind} along {lengths.Length}"

        let lengths, pixels = bytes imagesPath 3
        let _, labels = bytes labelsPath 1

        if int64 labels.Length <> lengths[0] then
            Fail.data $"{imagesPath} has {lengths[0]} images, and {labelsPath} has {labels.Length} labels"

        ImageSet(pixels, labels |> Array.map int, 1, int lengths[1], int lengths[2])

    /// Images and their labels from two files, within the default limits.
    let images (imagesPath: string) (labelsPath: string) : ImageSet =
        imagesWith ReadLimits.Default imagesPath labelsPath
