namespace Curvature.FSharp

open System
open System.IO
open System.IO.Compression
open Curvature

/// Opening files of data, plain or compressed: every failure is a DataException that has the file's name.
module internal DataFile =

    let private isGzip (stream: Stream) =
        let head = Array.zeroCreate<byte> 2
        let count = stream.ReadAtLeast(head.AsSpan(), 2, false)
        stream.Seek(0L, SeekOrigin.Begin) |> ignore
        count = 2 && head[0] = 0x1Fuy && head[1] = 0x8Buy

    /// Runs a reader on a stream from its beginning, unpacking it on the way if its first bytes are those of gzip.
    let readStream (name: string) (stream: Stream) (reader: Stream -> 'T) : 'T =
        if not stream.CanSeek then
            raise (DataException $"{name}: a stream that can seek is needed; copy this one into memory or a file")

        try
            if isGzip stream then
                use unpacked = new GZipStream(stream, CompressionMode.Decompress, true)
                reader unpacked
            else
                reader stream
        with
        | :? InvalidDataException as error -> raise (DataException($"{name} is not whole gzip: {error.Message}", error))
        | :? UnauthorizedAccessException
        | :? IOException as error -> raise (DataException($"{name} cannot be read: {error.Message}", error))

    let private openFile (path: string) =
        if String.IsNullOrWhiteSpace path then
            raise (DataException "the path of a file is needed, and it is empty")

        if Directory.Exists path then
            raise (DataException $"{path} is a folder, and a file is needed")

        if not (File.Exists path) then raise (DataException $"{path} does not exist")

        try
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 <<< 16)
        with
        | :? UnauthorizedAccessException
        | :? IOException as error -> raise (DataException($"{path} cannot be opened: {error.Message}", error))

    /// Runs a reader on a file, unpacking it on the way if its first bytes are those of gzip.
    let read (path: string) (reader: Stream -> 'T) : 'T =
        use file = openFile path
        readStream path file reader

    /// Bytes are taken from a stream in pieces of this size, so that memory grows with what a file holds and not with what it promises.
    let private piece = 1 <<< 16

    /// The next bytes of a stream, as many as were promised.
    let readBytes (name: string) (what: string) (count: int64) (stream: Stream) : byte[] =
        let short there = raise (DataException $"{name}: {what} needs {count} bytes, and the file ends after {there}")

        if count < 0L || count > int64 Array.MaxLength then
            raise (DataException $"{name}: {what} has {count} bytes, and an array holds at most {Array.MaxLength}")

        if stream.CanSeek && stream.Length - stream.Position < count then
            short (stream.Length - stream.Position)

        let mutable bytes = Array.zeroCreate<byte>(int (min count (int64 piece)))
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
    let requireEnd (name: string) (what: string) (stream: Stream) =
        if stream.ReadByte() >= 0 then
            raise (DataException $"{name}: there are more bytes than {what} needs")

    /// Writes a file, replacing one that is there.
    let write (path: string) (writer: Stream -> unit) : unit =
        try
            use file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 <<< 16)
            writer file
        with
        | :? UnauthorizedAccessException
        | :? ArgumentException
        | :? IOException as error -> raise (DataException($"{path} cannot be written: {error.Message}", error))
