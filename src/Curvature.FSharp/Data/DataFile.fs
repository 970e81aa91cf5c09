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
