namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009), plain or compressed by gzip: colour images of 32 × 32 pixels with their
/// classes.
[<RequireQualifiedAccess>]
module Cifar =

    let private pixels = 3 * 32 * 32

    /// Records that begin with a label for each of the limits, of which the last is the class.
    let private parse (limits: int list) (name: string) (stream: Stream) : ImageSet =
        let length = limits.Length + pixels
        use images = new MemoryStream()
        let labels = ResizeArray<int>()
        let record = Array.zeroCreate<byte> length
        let next () = stream.ReadAtLeast(Span record, length, false)
        let mutable got = next ()

        while got = length do
            limits
            |> List.iteri (fun place classes ->
                let label = int record[place]

                if label >= classes then
                    raise (
                        DataException $"{name}: label {label} of image {labels.Count} is not one of 0 … {classes - 1}"
                    ))

            labels.Add(int record[limits.Length - 1])
            images.Write(record, limits.Length, pixels)
            got <- next ()

        if got > 0 || labels.Count = 0 then
            let bytes = int64 labels.Count * int64 length + int64 got

            raise (
                DataException $"{name} has {bytes} bytes, and CIFAR files have a multiple of {length} from {length} on"
            )

        ImageSet(images.ToArray(), labels.ToArray(), 3, 32, 32)

    let private tensors (read: string -> ImageSet) (dtype: DType) (path: string) : Tensor * Tensor =
        if dtype = DType.Int32 then
            raise (DTypeException "cifar: images are Float32 or Float64, and Int32 was asked for")

        let images = read path
        images.ToTensor dtype, images.Labels

    /// The images of a CIFAR-10 file such as data_batch_1.bin, as bytes, with their classes from 0 to 9.
    /// Raises DataException for a file that is not there, empty, cut off, or not CIFAR-10.
    let images10 (path: string) : ImageSet = DataFile.read path (parse [ 10 ] path)

    /// The images of a CIFAR-100 file such as train.bin, as bytes, with their fine classes from 0 to 99.
    /// Raises DataException for a file that is not there, empty, cut off, or not CIFAR-100.
    let images100 (path: string) : ImageSet = DataFile.read path (parse [ 20; 100 ] path)

    /// The images of a CIFAR-10 stream that can seek; the name is for messages.
    let readStream10 (name: string) (stream: Stream) : ImageSet = DataFile.readStream name stream (parse [ 10 ] name)

    /// The images of a CIFAR-100 stream that can seek; the name is for messages.
    let readStream100 (name: string) (stream: Stream) : ImageSet =
        DataFile.readStream name stream (parse [ 20; 100 ] name)

    /// The images of a CIFAR-10 file, [images; 3; 32; 32] with numbers from 0 to 1, and their classes, Int32 [images], from 0 to 9.
    /// Raises DTypeException for Int32, and DataException as `images10` does.
    let read10 (dtype: DType) (path: string) : Tensor * Tensor = tensors images10 dtype path

    /// The images of a CIFAR-100 file, [images; 3; 32; 32] with numbers from 0 to 1, and their fine classes, Int32 [images], from 0 to 99.
    /// Raises DTypeException for Int32, and DataException as `images100` does.
    let read100 (dtype: DType) (path: string) : Tensor * Tensor = tensors images100 dtype path
