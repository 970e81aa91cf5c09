namespace Curvature.FSharp

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Text
open System.Text.Json
open Curvature

/// Files of named tensors in the safetensors format: the length of a header, a header in JSON, and the elements of all tensors, little-endian
/// and row-major, without gaps. (https://huggingface.co/docs/safetensors)
[<RequireQualifiedAccess>]
module Safetensors =

    /// The longest header that is read; the format's own limit.
    let private longestHeader = 100_000_000L

    let private fail (name: string) (problem: string) =
        raise (DataException $"{name} is not a safetensors file: {problem}")

    let private elements =
        dict
            [
                "BOOL", ElementType.Boolean
                "U8", ElementType.UInt8
                "I8", ElementType.Int8
                "U16", ElementType.UInt16
                "I16", ElementType.Int16
                "U32", ElementType.UInt32
                "I32", ElementType.Int32
                "U64", ElementType.UInt64
                "I64", ElementType.Int64
                "F16", ElementType.Float16
                "BF16", ElementType.BFloat16
                "F32", ElementType.Float32
                "F64", ElementType.Float64
            ]

    // ---- headers

    /// A tensor as a header announces it.
    [<NoEquality; NoComparison>]
    type private Announcement =
        {
            Name: string
            Element: ElementType
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

        let size = Elements.count file $"tensor \"{tensor}\"" (Array.ofList shape) |> int64

        match wholeNumbers file tensor "data_offsets" (property "data_offsets") with
        | [ first; last ] when first <= last && last - first = size * int64 element.Size ->
            {
                Name = tensor
                Element = element
                Shape = List.map int shape
                Start = first
                End = last
            }
        | offsets ->
            fail file $"tensor \"{tensor}\" needs {size * int64 element.Size} bytes, and its data_offsets are {offsets}"

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
        let length =
            BinaryPrimitives.ReadInt64LittleEndian(DataFile.readBytes name "the length of the header" 8L stream)

        if length < 0L || length > longestHeader then
            fail name $"its header would have {uint64 length} bytes, and at most {longestHeader} are allowed"

        let entries =
            try
                header name (DataFile.readBytes name "the header" length stream)
            with :? InvalidOperationException as error ->
                // Names that are not valid Unicode.
                raise (DataException($"{name} is not a safetensors file: {error.Message}", error))

        let tensors =
            [
                for entry in entries ->
                    let what = $"tensor \"{entry.Name}\""
                    let data = DataFile.readBytes name what (entry.End - entry.Start) stream
                    entry.Name, Elements.toTensor name what entry.Element false entry.Shape data
            ]

        if stream.ReadByte() >= 0 then fail name "it goes on behind the last tensor"

        tensors

    /// The named tensors of a file, in the order in which their elements lie in it. Float16 and BFloat16 become Float32, and all integers Int32.
    /// Raises DataException, naming the file, for one that is not there, is damaged, or has element types that cannot be held.
    let read (path: string) : (string * Tensor) list = DataFile.read path (ofStream path)

    /// The named tensors of a stream of such a file; the name is for errors.
    let readStream (name: string) (stream: Stream) : (string * Tensor) list = ofStream name stream

    // ---- writing

    /// Writes named tensors, in the given order. Raises ParameterException where a name comes twice.
    let writeStream (stream: Stream) (tensors: (string * Tensor) list) : unit =
        match tensors |> List.countBy fst |> List.tryFind (fun (name, uses) -> uses > 1 || name = "__metadata__") with
        | Some(name, _) -> raise (ParameterException $"two tensors have the name \"{name}\", or the name is reserved")
        | None -> ()

        let encoded = tensors |> List.map (fun (name, tensor) -> name, tensor, Elements.ofTensor tensor)
        use buffer = new MemoryStream()

        using (new Utf8JsonWriter(buffer)) (fun json ->
            json.WriteStartObject()
            let mutable place = 0L

            for name, tensor, (kind, data) in encoded do
                let dtype = elements |> Seq.find (fun pair -> pair.Value = kind)
                json.WriteStartObject name
                json.WriteString("dtype", dtype.Key)
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
        DataFile.write path (fun stream -> writeStream stream tensors)
