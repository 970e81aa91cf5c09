module Curvature.Tests.Unit.ImageSetTests

open System
open System.IO
open System.IO.Compression
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-images-"

let private write name (bytes: byte[]) =
    let path = Path.Combine(folder, name)
    File.WriteAllBytes(path, bytes)
    path

let private zip (bytes: byte[]) =
    use packed = new MemoryStream()

    (use stream = new GZipStream(packed, CompressionMode.Compress, true)
     stream.Write(ReadOnlySpan bytes))

    packed.ToArray()

let private error fragments action = Expect.error<DataException> fragments (action >> ignore)

/// Pixel p of image i of the records below.
let private pixel i p = byte ((31 * i + p) % 256)

let private record (labels: byte list) i = [| yield! labels; yield! Array.init 3072 (pixel i) |]

/// An IDX file of bytes.
let private idx (lengths: int list) (data: byte[]) =
    [|
        0uy
        0uy
        8uy
        byte lengths.Length
        for length in lengths do
            yield! BitConverter.GetBytes length |> Array.rev
        yield! data
    |]

[<Tests>]
let tests =
    testList "Unit.ImageSetTests" [
        test "CIFAR records are a label, then planes of red, green and blue" {
            let set = Cifar.images10 (write "batch.bin" (Array.concat [ record [ 3uy ] 0; record [ 9uy ] 1 ]))
            Expect.isTrue "sizes" (set.Count = 2 && set.Channels = 3 && set.Height = 32 && set.Width = 32)
            Expect.tensor 0.0 [ 2 ] [ 3.0; 9.0 ] set.Labels

            let expected =
                [|
                    for i in 0..1 do
                        for p in 0..3071 -> float (pixel i p) / 255.0
                |]

            Expect.tensor 0.0 [ 2; 3; 32; 32 ] expected (set.ToTensor DType.Float64)
            Expect.tensor 1e-7 [ 2; 3; 32; 32 ] expected (set.ToTensor DType.Float32)
            Expect.tensor 0.0 [ 1; 3; 32; 32 ] expected[3072..] ((set.Slice(1, 1)).ToTensor DType.Float64)
            let swapped = set.Pick [| 1; 0 |]
            Expect.tensor 0.0 [ 2 ] [ 9.0; 3.0 ] swapped.Labels
            Expect.tensor 0.0 [ 1; 3; 32; 32 ] expected[..3071] ((swapped.Slice(1, 1)).ToTensor DType.Float64)
        }

        test "of the two labels of CIFAR-100 the fine one is the class" {
            let set = Cifar.images100 (write "train.bin" (record [ 19uy; 99uy ] 0))
            Expect.tensor 0.0 [ 1 ] [ 99.0 ] set.Labels

            error [ "image 0"; "label 20"; "0 … 19" ] (fun () ->
                Cifar.images100 (write "train.bin" (record [ 20uy; 0uy ] 0)))
        }

        test "a set is made of bytes and classes that go together" {
            let set = ImageSet.create (2, 1, 1) [| 4; 0; 4 |] [| 0uy; 51uy; 102uy; 153uy; 204uy; 255uy |]
            Expect.tensor 1e-15 [ 3; 2; 1; 1 ] [ 0.0; 0.2; 0.4; 0.6; 0.8; 1.0 ] (set.ToTensor DType.Float64)
            Expect.tensor 0.0 [ 3 ] [ 4; 0; 4 ] set.Labels
            let create sizes labels () = ImageSet.create sizes labels [| 1uy; 2uy |] |> ignore
            Expect.error<DataException> [ "1 images of 3×1×1"; "3 bytes"; "2" ] (create (3, 1, 1) [| 0 |])
            Expect.error<DataException> [ "label -1 of image 1" ] (create (1, 1, 1) [| 0; -1 |])
            Expect.error<ArgumentRangeException> [ "1, 0 and 1" ] (create (1, 0, 1) [||])
        }

        test "sets of one size are put together" {
            let first = ImageSet.create (1, 1, 2) [| 4 |] [| 0uy; 51uy |]
            let second = ImageSet.create (1, 1, 2) [| 0; 1 |] [| 102uy; 153uy; 204uy; 255uy |]
            let both = ImageSet.concat [ first; second ]
            Expect.tensor 1e-15 [ 3; 1; 1; 2 ] [ 0.0; 0.2; 0.4; 0.6; 0.8; 1.0 ] (both.ToTensor DType.Float64)
            Expect.tensor 0.0 [ 3 ] [ 4; 0; 1 ] both.Labels
            let other = ImageSet.create (1, 2, 1) [| 0 |] [| 1uy; 2uy |]
            Expect.error<ShapeException> [ "2×1"; "1×2" ] (fun () -> ImageSet.concat [ first; other ] |> ignore)
            Expect.error<DataException> [ "no sets" ] (fun () -> ImageSet.concat [] |> ignore)
        }

        test "CIFAR files that are not whole records of known classes are refused" {
            let whole = Array.append (record [ 3uy ] 0) (record [ 4uy ] 1)
            error [ "batch.bin"; "0 bytes"; "3073" ] (fun () -> Cifar.images10 (write "batch.bin" [||]))
            error [ "6145 bytes"; "3073" ] (fun () -> Cifar.images10 (write "batch.bin" whole[..6144]))
            let wrong = whole |> Array.updateAt 3073 10uy
            error [ "image 1"; "label 10"; "0 … 9" ] (fun () -> Cifar.images10 (write "batch.bin" wrong))
            error [ "does not exist" ] (fun () -> Cifar.images10 (Path.Combine(folder, "none.bin")))
        }

        test "images that are not there are refused" {
            let set = Cifar.images10 (write "batch.bin" (record [ 3uy ] 0))
            let error action = Expect.error<ArgumentRangeException> [ "among the 1" ] (action >> ignore)
            error (fun () -> set.Slice(0, 2))
            error (fun () -> set.Slice(-1, 1))
            error (fun () -> set.Slice(1, Int32.MaxValue))
            error (fun () -> set.Pick [| 1 |])
            Expect.error<DTypeException> [ "Int32" ] (fun () -> set.ToTensor DType.Int32 |> ignore)
        }

        test "IDX arrays of every element type are read, plain and compressed" {
            let cases =
                [
                    8uy, [| 1uy; 200uy |], [ 1.0; 200.0 ], DType.Int32
                    9uy, [| 1uy; 200uy |], [ 1.0; -56.0 ], DType.Int32
                    0x0Buy, [| 1uy; 2uy; 0xFFuy; 0xFEuy |], [ 258.0; -2.0 ], DType.Int32
                    0x0Cuy, [| 0uy; 1uy; 0uy; 0uy; 0xFFuy; 0xFFuy; 0xFFuy; 0xFFuy |], [ 65536.0; -1.0 ], DType.Int32
                    0x0Duy, [| 0x3Fuy; 0xC0uy; 0uy; 0uy; 0xC0uy; 0uy; 0uy; 0uy |], [ 1.5; -2.0 ], DType.Float32
                    0x0Euy,
                    [| 0x3Fuy; 0xF8uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0xC0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy |],
                    [ 1.5; -2.0 ],
                    DType.Float64
                ]

            for code, data, expected, dtype in cases do
                let bytes = idx [ 2; 1 ] data |> Array.updateAt 2 code

                for file in [ bytes; zip bytes ] do
                    let array = Idx.read (write "array" file)
                    Expect.tensor 0.0 [ 2; 1 ] expected array
                    Expect.isTrue $"{array.DType}" (array.DType = dtype)
        }

        test "MNIST images go with their labels" {
            let images = write "images.gz" (zip (idx [ 2; 2; 3 ] [| 0uy .. 11uy |]))
            let labels = write "labels" (idx [ 2 ] [| 7uy; 1uy |])
            let set = Idx.images images labels
            Expect.tensor 0.0 [ 2 ] [ 7.0; 1.0 ] set.Labels
            Expect.tensor 1e-15 [ 2; 1; 2; 3 ] [| for p in 0.0 .. 11.0 -> p / 255.0 |] (set.ToTensor DType.Float64)
            let three = write "three" (idx [ 3 ] [| 7uy; 1uy; 2uy |])
            error [ "images.gz has 2 images"; "three has 3 labels" ] (fun () -> Idx.images images three)
            error [ "labels"; "3 axes"; "1" ] (fun () -> Idx.images labels labels)
        }

        test "IDX files that are not what they say are refused" {
            let refuses fragments bytes = error fragments (fun () -> Idx.read (write "array" bytes))
            refuses [ "ends after 2" ] [| 0uy; 0uy |]
            refuses [ "two zeros and an element type"; "1, 0, 8" ] (idx [ 2 ] [| 1uy; 2uy |] |> Array.updateAt 0 1uy)
            refuses [ "0, 0, 10" ] (idx [ 2 ] [| 1uy; 2uy |] |> Array.updateAt 2 10uy)
            refuses [ "the array needs 3 bytes"; "ends after 2" ] (idx [ 3 ] [| 1uy; 2uy |])
            refuses [ "the array needs 3 bytes"; "ends after 2" ] (zip (idx [ 3 ] [| 1uy; 2uy |]))
            refuses [ "more bytes" ] (idx [ 1 ] [| 1uy; 2uy |])
            refuses [ "more than a tensor holds" ] (idx [ -1 ] [| 1uy |])
            refuses [ "more than a tensor holds" ] (idx [ 100000; 100000 ] [| 1uy |])
            refuses [ "the length of an axis" ] [| 0uy; 0uy; 8uy; 200uy; 0uy; 0uy |]
        }

        test "a thousand real images are read" {
            let set = Cifar.images10 (SharedData.path "data/cifar10_test_1000.bin")
            Expect.isTrue $"{set.Count}" (set.Count = 1000)
            // The first test image of CIFAR-10 is a cat, the second a ship.
            Expect.tensor 0.0 [ 2 ] [ 3.0; 8.0 ] (Tensor.slice 0 0 2 set.Labels)
        }
    ]
