namespace Curvature.FSharp

open System
open System.IO
open System.IO.Compression
open System.Text
open Curvature

/// Opening files of data, plain or compressed: every failure is a DataException that has the file's name.
module internal DataFile =

    let private isGzip (stream: Stream) =
        let head = Array.zeroCreate<byte> 2
        stream.Seek(0L, SeekOrigin.Begin) |> ignore
        let count = stream.ReadAtLeast(head.AsSpan(), 2, false)
        stream.Seek(0L, SeekOrigin.Begin) |> ignore
        count = 2 && head[0] = 0x1Fuy && head[1] = 0x8Buy

    let private unpack (reading: Reading) (stream: Stream) (reader: Stream -> 'T) : 'T =
        reading.Announce("the file", stream.Length)

        if isGzip stream then
            use unpacked = new UnpackedStream(reading, new GZipStream(stream, CompressionMode.Decompress, true))
            reader unpacked
        else
            reader stream

    /// Runs a reader on a stream from its beginning, unpacking it on the way if its first bytes are those of gzip.
    let readStream (reading: Reading) (stream: Stream) (reader: Stream -> 'T) : 'T =
        let name = reading.Name

        if not stream.CanSeek then
            Fail.data $"{name}: a stream that can seek is needed; copy this one into memory or a file"

        try
            unpack reading stream reader
        with
        | :? InvalidDataException as error -> raise (DataException($"{name} is not whole gzip: {error.Message}", error))
        | FileSystem.FileFault error -> raise (DataException($"{name} cannot be read: {error.Message}", error))

    /// A file to read. Raises DataException where there is none, or something else than a file.
    let openFile (path: string) =
        if String.IsNullOrWhiteSpace path then
            Fail.data "the path of a file is needed, and it is empty"

        match FileSystem.special path with
        | ValueSome kind -> Fail.data $"{path} is {kind}, and a file is needed"
        | ValueNone -> ()

        if not (File.Exists path) then Fail.data $"{path} does not exist"

        try
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 <<< 16)
        with FileSystem.FileFault error ->
            raise (DataException($"{path} cannot be opened: {error.Message}", error))

    /// Runs a reader on a file, unpacking it on the way if its first bytes are those of gzip.
    let read (limits: ReadLimits) (path: string) (reader: Reading -> Stream -> 'T) : 'T =
        use file = openFile path
        let reading = Reading(path, limits)
        readStream reading file (reader reading)

    /// Bytes are read in pieces of this size, so that memory grows with the content of a file and not with its stated
    /// length.
    let private piece = 1 <<< 16

    /// The next bytes of a stream, as many as were promised.
    let readBytes (reading: Reading) (what: string) (count: int64) (stream: Stream) : byte[] =
        let short there = Fail.data $"{reading.Name}: {what} needs {count} bytes, and the file ends after {there}"

        if count < 0L || count > int64 Array.MaxLength then
            Fail.data $"{reading.Name}: {what} has {count} bytes, and an array holds at most {Array.MaxLength}"

        reading.Announce(what, count)

        if stream.CanSeek && stream.Length - stream.Position < count then
            short (stream.Length - stream.Position)

        // The length of a stream that can seek is known.
        let first = if stream.CanSeek then count else min count (int64 piece)
        let mutable bytes = Array.zeroCreate<byte>(int first)
        let mutable filled = 0

        while int64 filled < count do
            if filled = bytes.Length then
                let larger = min count (2L * int64 bytes.Length)
                Array.Resize(&bytes, int larger)

            let got = stream.Read(bytes, filled, bytes.Length - filled)
            if got = 0 then short filled
            filled <- filled + got

        bytes

    /// Makes sure that a stream has ended.
    let requireEnd (reading: Reading) (what: string) (stream: Stream) =
        if stream.ReadByte() >= 0 then
            Fail.data $"{reading.Name}: there are more bytes than {what} needs"

/// The lines of a text, none longer than the limit.
[<Sealed>]
type internal LineReader(reading: Reading, stream: Stream) =
    let reader = new StreamReader(stream)
    let buffer = Array.zeroCreate<char>(1 <<< 14)
    let line = StringBuilder()
    let mutable first, last, number = 0, 0, 0

    let fill () =
        if first = last then
            first <- 0
            last <- reader.Read(buffer, 0, buffer.Length)

        last > first

    let append (count: int) =
        if line.Length + count > reading.Limits.Line then
            Fail.data (
                $"{reading.Name}, line {number}: it is longer than {reading.Limits.Line} characters, "
                + "which is the limit; if the file is right, raise it by ReadLimits.WithLine"
            )

        line.Append(buffer, first, count) |> ignore
        first <- first + count

    /// The number of the line that came last, from 1.
    member _.Number = number

    /// The next line without its end, which is \n, \r or both; null after the last.
    member _.Next() : string | null =
        if not (fill ()) then
            null
        else
            number <- number + 1
            line.Clear() |> ignore
            let mutable isOpen = true

            while isOpen && fill () do
                let length = buffer.AsSpan(first, last - first).IndexOfAny('\r', '\n')
                append (if length < 0 then last - first else length)

                if length >= 0 then
                    isOpen <- false
                    let isReturn = buffer[first] = '\r'
                    first <- first + 1
                    if isReturn && fill () && buffer[first] = '\n' then first <- first + 1

            line.ToString()

    interface IDisposable with
        member _.Dispose() = reader.Dispose()
