module Curvature.Tests.Properties.FormatLaws

open System
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open Expecto.Flip
open FsCheck
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private written (write: Stream -> unit) =
    use stream = new MemoryStream()
    write stream
    stream.ToArray()

let private zip (bytes: byte[]) =
    written (fun packed ->
        use stream = new GZipStream(packed, CompressionMode.Compress, true)
        stream.Write(ReadOnlySpan bytes))

let private reads reader (bytes: byte[]) =
    use stream = new MemoryStream(bytes)
    reader ReadLimits.Default "file" stream

/// Tensors of each element type with bits that depend on a seed.
let private tensors (seed: int) =
    let key = Key.OfSeed(int64 seed)
    let length i = abs (seed / (i + 1)) % 4

    [
        "single", Tensor.normal key DType.Float32 [ length 0; 3 ]
        "double", Tensor.normal key DType.Float64 [ 2; length 1; 2 ]
        "whole", Tensor.ofIndices [ length 2 ] (Array.init (length 2) (fun i -> seed + i))
        "scalar", Tensor.scalar DType.Float64 (float seed / 7.0)
    ]

let private same (expected: Tensor) (actual: Tensor) =
    Expect.isTrue "shape" (actual.Shape = expected.Shape && actual.DType = expected.DType)
    Expect.sameBits expected actual

// ---- damage
let private survives seed files read =
    Mutation.survives 10_000 seed files (fun stream -> read ReadLimits.Default "file" stream |> ignore)

// ---- files that are much larger than they look
/// Little enough for a small file, and less than what the bombs unpack to.
let private limits = ReadLimits.Default.WithBytes(1L <<< 22).WithLine(1 <<< 16).WithEntries 2000

/// Damaged copies of files, of which some unpack to much more than the limits.
let private survivesBombs seed files read =
    Mutation.survivesWithin (1L <<< 25) 2000 seed files (fun stream -> read limits "file" stream |> ignore)

let private zeros = Array.zeroCreate<byte>(1 <<< 24)

[<Tests>]
let tests =
    testList "Properties.FormatLaws" [
        law "tensors written as safetensors are read with the same bits" (fun (seed: int) ->
            let again =
                written (fun stream -> Safetensors.writeStream stream (tensors seed))
                |> reads Safetensors.readStream
                |> Map.ofList

            for name, tensor in tensors seed do
                same tensor again[name])

        law "any names are written to safetensors and read again" (fun (names: NonEmptySet<string>) ->
            let isWhole (name: string) =
                not (isNull name) && name <> "__metadata__" && not (Seq.exists Char.IsSurrogate name)

            let named =
                names.Get
                |> Set.toList
                |> List.filter isWhole
                |> List.mapi (fun i name -> name, Tensor.scalar DType.Float64 (float i))

            let again = written (fun stream -> Safetensors.writeStream stream named) |> reads Safetensors.readStream
            Expect.equal "List.map fst again" (List.map fst named) (List.map fst again))

        law "tensors written as .npy are read with the same bits" (fun (seed: int) ->
            for _, tensor in tensors seed do
                written (fun stream -> Numpy.writeStream stream tensor) |> reads Numpy.readStream |> same tensor)

        law "tensors written as .npz are read with the same names and bits" (fun (seed: int) ->
            let again =
                written (fun stream -> Numpy.writeArchiveStream stream (tensors seed)) |> reads Numpy.readArchiveStream

            for (name, tensor), (other, copy) in List.zip (tensors seed) again do
                Expect.equal "other" name other
                same tensor copy)

        test "ten thousand damaged safetensors files are read or refused" {
            let file = written (fun stream -> Safetensors.writeStream stream (tensors 11))
            survives 1000 [ file ] Safetensors.readStream
        }

        test "two thousand damaged copies of each of several .gz bombs are read or refused" {
            let idx = [| 0uy; 0uy; 8uy; 3uy; 0uy; 0uy; 1uy; 0uy; 0uy; 0uy; 1uy; 0uy; 0uy; 0uy; 1uy; 0uy |]
            survivesBombs 8000 [ zip (Array.append idx zeros) ] Idx.readStream
            survivesBombs 8100 [ zip zeros ] Cifar.readStream10
            let lines = String.replicate (1 <<< 21) "1 1 1\n"
            let matrix = "%%MatrixMarket matrix array real general\n4096 4096\n"
            let spaces = String(' ', 1 <<< 20)

            survivesBombs
                8200
                [ zip (Encoding.UTF8.GetBytes(matrix + lines)); zip (Encoding.UTF8.GetBytes(matrix + spaces)) ]
                MatrixMarket.readStream
        }

        test "two thousand damaged copies of an .npz bomb are read or refused" {
            let bomb =
                written (fun stream ->
                    Numpy.writeArchiveStream stream [
                        for i in 1..3 -> $"a{i}", Tensor.zeros DType.Float64 [ 1 <<< 18 ]
                    ])

            survivesBombs 8300 [ bomb ] Numpy.readArchiveStream
        }

        test "two thousand damaged safetensors files with long headers are read or refused" {
            let tensors = [ for i in 0..1500 -> $"tensor {i}", Tensor.zeros DType.Float32 [ i % 2 ] ]
            let many = written (fun stream -> Safetensors.writeStream stream tensors)
            survivesBombs 8400 [ many ] Safetensors.readStream
        }

        test "ten thousand damaged .npy files are read or refused" {
            let files = [ for _, tensor in tensors 11 -> written (fun stream -> Numpy.writeStream stream tensor) ]
            let fortran = Encoding.Latin1.GetString(files[1]).Replace("False", "True ") |> Encoding.Latin1.GetBytes
            survives 2000 (fortran :: files) Numpy.readStream
        }

        test "ten thousand damaged .npz files are read or refused" {
            let file = written (fun stream -> Numpy.writeArchiveStream stream (tensors 11))
            survives 3000 [ file ] Numpy.readArchiveStream
        }

        test "ten thousand damaged CIFAR files are read or refused" {
            let record label = Array.append label (Array.init 3072 byte)
            let ten = Array.append (record [| 3uy |]) (record [| 9uy |])
            survives 4000 [ ten; zip ten ] Cifar.readStream10
            survives 5000 [ record [| 3uy; 77uy |] ] Cifar.readStream100
        }

        test "ten thousand damaged IDX files are read or refused" {
            let file = [| 0uy; 0uy; 8uy; 2uy; 0uy; 0uy; 0uy; 3uy; 0uy; 0uy; 0uy; 4uy; yield! Array.init 12 byte |]
            let wide = [| 0uy; 0uy; 0x0Euy; 1uy; 0uy; 0uy; 0uy; 1uy; yield! BitConverter.GetBytes 1.5 |]
            survives 6000 [ file; wide; zip file ] Idx.readStream
        }

        test "ten thousand damaged Matrix Market files are read or refused" {
            let files =
                [
                    "%%MatrixMarket matrix coordinate real general\n% made by hand\n2 3 2\n1 1 1.5\n2 3 -2e1\n"
                    "%%MatrixMarket matrix coordinate pattern symmetric\n4 4 3\n1 1\n3 2\n4 1\n"
                    "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n"
                    "%%MatrixMarket matrix array real general\n0 2147483647\n"
                ]
                |> List.map Encoding.UTF8.GetBytes

            survives 7000 files MatrixMarket.readStream
        }
    ]
