namespace Curvature.FSharp

open System
open System.IO
open System.Security.Cryptography
open System.Text
open Curvature

/// A file of records, each with a checksum over all before it. The file only grows. So an interruption at any moment
/// leaves whole records, and perhaps a part of one, which is cut off when the file is opened again.
[<Sealed>]
type private RecordFile(path: string, about: string) =
    let magic = "CURVATURE LOG 2\n"B
    let hashSize = SHA256.HashSizeInBytes

    let hash (parts: byte[] list) : byte[] =
        use sum = IncrementalHash.CreateHash HashAlgorithmName.SHA256
        parts |> List.iter (fun part -> sum.AppendData(ReadOnlySpan part))
        sum.GetHashAndReset()

    let origin = SHA256.HashData(Encoding.UTF8.GetBytes about)

    /// The head of the file: what it is, and a checksum of what it is about.
    let head = Array.append magic origin

    let damaged what = CheckpointFile.damaged path what

    /// Whether the file has to be made: there is none, or one whose making was interrupted.
    let isUnmade () =
        if not (File.Exists path) then
            true
        elif FileInfo(path).Length >= int64 head.Length then
            false
        else
            let there = File.ReadAllBytes path
            there = head[.. there.Length - 1]

    let openFile () =
        CheckpointFile.requirePath path

        CheckpointFile.guarded path "opened" (fun () ->
            if isUnmade () then
                AtomicFile.replace path (fun file -> file.Write(ReadOnlySpan head))

            // Without a buffer: what is written is in the file, and nothing is left to be written when it is closed.
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 0))

    let file = openFile ()
    let mutable chain = origin

    let read (count: int) : byte[] =
        let bytes = Array.zeroCreate count
        file.ReadExactly(Span bytes)
        bytes

    /// The description of the next record and its content, or nothing where the file ends before the record does.
    let tryRead (descriptionSize: int) (contentSize: byte[] -> int) : struct (byte[] * byte[]) voption =
        let rest = file.Length - file.Position

        if rest < int64 (descriptionSize + hashSize) then
            ValueNone
        else
            let description = read descriptionSize

            if read hashSize <> hash [ chain; description ] then
                damaged "the checksum of the beginning of a record is not that of its content"

            let size = contentSize description

            if file.Length - file.Position < int64 size + int64 hashSize then
                ValueNone
            else
                let content = read size
                let next = hash [ chain; description; content ]

                if read hashSize <> next then
                    damaged "the checksum of a record is not that of its content"

                chain <- next
                ValueSome(struct (description, content))

    /// Reads all records, so that damage is found before a product is spent, and cuts off an unfinished one.
    let verify descriptionSize contentSize =
        let start = Array.zeroCreate head.Length
        let got = file.ReadAtLeast(Span start, head.Length, false)

        if got < head.Length || start[.. magic.Length - 1] <> magic then
            Fail.data $"checkpoint {path}: it is not one of products, or of another version"

        if start <> head then
            CheckpointFile.foreign path $"its products are not of {about}"

        let mutable whole = file.Position

        while (tryRead descriptionSize contentSize).IsSome do
            whole <- file.Position

        if whole < file.Length then file.SetLength whole

        chain <- origin
        file.Position <- int64 head.Length

    /// Brings the file to its first record. `contentSize` tells from a description how long its content is.
    member this.Verify(descriptionSize: int, contentSize: byte[] -> int) =
        try
            CheckpointFile.guarded path "read" (fun () -> verify descriptionSize contentSize)
        with _ ->
            (this :> IDisposable).Dispose()
            reraise ()

    /// The next record, or nothing at the end.
    member _.TryRead(descriptionSize: int, contentSize: byte[] -> int) : struct (byte[] * byte[]) voption =
        CheckpointFile.guarded path "read" (fun () -> tryRead descriptionSize contentSize)

    /// Adds a record, which is on the disk when this returns.
    member _.Append(description: byte[], content: byte[]) =
        let next = hash [ chain; description; content ]
        let start = file.Position

        CheckpointFile.guarded path "written" (fun () ->
            try
                file.Write(ReadOnlySpan(Array.append description (hash [ chain; description ])))
                file.Write(ReadOnlySpan content)
                file.Write(ReadOnlySpan next)
                file.Flush true
            with _ ->
                file.SetLength start
                reraise ())

        chain <- next

    interface IDisposable with
        member _.Dispose() = file.Dispose()
