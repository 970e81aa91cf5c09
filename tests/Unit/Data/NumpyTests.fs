module Curvature.Tests.Unit.NumpyTests

open System
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// An .npy file, version 1, of a header and bytes.
let private file (header: string) (data: byte[]) =
    let header = Encoding.Latin1.GetBytes header

    [|
        0x93uy
        yield! Encoding.ASCII.GetBytes "NUMPY"
        1uy
        0uy
        byte header.Length
        byte (header.Length >>> 8)
        yield! header
        yield! data
    |]

let private header descr order shape =
    $"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}          \n"

let private read (bytes: byte[]) =
    use stream = new MemoryStream(bytes)
    Numpy.readStream ReadLimits.Default "array" stream

let private refuses fragments bytes =
    Expect.error<DataException> ("array" :: fragments) (fun () -> read bytes |> ignore)

let private doubles (values: float list) = values |> List.map BitConverter.GetBytes |> Array.concat

let private zip (entries: (string * byte[]) list) =
    use packed = new MemoryStream()

    (use archive = new ZipArchive(packed, ZipArchiveMode.Create, true)

     for name, bytes in entries do
         use content = archive.CreateEntry(name).Open()
         content.Write(ReadOnlySpan bytes))

    packed.ToArray()

let private readArchive (bytes: byte[]) =
    use stream = new MemoryStream(bytes)
    Numpy.readArchiveStream ReadLimits.Default "arrays" stream

[<Tests>]
let tests =
    testList "Unit.NumpyTests" [
        test "an array has the shape, order and values that its header says" {
            let numbers = doubles [ 1.0 .. 6.0 ]
            Expect.tensor 0.0 [ 2; 3 ] [ 1.0 .. 6.0 ] (read (file (header "<f8" "False" "(2, 3)") numbers))
            Expect.tensor 0.0 [ 6 ] [ 1.0 .. 6.0 ] (read (file (header "=f8" "False" "(6,)") numbers))
            Expect.tensor 0.0 [] [ 2.5 ] (read (file (header "<f8" "False" "()") (doubles [ 2.5 ])))
            Expect.tensor 0.0 [ 0; 2 ] [] (read (file (header "<f8" "False" "(0, 2)") [||]))
            // By columns: the first axis is the fastest.
            Expect.tensor
                0.0
                [ 2; 3 ]
                [ 1.0; 3.0; 5.0; 2.0; 4.0; 6.0 ]
                (read (file (header "<f8" "True" "(2, 3)") numbers))

            let reordered = "{'shape': (6,), 'descr': '<f8', 'fortran_order': False}\n"
            Expect.tensor 0.0 [ 6 ] [ 1.0 .. 6.0 ] (read (file reordered numbers))
        }

        test "both orders of bytes are read" {
            let reversed = doubles [ 1.5; -2.0 ] |> Array.chunkBySize 8 |> Array.collect Array.rev
            Expect.tensor 0.0 [ 2 ] [ 1.5; -2.0 ] (read (file (header ">f8" "False" "(2,)") reversed))

            Expect.tensor
                0.0
                [ 2 ]
                [ 258.0; -1.0 ]
                (read (file (header ">i2" "False" "(2,)") [| 1uy; 2uy; 255uy; 255uy |]))

            Expect.tensor 0.0 [ 2 ] [ 0.0; 255.0 ] (read (file (header "|u1" "False" "(2,)") [| 0uy; 255uy |]))
            Expect.tensor 0.0 [ 2 ] [ 0.0; 1.0 ] (read (file (header "|b1" "False" "(2,)") [| 0uy; 1uy |]))
            let single = read (file (header "<f4" "False" "(1,)") (BitConverter.GetBytes 0.1f))
            Expect.isTrue $"{single.DType}" (single.DType = DType.Float32)
        }

        test "a stream that cannot seek is refused" {
            use packed = new MemoryStream(file (header "<f8" "False" "(1,)") (doubles [ 1.0 ]))
            use pipe = new GZipStream(packed, CompressionMode.Decompress)

            Expect.raises<DataException> [ "array"; "seek" ] (fun () ->
                Numpy.readStream ReadLimits.Default "array" pipe)
        }

        test "later versions have longer lengths" {
            let text = header "<f8" "False" "(1,)"
            let first = file text (doubles [ 4.0 ])
            let second = [| yield! first[..5]; 2uy; 0uy; yield! first[8..9]; 0uy; 0uy; yield! first[10..] |]
            Expect.tensor 0.0 [ 1 ] [ 4.0 ] (read second)
        }

        test "what is written is read again, with the same bits" {
            let tensors =
                [
                    "a", Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 3; 4 ] |> Tensor.transpose
                    "b", Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 7 ]
                    "c", Tensor.ofIndices [ 2; 1; 2 ] [| 1; 2; 3; -4 |]
                    "d", Tensor.scalar DType.Float64 1.25
                ]

            for _, tensor in tensors do
                use stream = new MemoryStream()
                Numpy.writeStream stream tensor
                let again = read (stream.ToArray())

                Expect.isTrue
                    "aligned"
                    ((stream.Length - int64 (tensor.Size * (if tensor.DType = DType.Float64 then 8 else 4))) % 64L = 0L)

                Expect.isTrue $"{tensor}" (again.Shape = tensor.Shape && again.DType = tensor.DType)
                Expect.sameBits tensor again

            let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.npz")

            try
                Numpy.writeArchive path tensors
                let archive = Numpy.readArchive path
                Expect.equal "List.map fst archive" (List.map fst tensors) (List.map fst archive)

                for (_, tensor), (_, again) in List.zip tensors archive do
                    Expect.sameBits tensor again
            finally
                File.Delete path
        }

        test "files that are not what they say are refused" {
            let numbers = doubles [ 1.0; 2.0 ]
            refuses [ "ends after 2" ] [| 0x93uy; byte 'N' |]
            refuses [ "not an .npy file" ] (Encoding.ASCII.GetBytes "PK\003\004 not an array")
            let whole = file (header "<f8" "False" "(2,)") numbers
            refuses [ "version 9" ] (whole |> Array.updateAt 6 9uy)
            refuses [ "the array needs 16 bytes"; "ends after 15" ] whole[.. whole.Length - 2]
            refuses [ "more bytes" ] (Array.append whole [| 0uy |])
            refuses [ "'|O'" ] (file (header "|O" "False" "(2,)") numbers)
            refuses [ "'<c16'" ] (file (header "<c16" "False" "(1,)") numbers)
            refuses [ "more than a tensor holds" ] (file (header "<f8" "False" "(99999999999,)") numbers)
            refuses [ "more than a tensor holds" ] (file (header "<f8" "False" "(65536, 65536)") numbers)
            refuses [ "not a length" ] (file (header "<f8" "False" "(99999999999999999999,)") numbers)
            refuses [ "descr, fortran_order and shape" ] (file "{'descr': '<f8'}" numbers)

            refuses
                [ "descr, fortran_order and shape" ]
                (file (header "<f8" "False" "(2,) or __import__('os')") numbers)

            refuses [ "twice" ] (file "{'descr': '<f8', 'descr': '<f8', 'shape': (2,)}" numbers)
            refuses [ "fortran_order" ] (file (header "<f8" "'x'" "(2,)") numbers)
            refuses [ "type True" ] (file "{'descr': True, 'fortran_order': False, 'shape': (2,)}" numbers)

            let long = [| yield! whole[..5]; 2uy; 0uy; 0xFFuy; 0xFFuy; 0xFFuy; 0x7Fuy |]
            refuses [ "the header is 2147483647 bytes" ] long
        }

        test "archives that are not what they say are refused" {
            let array = file (header "<f8" "False" "(1,)") (doubles [ 1.0 ])

            let refuses fragments bytes =
                Expect.error<DataException> ("arrays" :: fragments) (fun () -> readArchive bytes |> ignore)

            refuses [ "not a whole archive" ] [| 1uy; 2uy; 3uy |]
            refuses [ "notes.txt" ] (zip [ "a.npy", array; "notes.txt", [| 1uy |] ])
            refuses [ "a.npy"; "twice" ] (zip [ "a.npy", array; "a.npy", array ])
            refuses [ "b.npy"; "ends after" ] (zip [ "a.npy", array; "b.npy", array[.. array.Length - 2] ])
            let whole = zip [ "a.npy", array ]
            refuses [] whole[.. whole.Length / 2]

            Expect.error<ParameterException> [ "\"a\"" ] (fun () ->
                Numpy.writeArchive (Path.GetTempFileName()) [ "a", tensor 1.0; "a", tensor 2.0 ])
        }
    ]
