namespace Curvature.FSharp

open System.IO
open Curvature

/// The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): colour images of 32 × 32 pixels with their classes.
[<RequireQualifiedAccess>]
module Cifar =

    let private pixels = 3 * 32 * 32

    let private read (labels: int list) (kept: int) (dtype: DType) (path: string) : Tensor * Tensor =
        if dtype = DType.Int32 then
            raise (DTypeException "cifar: images are Float32 or Float64, and Int32 was asked for")

        let bytes =
            DataFile.read path (fun stream ->
                use buffer = new MemoryStream()
                stream.CopyTo buffer
                buffer.ToArray())

        let record = labels.Length + pixels

        if bytes.Length = 0 || bytes.Length % record <> 0 then
            raise (
                DataException
                    $"{path} has {bytes.Length} bytes, and CIFAR files have a multiple of {record} from {record} on"
            )

        let images = bytes.Length / record

        for image in 0 .. images - 1 do
            labels
            |> List.iteri (fun place classes ->
                let label = int bytes[image * record + place]

                if label >= classes then
                    raise (DataException $"{path}: label {label} of image {image} is not one of 0 … {classes - 1}"))

        let values =
            Array.init (images * pixels) (fun i ->
                float bytes[i / pixels * record + labels.Length + i % pixels] / 255.0)

        let classes = Array.init images (fun image -> int bytes[image * record + kept])
        Tensor.convert dtype (Tensor.ofArray [ images; 3; 32; 32 ] values), Tensor.ofIndices [ images ] classes

    /// The images of a CIFAR-10 file, [images; 3; 32; 32] with numbers from 0 to 1, and their classes, Int32 [images], from 0 to 9. The file
    /// may be compressed by gzip. Raises DataException for a file that is not there, empty, cut off, or not CIFAR-10.
    let read10 (dtype: DType) (path: string) : Tensor * Tensor = read [ 10 ] 0 dtype path

    /// The images of a CIFAR-100 file, [images; 3; 32; 32] with numbers from 0 to 1, and their fine classes, Int32 [images], from 0 to 99.
    /// The file may be compressed by gzip. Raises DataException for a file that is not there, empty, cut off, or not CIFAR-100.
    let read100 (dtype: DType) (path: string) : Tensor * Tensor = read [ 20; 100 ] 1 dtype path
