module Curvature.Tests.Unit.SafetensorsTests

open System
open System.Buffers.Binary
open System.IO
open System.Text
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The bytes of numbers.
let private little (values: 'T[]) : byte[] =
    let bytes = Array.zeroCreate<byte>(Buffer.ByteLength values)
    Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length)
    bytes

/// A file of a header and the bytes behind it.
let private file (header: string) (data: byte[]) =
    let text = Encoding.UTF8.GetBytes header
    let length = Array.zeroCreate<byte> 8
    BinaryPrimitives.WriteInt64LittleEndian(length.AsSpan(), int64 text.Length)
    Array.concat [ length; text; data ]

let private parse (bytes: byte[]) = Safetensors.readStream ReadLimits.Default "test" (new MemoryStream(bytes))

let private entry dtype (shape: int list) first last =
    let lengths = String.Join(",", shape)
    $"{{\"dtype\":\"{dtype}\",\"shape\":[{lengths}],\"data_offsets\":[{first},{last}]}}"

/// A header of entries under names.
let private header (entries: (string * string) list) =
    let members = entries |> List.map (fun (name, entry) -> $"\"{name}\":{entry}")
    "{" + String.Join(",", members) + "}"

let private single dtype shape (data: byte[]) =
    snd (parse (file (header [ "t", entry dtype shape 0 data.Length ]) data)).Head

let private refused fragments bytes =
    Expect.error<DataException> ("test" :: fragments) (fun () -> parse bytes |> ignore)

[<Tests>]
let tests =
    testList "Unit.SafetensorsTests" [
        test "every element type is read" {
            let values (t: Tensor) = List.ofArray (t.ToArray())

            let check dtype (data: byte[]) shape expected =
                let t = single dtype shape data
                Expect.isTrue $"{dtype}: {t}" (List.ofArray t.Shape = shape && values t = expected)
                t.DType

            let float32s = little [| 1.5f; -2.25f |]
            let float64s = little [| 0.1; -3.0 |]
            let halves = [| 0x00uy; 0x3Euy; 0x00uy; 0xC0uy |]
            let brains = [| 0xC0uy; 0x3Fuy; 0x00uy; 0xC0uy |]
            Expect.isTrue "F32" (check "F32" float32s [ 2; 1 ] [ 1.5; -2.25 ] = DType.Float32)
            Expect.isTrue "F64" (check "F64" float64s [ 2 ] [ 0.1; -3.0 ] = DType.Float64)
            Expect.isTrue "F16" (check "F16" halves [ 2 ] [ 1.5; -2.0 ] = DType.Float32)
            Expect.isTrue "BF16" (check "BF16" brains [ 2 ] [ 1.5; -2.0 ] = DType.Float32)

            for dtype, data, expected in
                [
                    "I64", little [| -5L; 7L |], [ -5.0; 7.0 ]
                    "I32", little [| -5; 7 |], [ -5.0; 7.0 ]
                    "U32", little [| 5u; 7u |], [ 5.0; 7.0 ]
                    "I16", little [| -5s; 7s |], [ -5.0; 7.0 ]
                    "U16", little [| 65535us; 7us |], [ 65535.0; 7.0 ]
                    "I8", [| 0xFFuy; 7uy |], [ -1.0; 7.0 ]
                    "U8", [| 0xFFuy; 7uy |], [ 255.0; 7.0 ]
                    "BOOL", [| 0uy; 1uy |], [ 0.0; 1.0 ]
                ] do
                Expect.isTrue dtype (check dtype data [ 2 ] expected = DType.Int32)
        }

        test "scalars, empty tensors, metadata and any order of names are allowed" {
            let header =
                header [
                    "b", entry "F32" [] 4 8
                    "__metadata__", "{\"format\":\"pt\"}"
                    "a", entry "I32" [ 1 ] 0 4
                    "e", entry "F64" [ 3; 0 ] 4 4
                ]
                + "   "

            let tensors = parse (file header [| 9uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0x80uy; 0x3Fuy |])
            Expect.isTrue $"{tensors}" (List.map fst tensors = [ "a"; "e"; "b" ])
            let named = Map.ofList tensors
            Expect.tensor 0.0 [ 1 ] [ 9 ] named["a"]
            Expect.tensor 0.0 [] [ 1.0 ] named["b"]
            Expect.tensor 0.0 [ 3; 0 ] [] named["e"]
            Expect.isTrue "no tensors at all" (parse (file "{}" [||]) = [])
        }

        test "what is written is read again" {
            let tensors =
                [
                    "weights", Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 3; 4 ] |> Tensor.transpose
                    "exact", Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 5 ]
                    "índices \"quoted\"", Tensor.ofIndices [ 2; 1 ] [| -7; 8 |]
                    "nothing", Tensor.zeros DType.Float32 [ 0; 2 ]
                    "number", Tensor.scalar DType.Float64 0.1
                ]

            let path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.safetensors")

            try
                Safetensors.write path tensors
                let again = Safetensors.read path
                Expect.isTrue $"{again}" (List.map fst again |> List.sort = (List.map fst tensors |> List.sort))

                for name, tensor in tensors do
                    let copy = again |> List.find (fst >> (=) name) |> snd
                    Expect.isTrue name (copy.DType = tensor.DType && copy.Shape = tensor.Shape)
                    Expect.sameBits tensor copy
            finally
                File.Delete path

            Expect.error<ParameterException> [ "twice" ] (fun () ->
                let t = Tensor.scalar DType.Float64 0.0
                Safetensors.writeStream (new MemoryStream()) [ "twice", t; "twice", t ])

            Expect.error<DataException> [ "no/such/folder" ] (fun () -> Safetensors.write "no/such/folder/x" tensors)
            Expect.error<DataException> [ "no/such/file" ] (fun () -> Safetensors.read "no/such/file" |> ignore)
        }

        test "files that are cut off or lie are refused, and say why" {
            let data = Array.zeroCreate<byte> 8
            let one dtype shape first last = file (header [ "t", entry dtype shape first last ]) data
            refused [ "length of the header"; "ends after 3" ] [| 1uy; 2uy; 3uy |]
            refused [ "header" ] [| 100uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0x7Buy |]
            refused [ "100000000" ] (Array.create 16 0x7Fuy)
            refused [ "18446744073709551615" ] (Array.create 16 0xFFuy)
            refused [ "JSON" ] (file "{\"t\":" data)
            refused [ "object" ] (file "[1]" data)
            refused [ "\"t\""; "no dtype" ] (file "{\"t\":{\"shape\":[],\"data_offsets\":[0,8]}}" data)
            refused [ "\"t\""; "Number" ] (file "{\"t\":3}" data)
            refused [ "\"F8_E4M3\"" ] (one "F8_E4M3" [ 8 ] 0 8)
            refused [ "16 bytes"; "[0; 8]" ] (one "F32" [ 4 ] 0 8)
            refused [ "8 bytes"; "[8; 0]" ] (one "F32" [ 2 ] 8 0)
            refused [ "begins at byte 4" ] (one "F32" [ 1 ] 4 8)
            refused [ "behind the last" ] (one "F32" [ 1 ] 0 4)
            refused [ "ends after 8" ] (one "F32" [ 3 ] 0 12)
            refused [ "shape"; "-1" ] (one "F32" [ -1; -2 ] 0 8)
            refused [ "shape"; "1.5" ] (file "{\"t\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,8]}}" data)
            refused [ "more than a tensor holds" ] (one "F32" [ 65536; 65536 ] 0 8)
            refused [ "two tensors" ] (file (header [ "t", entry "F32" [ 1 ] 0 4; "t", entry "F32" [ 1 ] 4 8 ]) data)

            refused
                [ "\"u\""; "begins at byte 2"; "ends at 4" ]
                (file (header [ "t", entry "F32" [ 1 ] 0 4; "u", entry "F32" [ 1 ] 2 6 ]) data)

            refused
                [ "element 1"; "4294967296" ]
                (file (header [ "t", entry "I64" [ 2 ] 0 16 ]) (little [| 1L; 4294967296L |]))
        }

        test "CIFAR files are read, and those that are not are refused" {
            let path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.bin")

            let readOf (read: DType -> string -> Tensor * Tensor) (bytes: byte[]) =
                File.WriteAllBytes(path, bytes)
                read DType.Float64 path

            try
                let pixels offset = Array.init 3072 (fun i -> byte ((i * 7 + offset) % 256))
                let images, labels = readOf Cifar.read10 (Array.concat [ [| 3uy |]; pixels 0; [| 9uy |]; pixels 5 ])
                Expect.isTrue $"%A{images.Shape}" (images.Shape = [| 2; 3; 32; 32 |])
                Expect.tensor 0.0 [ 2 ] [ 3; 9 ] labels

                Expect.close
                    0.0
                    (Array.append (pixels 0) (pixels 5) |> Array.map (fun b -> float b / 255.0))
                    (images.ToArray())

                let _, fine = readOf Cifar.read100 (Array.concat [ [| 19uy; 77uy |]; pixels 1 ])
                Expect.tensor 0.0 [ 1 ] [ 77 ] fine

                let refused fragments read bytes =
                    Expect.error<DataException> (path :: fragments) (fun () -> readOf read bytes |> ignore)

                refused [ "0 bytes"; "3073" ] Cifar.read10 [||]
                refused [ "3072 bytes" ] Cifar.read10 (pixels 0)

                refused
                    [ "label 10"; "image 1" ]
                    Cifar.read10
                    (Array.concat [ [| 3uy |]; pixels 0; [| 10uy |]; pixels 5 ])

                refused [ "label 100" ] Cifar.read100 (Array.concat [ [| 3uy; 100uy |]; pixels 0 ])
                Expect.error<DTypeException> [ "Int32" ] (fun () -> Cifar.read10 DType.Int32 path |> ignore)
            finally
                File.Delete path
        }

        test "channels of images are moved and scaled each by its own numbers" {
            let images = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 2; 2; 3; 1 ]
            let scaled = Scaling.channels [ 1.0; -2.0 ] [ 2.0; 0.5 ] images

            let expected =
                images.ToArray() |> Array.mapi (fun i x -> if i / 3 % 2 = 0 then (x - 1.0) / 2.0 else (x + 2.0) / 0.5)

            Expect.tensor 1e-15 [ 2; 2; 3; 1 ] expected scaled

            Expect.error<ShapeException> [ "1 means"; "[2; 2; 3; 1]" ] (fun () ->
                Scaling.channels [ 1.0 ] [ 2.0; 0.5 ] images |> ignore)

            Expect.error<ArgumentRangeException> [ "0" ] (fun () ->
                Scaling.channels [ 1.0; 2.0 ] [ 2.0; 0.0 ] images |> ignore)
        }
    ]
