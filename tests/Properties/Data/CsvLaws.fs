module Curvature.Tests.Properties.CsvLaws

open System
open System.Globalization
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open Expecto.Flip
open FsCheck
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private read (bytes: byte[]) =
    use stream = new MemoryStream(bytes)
    Csv.readStream CsvOptions.Default "table.csv" stream

let private zip (bytes: byte[]) =
    use packed = new MemoryStream()

    (use stream = new GZipStream(packed, CompressionMode.Compress, true)
     stream.Write(ReadOnlySpan bytes))

    packed.ToArray()

[<Tests>]
let tests =
    testList "Properties.CsvLaws" [
        law
            "numbers that were written are read with the same bits"
            (fun (rows: NonEmptyArray<NormalFloat * NormalFloat * byte>) ->
                let number (NormalFloat value) = value.ToString("R", CultureInfo.InvariantCulture)
                let line (a, b, label: byte) = $"{number a},{number b},{label}\n"
                let data = read (Encoding.UTF8.GetBytes(rows.Get |> Array.map line |> String.concat ""))

                let expected =
                    [|
                        for NormalFloat a, NormalFloat b, _ in rows.Get do
                            yield! [ a; b ]
                    |]

                Expect.sameBits (Tensor.ofArray [ rows.Get.Length; 2 ] expected) data.Inputs
                let labels = [| for _, _, label in rows.Get -> int label |]
                Expect.isTrue "labels" (data.Labels.ToInt32Array() = labels))

        test "ten thousand damaged tables are read or refused" {
            let table = "width,height,class\n1.5,\"2\",0\n-3e-2,4.25,1\n\n+7,8,2\n" |> Encoding.UTF8.GetBytes

            Mutation.survives 10_000 2024 [ table; zip table ] (fun stream ->
                Csv.readStream CsvOptions.Default "table.csv" stream |> ignore)
        }
    ]
