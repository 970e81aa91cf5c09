namespace Curvature.FSharp

open System
open System.Collections.Generic
open System.IO
open System.IO.Compression
open System.Text
open System.Text.RegularExpressions
open Curvature

/// Arrays as NumPy writes them: one in an .npy file, several by name in an .npz file, which is a zip archive of the
/// former. 16-bit floating point is read as Float32, and whole numbers and truth values as Int32.
[<RequireQualifiedAccess>]
module Numpy =

    let private fail (name: string) (message: string) = Fail.data $"{name}: {message}"

    /// The first bytes of every .npy file.
    let private magic = [| 0x93uy; byte 'N'; byte 'U'; byte 'M'; byte 'P'; byte 'Y' |]

    /// Headers that NumPy writes are a few hundred bytes long.
    let private longestHeader = 1L <<< 20

    let private kinds =
        [
            "b1", ElementType.Boolean
            "u1", ElementType.UInt8
            "i1", ElementType.Int8
            "u2", ElementType.UInt16
            "i2", ElementType.Int16
            "u4", ElementType.UInt32
            "i4", ElementType.Int32
            "u8", ElementType.UInt64
            "i8", ElementType.Int64
            "f2", ElementType.Float16
            "f4", ElementType.Float32
            "f8", ElementType.Float64
        ]

    /// A Python dictionary of the three entries, in any order.
    let private dictionary =
        let entry = @"\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([0-9, ]*\))\s*"
        Regex($@"^\{{{entry},{entry},{entry},?\s*\}}\s*$", RegexOptions.NonBacktracking)

    let private entries (name: string) (header: string) : Dictionary<string, string> =
        let found = dictionary.Match header

        if not found.Success then
            let start = header[.. min 200 (header.Length - 1)].Trim()
            fail name $"the header must say descr, fortran_order and shape of a plain array, and is {start}"

        let entries = Dictionary<string, string>()

        for i in 1..2..5 do
            if not (entries.TryAdd(found.Groups[i].Value, found.Groups[i + 1].Value)) then
                fail name $"the header says {found.Groups[i].Value} twice"

        entries

    /// The element type and whether its most significant byte comes first.
    let private elementType name (descr: string) =
        let text = descr.Trim '\''

        match kinds |> List.tryFind (fun (code, _) -> text.Length = 3 && text[1..] = code) with
        | Some(_, kind) when "<>|=".Contains text[0] -> kind, text[0] = '>'
        | _ ->
            let known = String.Join(", ", kinds |> List.map fst)
            fail name $"elements of type {descr} cannot be read; those that can are {known}"

    let private shape name (text: string) : int64[] =
        text.Trim('(', ')').Split(',', StringSplitOptions.RemoveEmptyEntries ||| StringSplitOptions.TrimEntries)
        |> Array.map (fun part ->
            match Int64.TryParse part with
            | true, length -> length
            | _ -> fail name $"the shape {text} holds {part}, which is not a length")

    let private readHeader (reading: Reading) (stream: Stream) : string =
        let name = reading.Name
        let start = DataFile.readBytes reading "the beginning" 8L stream

        if start[..5] <> magic then
            fail name "this is not an .npy file, which begins with \\x93NUMPY"

        let lengthBytes =
            match start[6] with
            | 1uy -> 2L
            | 2uy
            | 3uy -> 4L
            | version -> fail name $"version {version} of the format cannot be read; versions 1, 2 and 3 can"

        let length =
            DataFile.readBytes reading "the length of the header" lengthBytes stream
            |> Array.rev
            |> Array.fold (fun sum b -> (sum <<< 8) ||| int64 b) 0L

        if length > longestHeader then
            fail name $"the header is {length} bytes long, and at most {longestHeader} can be"

        DataFile.readBytes reading "the header" length stream |> Encoding.Latin1.GetString

    let private parse (reading: Reading) (stream: Stream) : Tensor =
        let name = reading.Name
        let said = readHeader reading stream |> entries name
        let kind, bigEndian = elementType name said["descr"]
        let lengths = shape name said["shape"]
        let count = Elements.count name "the array" lengths
        let bytes = DataFile.readBytes reading "the array" (int64 count * int64 kind.Size) stream
        DataFile.requireEnd reading "the array" stream
        let lengths = lengths |> Array.map int |> List.ofArray

        match said["fortran_order"] with
        | "False" -> Elements.toTensor reading "the array" kind bigEndian lengths bytes
        | "True" ->
            // The first axis is the fastest: the array is the transpose of a row-major one.
            Elements.toTensor reading "the array" kind bigEndian (List.rev lengths) bytes
            |> Tensor.permute (List.rev [ 0 .. lengths.Length - 1 ])
        | other -> fail name $"fortran_order must be True or False, and is {other}"

    /// The array of an .npy stream that can seek; the name is for messages.
    let readStream (limits: ReadLimits) (name: string) (stream: Stream) : Tensor =
        let reading = Reading(name, limits)
        DataFile.readStream reading stream (parse reading)

    /// The array of an .npy file. Raises DataException where the file is missing or not what the format asks for, holds
    /// Python objects, or exceeds the limits.
    let readWith (limits: ReadLimits) (path: string) : Tensor = DataFile.read limits path parse

    /// The array of an .npy file, within the default limits.
    let read (path: string) : Tensor = readWith ReadLimits.Default path

    // ---- archives

    let private parseArchive (reading: Reading) (stream: Stream) : (string * Tensor) list =
        let name = reading.Name

        try
            use archive = new ZipArchive(stream, ZipArchiveMode.Read, true)
            reading.RequireEntries archive.Entries.Count
            let seen = HashSet<string>()

            [
                for entry in archive.Entries do
                    if not (entry.FullName.EndsWith(".npy", StringComparison.Ordinal)) then
                        fail name $"the archive holds {entry.FullName}, which is not an .npy file"

                    let arrayName = entry.FullName[.. entry.FullName.Length - 5]

                    if not (seen.Add arrayName) then
                        fail name $"the archive holds {entry.FullName} twice"

                    let part = reading.Part entry.FullName
                    part.Announce("the array", entry.Length)
                    use content = new UnpackedStream(part, entry.Open())
                    arrayName, parse part content
            ]
        with
        | :? InvalidDataException
        | :? ArgumentException
        | :? NotSupportedException as error ->
            raise (DataException($"{name} is not a whole archive: {error.Message}", error))

    /// The arrays of an .npz stream that can seek, with their names; the name is for messages.
    let readArchiveStream (limits: ReadLimits) (name: string) (stream: Stream) : (string * Tensor) list =
        let reading = Reading(name, limits)
        DataFile.readStream reading stream (parseArchive reading)

    /// The arrays of an .npz file with their names, in the order of the file. Raises DataException where the file is
    /// missing, not what the format asks for, or exceeds the limits, which are for all arrays together.
    let readArchiveWith (limits: ReadLimits) (path: string) : (string * Tensor) list =
        DataFile.read limits path parseArchive

    /// The arrays of an .npz file with their names, in the order of the file, within the default limits.
    let readArchive (path: string) : (string * Tensor) list = readArchiveWith ReadLimits.Default path

    // ---- writing

    /// Writes a tensor as .npy to a stream.
    let writeStream (stream: Stream) (tensor: Tensor) : unit =
        let kind, bytes = Elements.ofTensor tensor
        let code = kinds |> List.find (fun (_, known) -> known = kind) |> fst
        let lengths = tensor.Shape |> Array.map (fun length -> $"{length},") |> String.concat " "
        let lengths = if tensor.Rank = 1 then lengths else lengths.TrimEnd ','
        let text = $"{{'descr': '<{code}', 'fortran_order': False, 'shape': ({lengths}), }}"
        // With the ten bytes before it and a line feed, the header fills a multiple of 64 bytes.
        let padding = String(' ', (64 - (10 + text.Length + 1) % 64) % 64)
        let header = Encoding.ASCII.GetBytes(text + padding + "\n")
        let start = [| yield! magic; 1uy; 0uy; byte (header.Length &&& 0xFF); byte (header.Length >>> 8) |]
        stream.Write(start, 0, start.Length)
        stream.Write(header, 0, header.Length)
        stream.Write(bytes, 0, bytes.Length)

    /// Writes a tensor as an .npy file, as a whole or not at all. Raises DataException where it cannot be written.
    let write (path: string) (tensor: Tensor) : unit = AtomicFile.write path (fun stream -> writeStream stream tensor)

    /// Writes named tensors as .npz to a stream. Raises ParameterException for a name that comes twice.
    let writeArchiveStream (stream: Stream) (tensors: (string * Tensor) list) : unit =
        for name, uses in tensors |> List.countBy fst do
            if uses > 1 then
                Fail.parameter $"numpy: \"{name}\" cannot be the name of {uses} tensors of a file"

        if not stream.CanWrite then Fail.data "numpy: the stream cannot be written"

        use archive = new ZipArchive(stream, ZipArchiveMode.Create, true)

        for name, tensor in tensors do
            use content = archive.CreateEntry(name + ".npy").Open()
            writeStream content tensor

    /// Writes named tensors as an .npz file, as a whole or not at all. Raises DataException where it cannot be written,
    /// ParameterException for a name that comes twice.
    let writeArchive (path: string) (tensors: (string * Tensor) list) : unit =
        AtomicFile.write path (fun stream -> writeArchiveStream stream tensors)
