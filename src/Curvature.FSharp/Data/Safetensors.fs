namespace Curvature.FSharp

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open System.Text
open System.Text.Json
open Curvature

/// How numbers are stored in a safetensors file.
[<NoEquality; NoComparison>]
type private SafetensorsElement =
    {
        /// Bytes of an element.
        Bytes: int
        /// A tensor of a shape from the bytes of its elements. The text says which tensor, for errors.
        Decode: string -> int list -> byte[] -> Tensor
    }

/// Files of named tensors in the safetensors format: the length of a header, a header in JSON, and the elements of all tensors, little-endian
/// and row-major, without gaps. (https://huggingface.co/docs/safetensors)
[<RequireQualifiedAccess>]
module Safetensors =

    /// The longest header that is read; the format's own limit.
    let private longestHeader = 100_000_000L

    /// Files are read in pieces of this size, so that a file which lies about its length costs no memory.
    let private piece = 1 <<< 20

    let private fail (name: string) (problem: string) =
        raise (DataException $"{name} is not a safetensors file: {problem}")

    let private readBytes (name: string) (stream: Stream) (count: int64) (what: string) : byte[] =
        if count > int64 Array.MaxLength then
            fail name $"{what} takes {count} bytes, more than can be read at once"

        let mutable bytes = Array.zeroCreate<byte>(int (min count (int64 piece)))
        let mutable filled = 0

        while int64 filled < count do
            if filled = bytes.Length then
                Array.Resize(&bytes, int (min count (2L * int64 bytes.Length)))

            let read = stream.Read(bytes, filled, bytes.Length - filled)

            if read = 0 then
                fail name $"{what} takes {count} bytes, and the file ends after {filled} of them"

            filled <- filled + read

        bytes

    // ---- element types

    let private floats (widen: byte[] -> float32[]) tensor bytes =
        {
            Bytes = bytes
            Decode = fun _ shape data -> Tensor.ofSingleArray shape (widen data)
        }
        |> fun element -> tensor, element

    let private integers tensor bytes (read: byte[] -> int -> int64) =
        let decode (name: string) shape (data: byte[]) =
            Array.init (data.Length / bytes) (fun i ->
                let value = read data (i * bytes)

                if value < int64 Int32.MinValue || value > int64 Int32.MaxValue then
                    raise (DataException $"{name}: element {i} is {value}, which is not an Int32")

                int value)
            |> Tensor.ofIndices shape

        tensor, { Bytes = bytes; Decode = decode }

    let private cast<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (data: byte[]) : 'T[] =
        MemoryMarshal.Cast<byte, 'T>(ReadOnlySpan data).ToArray()

    let private elements =
        [
            floats cast<float32> "F32" 4
            floats (cast<Half> >> Array.map float32) "F16" 2
            floats
                (cast<uint16> >> Array.map (fun bits -> BitConverter.UInt32BitsToSingle(uint32 bits <<< 16)))
                "BF16"
                2
            "F64",
            {
                Bytes = 8
                Decode = fun _ shape data -> Tensor.ofArray shape (cast<float> data)
            }
            integers "I64" 8 (fun data at -> BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan(data, at, 8)))
            integers "I32" 4 (fun data at -> int64 (BinaryPrimitives.ReadInt32LittleEndian(ReadOnlySpan(data, at, 4))))
            integers "U32" 4 (fun data at -> int64 (BinaryPrimitives.ReadUInt32LittleEndian(ReadOnlySpan(data, at, 4))))
            integers "I16" 2 (fun data at -> int64 (BinaryPrimitives.ReadInt16LittleEndian(ReadOnlySpan(data, at, 2))))
            integers "U16" 2 (fun data at -> int64 (BinaryPrimitives.ReadUInt16LittleEndian(ReadOnlySpan(data, at, 2))))
            integers "I8" 1 (fun data at -> int64 (sbyte data[at]))
            integers "U8" 1 (fun data at -> int64 data[at])
            integers "BOOL" 1 (fun data at -> int64 data[at])
        ]
        |> dict

    // ---- headers

    /// A tensor as a header announces it.
    [<NoEquality; NoComparison>]
    type private Announcement =
        {
            Name: string
            Element: SafetensorsElement
            Shape: int list
            Start: int64
            End: int64
        }

    let private property (file: string) (tensor: string) (entry: JsonElement) (key: string) =
        match entry.TryGetProperty key with
        | true, value -> value
        | _ -> fail file $"tensor \"{tensor}\" has no {key}"

    let private wholeNumbers (file: string) (tensor: string) (key: string) (value: JsonElement) : int64 list =
        let number (item: JsonElement) =
            match item.ValueKind = JsonValueKind.Number && fst (item.TryGetInt64()) with
            | true when item.GetInt64() >= 0L -> item.GetInt64()
            | _ ->
                fail
                    file
                    $"{key} of tensor \"{tensor}\" holds {item.GetRawText()}, and whole numbers from 0 on are needed"

        if value.ValueKind <> JsonValueKind.Array then
            fail file $"{key} of tensor \"{tensor}\" is not a list"

        [ for item in value.EnumerateArray() -> number item ]

    let private announcement (file: string) (tensor: string) (entry: JsonElement) : Announcement =
        if entry.ValueKind <> JsonValueKind.Object then
            fail file $"tensor \"{tensor}\" is announced by {entry.ValueKind}, and an object is needed"

        let property = property file tensor entry
        let dtype = property "dtype"

        let element =
            match dtype.ValueKind = JsonValueKind.String && elements.ContainsKey(dtype.GetString()) with
            | true -> elements[dtype.GetString()]
            | false ->
                fail
                    file
                    $"tensor \"{tensor}\" has element type {dtype.GetRawText()}, which is not one that can be read"

        let shape = wholeNumbers file tensor "shape" (property "shape")

        let size =
            (1L, shape)
            ||> List.fold (fun size length ->
                // A product that has become too large stays too large, unless an axis is empty.
                if length = 0L then
                    0L
                elif size > int64 Int32.MaxValue || length > int64 Int32.MaxValue then
                    Int64.MaxValue
                else
                    size * length)

        if
            shape.Length > 64
            || size > int64 Int32.MaxValue
            || List.exists (fun length -> length > int64 Int32.MaxValue) shape
        then
            fail
                file
                $"tensor \"{tensor}\" has {shape.Length} axes and more elements than can be held, or lengths out of range"

        match wholeNumbers file tensor "data_offsets" (property "data_offsets") with
        | [ first; last ] when first <= last && last - first = size * int64 element.Bytes ->
            {
                Name = tensor
                Element = element
                Shape = List.map int shape
                Start = first
                End = last
            }
        | offsets ->
            fail
                file
                $"tensor \"{tensor}\" needs {size * int64 element.Bytes} bytes, and its data_offsets are {offsets}"

    let private header (file: string) (bytes: byte[]) : Announcement list =
        use document =
            try
                JsonDocument.Parse(ReadOnlyMemory bytes)
            with :? JsonException as error ->
                raise (
                    DataException($"{file} is not a safetensors file: its header is not JSON: {error.Message}", error)
                )

        if document.RootElement.ValueKind <> JsonValueKind.Object then
            fail file "its header is not a JSON object"

        let names = HashSet<string>()

        let entries =
            [
                for entry in document.RootElement.EnumerateObject() do
                    if not (names.Add entry.Name) then
                        fail file $"there are two tensors \"{entry.Name}\""

                    if entry.Name <> "__metadata__" then announcement file entry.Name entry.Value
            ]
            |> List.sortBy (fun entry -> struct (entry.Start, entry.End))

        // Tensors fill the space behind the header one after the other.
        (0L, entries)
        ||> List.fold (fun place entry ->
            if entry.Start <> place then
                fail
                    file
                    $"tensor \"{entry.Name}\" begins at byte {entry.Start}, and the one before it ends at {place}"

            entry.End)
        |> ignore

        entries

    let private ofStream (name: string) (stream: Stream) : (string * Tensor) list =
        let length = BinaryPrimitives.ReadInt64LittleEndian(readBytes name stream 8L "the length of the header")

        if length < 0L || length > longestHeader then
            fail name $"its header would have {uint64 length} bytes, and at most {longestHeader} are allowed"

        let entries =
            try
                header name (readBytes name stream length "the header")
            with :? InvalidOperationException as error ->
                // Names that are not valid Unicode.
                raise (DataException($"{name} is not a safetensors file: {error.Message}", error))

        let tensors =
            [
                for entry in entries ->
                    let data = readBytes name stream (entry.End - entry.Start) $"tensor \"{entry.Name}\""
                    entry.Name, entry.Element.Decode $"{name}: tensor \"{entry.Name}\"" entry.Shape data
            ]

        if stream.ReadByte() >= 0 then fail name "it goes on behind the last tensor"

        tensors

    /// The named tensors of a file, in the order in which their elements lie in it. Float16 and BFloat16 become Float32, and all integers Int32.
    /// Raises DataException, naming the file, for one that is not there, is damaged, or has element types that cannot be held.
    let read (path: string) : (string * Tensor) list = DataFile.read path (ofStream path)

    /// The named tensors of a stream of such a file; the name is for errors.
    let readStream (name: string) (stream: Stream) : (string * Tensor) list = ofStream name stream

    // ---- writing

    let private encode (tensor: Tensor) : string * byte[] =
        let bytes (values: 'T[]) = MemoryMarshal.AsBytes(ReadOnlySpan<'T> values).ToArray()

        match tensor.DType with
        | DType.Float32 -> "F32", bytes (tensor.ToSingleArray())
        | DType.Float64 -> "F64", bytes (tensor.ToArray())
        | _ -> "I32", bytes (tensor.ToInt32Array())

    /// Writes named tensors, in the given order. Raises ParameterException where a name comes twice.
    let writeStream (stream: Stream) (tensors: (string * Tensor) list) : unit =
        match tensors |> List.countBy fst |> List.tryFind (fun (name, uses) -> uses > 1 || name = "__metadata__") with
        | Some(name, _) -> raise (ParameterException $"two tensors have the name \"{name}\", or the name is reserved")
        | None -> ()

        let encoded = tensors |> List.map (fun (name, tensor) -> name, tensor, encode tensor)
        use buffer = new MemoryStream()

        using (new Utf8JsonWriter(buffer)) (fun json ->
            json.WriteStartObject()
            let mutable place = 0L

            for name, tensor, (dtype, data) in encoded do
                json.WriteStartObject name
                json.WriteString("dtype", dtype)
                json.WriteStartArray "shape"
                tensor.Shape |> Array.iter json.WriteNumberValue
                json.WriteEndArray()
                json.WriteStartArray "data_offsets"
                json.WriteNumberValue place
                place <- place + int64 data.Length
                json.WriteNumberValue place
                json.WriteEndArray()
                json.WriteEndObject()

            json.WriteEndObject())

        // Spaces bring the elements to a multiple of 8 bytes.
        buffer.Write(Encoding.ASCII.GetBytes(String(' ', int (-buffer.Length &&& 7L))))
        let length = Array.zeroCreate<byte> 8
        BinaryPrimitives.WriteInt64LittleEndian(length.AsSpan(), buffer.Length)
        stream.Write length
        buffer.WriteTo stream

        for _, _, (_, data) in encoded do
            stream.Write data

    /// Writes named tensors to a file, in the given order. Raises ParameterException where a name comes twice, DataException where
    /// the file cannot be written.
    let write (path: string) (tensors: (string * Tensor) list) : unit =
        try
            use stream = File.Create path
            writeStream stream tensors
        with
        | :? UnauthorizedAccessException
        | :? ArgumentException
        | :? IOException as error -> raise (DataException($"{path} cannot be written: {error.Message}", error))
