namespace Curvature.Tests.Properties

open System
open System.Globalization
open System.IO
open System.IO.Compression
open System.Text
open NUnit.Framework
open FsCheck
open FsCheck.NUnit
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Damage to files: what a reader must survive.
[<RequireQualifiedAccess>]
module Mutation =

    /// A copy with a few bytes changed, removed, repeated, or the end cut off.
    let damage (random: Random) (file: byte[]) : byte[] =
        let bytes = ResizeArray<byte> file

        for _ in 0 .. random.Next 4 do
            let place () = random.Next(max 1 bytes.Count)

            match random.Next 6 with
            | _ when bytes.Count = 0 -> bytes.Add(byte (random.Next 256))
            | 0 -> bytes[place ()] <- byte (random.Next 256)
            | 1 ->
                let i = place ()
                bytes[i] <- bytes[i] ^^^ (1uy <<< random.Next 8)
            | 2 -> bytes.RemoveAt(place ())
            | 3 -> bytes.Insert(place (), byte (random.Next 256))
            | 4 ->
                let start = place ()
                bytes.InsertRange(place (), bytes.GetRange(start, min (random.Next 12) (bytes.Count - start)))
            | _ ->
                let start = place ()
                bytes.RemoveRange(start, bytes.Count - start)

        bytes.ToArray()

    /// Reads so many damaged copies of files. Each must be read, or refused with a typed error.
    let survives (count: int) (seed: int) (files: byte[] list) (read: Stream -> unit) =
        let files = List.toArray files

        for i in 0 .. count - 1 do
            let random = Random(HashCode.Combine(seed, i))
            let file = damage random files[i % files.Length]

            try
                use stream = new MemoryStream(file)
                read stream
            with
            | :? CurvatureException -> ()
            | error ->
                Expect.fail
                    $"damaged file {i} of seed {seed}, {Convert.ToBase64String file}, ended in {error.GetType().Name}: {error.Message}"

module CsvLaws =

    let private read (bytes: byte[]) =
        use stream = new MemoryStream(bytes)
        Csv.readStream CsvOptions.Default "table.csv" stream

    let private zip (bytes: byte[]) =
        use packed = new MemoryStream()

        (use stream = new GZipStream(packed, CompressionMode.Compress, true)
         stream.Write(ReadOnlySpan bytes))

        packed.ToArray()

    [<Property>]
    let ``numbers that were written are read with the same bits``
        (rows: NonEmptyArray<NormalFloat * NormalFloat * byte>)
        =
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
        Expect.isTrue "labels" (data.Labels.ToInt32Array() = labels)

    [<Test>]
    let ``ten thousand damaged tables are read or refused`` () =
        let table = "width,height,class\n1.5,\"2\",0\n-3e-2,4.25,1\n\n+7,8,2\n" |> Encoding.UTF8.GetBytes

        Mutation.survives 10_000 2024 [ table; zip table ] (fun stream ->
            Csv.readStream CsvOptions.Default "table.csv" stream |> ignore)
