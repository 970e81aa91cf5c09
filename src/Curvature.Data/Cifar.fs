namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009), plain or compressed by gzip: colour images of 32 × 32
/// pixels with their classes.
[<RequireQualifiedAccess>]
module Cifar =

    let private pixels = 3 * 32 * 32

    /// Records that begin with a label for each of the numbers of classes, of which the last is the class.
    let private parse (classes: int list) (reading: Reading) (stream: Stream) : ImageSet =
        let name = reading.Name
        let length = classes.Length + pixels
        use images = new MemoryStream()
        let labels = ResizeArray<int>()
        let record = Array.zeroCreate<byte> length
        let next () = stream.ReadAtLeast(Span record, length, false)
        let mutable got = next ()

        while got = length do
            classes
            |> List.iteri (fun place classes ->
                let label = int record[place]

                if label >= classes then
                    Fail.data $"{name}: label {label} of image {labels.Count} is not one of 0 … {classes - 1}")

            reading.Keep("the set of images", int64 pixels)

            if images.Length > int64 (Array.MaxLength - pixels) then
                Fail.data $"{name}: it has more images than the {labels.Count} that a set can hold"

            labels.Add(int record[classes.Length - 1])
            images.Write(record, classes.Length, pixels)
            got <- next ()

        if got > 0 || labels.Count = 0 then
            let bytes = int64 labels.Count * int64 length + int64 got

            Fail.data $"{name} has {bytes} bytes, and CIFAR files have a multiple of {length} from {length} on"

        ImageSet(images.ToArray(), labels.ToArray(), 3, 32, 32)

    let private tensors (read: string -> ImageSet) (dtype: DType) (path: string) : Tensor * Tensor =
        if dtype = DType.Int32 then
            Fail.dtype "cifar: images are Float32 or Float64, and Int32 was asked for"

        let images = read path
        images.ToTensor dtype, images.Labels

    /// The images of a CIFAR-10 file such as data_batch_1.bin, as bytes, with their classes from 0 to 9.
    /// Raises DataException for a file that is not there, empty, cut off, not CIFAR-10, or exceeds the limits.
    let images10With (limits: ReadLimits) (path: string) : ImageSet = DataFile.read limits path (parse [ 10 ])

    /// The images of a CIFAR-10 file such as data_batch_1.bin, within the default limits.
    let images10 (path: string) : ImageSet = images10With ReadLimits.Default path

    /// The images of a CIFAR-100 file such as train.bin, as bytes, with their fine classes from 0 to 99.
    /// Raises DataException for a file that is not there, empty, cut off, not CIFAR-100, or exceeds the limits.
    let images100With (limits: ReadLimits) (path: string) : ImageSet = DataFile.read limits path (parse [ 20; 100 ])

    /// The images of a CIFAR-100 file such as train.bin, within the default limits.
    let images100 (path: string) : ImageSet = images100With ReadLimits.Default path

    let private ofStream classes limits name stream =
        let reading = Reading(name, limits)
        DataFile.readStream reading stream (parse classes reading)

    /// The images of a CIFAR-10 stream that can seek; the name is for messages.
    let readStream10 (limits: ReadLimits) (name: string) (stream: Stream) : ImageSet =
        ofStream [ 10 ] limits name stream

    /// The images of a CIFAR-100 stream that can seek; the name is for messages.
    let readStream100 (limits: ReadLimits) (name: string) (stream: Stream) : ImageSet =
        ofStream [ 20; 100 ] limits name stream

    /// The images of a CIFAR-10 file, [images; 3; 32; 32] with numbers from 0 to 1, and their classes, Int32 [images],
    /// from 0 to 9.
    /// Raises DTypeException for Int32, and DataException as `images10` does.
    let read10 (dtype: DType) (path: string) : Tensor * Tensor = tensors images10 dtype path

    /// The images of a CIFAR-100 file, [images; 3; 32; 32] with numbers from 0 to 1, and their fine classes, Int32
    /// [images], from 0 to 99.
    /// Raises DTypeException for Int32, and DataException as `images100` does.
    let read100 (dtype: DType) (path: string) : Tensor * Tensor = tensors images100 dtype path
