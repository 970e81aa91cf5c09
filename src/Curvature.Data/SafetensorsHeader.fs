namespace Curvature.FSharp

open System
open System.Collections.Generic
open System.Text
open System.Text.Json
open Curvature

/// The tensors that the header of a safetensors file announces, as columns with a row for each: a header of many small
/// tensors takes hardly more memory than its text.
[<NoEquality; NoComparison>]
type internal SafetensorsHeader =
    {
        Names: string[]
        Elements: ElementType[]
        /// The lengths of all axes, and where those of each tensor begin; one more at the end.
        Lengths: List<int>
        FirstLength: int[]
        /// Where the elements of each begin and end, from the end of the header on.
        Starts: int64[]
        Ends: int64[]
        /// The numbers of the tensors in the order of their elements.
        Order: int[]
    }

    member header.Shape(tensor: int) : int list =
        [
            for axis in header.FirstLength[tensor] .. header.FirstLength[tensor + 1] - 1 -> header.Lengths[axis]
        ]

/// One tensor of a header, while it is parsed.
[<Sealed>]
type private Announcement() =
    member val Name = "" with get, set
    member val Element: ElementType voption = ValueNone with get, set
    member val Shape = List<int64>()
    member val HasShape = false with get, set
    member val Offsets = List<int64>()
    member val HasOffsets = false with get, set

    member this.Begin(name: string) =
        this.Name <- name
        this.Element <- ValueNone
        this.HasShape <- false
        this.HasOffsets <- false

module internal SafetensorsHeader =

    let fail (name: string) (problem: string) = Fail.data $"{name} is not a safetensors file: {problem}"

    let elements: struct (string * ElementType)[] =
        [|
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
        |]
        |> Array.map (fun (name, element) -> struct (name, element))

    let private metadata = "__metadata__"

    /// What the header says at the token that was just read.
    let private text (bytes: byte[]) (reader: byref<Utf8JsonReader>) =
        Encoding.UTF8.GetString(bytes, int reader.TokenStartIndex, int (reader.BytesConsumed - reader.TokenStartIndex))

    let private readElement file (bytes: byte[]) (tensor: Announcement) (reader: byref<Utf8JsonReader>) =
        tensor.Element <- ValueNone

        if reader.TokenType = JsonTokenType.String then
            for struct (name, element) in elements do
                if reader.ValueTextEquals name then tensor.Element <- ValueSome element

        if tensor.Element.IsNone then
            fail
                file
                $"tensor \"{tensor.Name}\" has element type {text bytes &reader}, which is not one that can be read"

    let private readNumbers
        file
        (bytes: byte[])
        (tensor: Announcement)
        (key: string)
        (numbers: List<int64>)
        (reader: byref<Utf8JsonReader>)
        =
        numbers.Clear()

        if reader.TokenType <> JsonTokenType.StartArray then
            fail file $"{key} of tensor \"{tensor.Name}\" is not a list"

        while reader.Read() && reader.TokenType <> JsonTokenType.EndArray do
            let mutable number = 0L

            if reader.TokenType <> JsonTokenType.Number || not (reader.TryGetInt64 &number) || number < 0L then
                fail
                    file
                    ($"{key} of tensor \"{tensor.Name}\" holds {text bytes &reader}, "
                     + "and whole numbers from 0 on are needed")

            numbers.Add number

    let private missing file (tensor: Announcement) (key: string) = fail file $"tensor \"{tensor.Name}\" has no {key}"

    /// Reads the object behind the name of a tensor.
    let private readTensor file (bytes: byte[]) (tensor: Announcement) (reader: byref<Utf8JsonReader>) =
        if reader.TokenType <> JsonTokenType.StartObject then
            fail file $"tensor \"{tensor.Name}\" is announced by {reader.TokenType}, and an object is needed"

        while reader.Read() && reader.TokenType = JsonTokenType.PropertyName do
            if reader.ValueTextEquals "dtype" then
                reader.Read() |> ignore
                readElement file bytes tensor &reader
            elif reader.ValueTextEquals "shape" then
                reader.Read() |> ignore
                tensor.HasShape <- true
                readNumbers file bytes tensor "shape" tensor.Shape &reader
            elif reader.ValueTextEquals "data_offsets" then
                reader.Read() |> ignore
                tensor.HasOffsets <- true
                readNumbers file bytes tensor "data_offsets" tensor.Offsets &reader
            else
                reader.Skip()

        if tensor.Element.IsNone then missing file tensor "dtype"
        if not tensor.HasShape then missing file tensor "shape"
        if not tensor.HasOffsets then missing file tensor "data_offsets"

    /// The number of tensors. Reads all, so that JSON which is not whole is found before memory is taken for the
    /// tensors.
    let private count file (bytes: byte[]) : int =
        let mutable reader = Utf8JsonReader(ReadOnlySpan bytes)
        let mutable tensors, reserved = 0, 0
        reader.Read() |> ignore

        if reader.TokenType <> JsonTokenType.StartObject then
            fail file "its header is not a JSON object"

        while reader.Read() do
            if reader.TokenType = JsonTokenType.PropertyName && reader.CurrentDepth = 1 then
                if reader.ValueTextEquals metadata then
                    reserved <- reserved + 1
                else
                    tensors <- tensors + 1

        if reserved > 1 then fail file $"there are two tensors \"{metadata}\""
        tensors

    let private add file (header: SafetensorsHeader) (place: int) (tensor: Announcement) =
        // Texts for messages are made where there is an error, and not for each tensor.
        let size =
            match Elements.tryCount tensor.Shape with
            | ValueSome size -> size
            | ValueNone -> Elements.count file $"tensor \"{tensor.Name}\"" (tensor.Shape.ToArray())

        let bytes = int64 size * int64 tensor.Element.Value.Size
        let offsets = tensor.Offsets

        if offsets.Count <> 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] <> bytes then
            let offsets = String.Join("; ", offsets)
            fail file $"tensor \"{tensor.Name}\" needs {bytes} bytes, and its data_offsets are [{offsets}]"

        header.Names[place] <- tensor.Name
        header.Elements[place] <- tensor.Element.Value
        header.Starts[place] <- offsets[0]
        header.Ends[place] <- offsets[1]

        for length in tensor.Shape do
            header.Lengths.Add(int length)

        header.FirstLength[place + 1] <- header.Lengths.Count

    let private parse file (bytes: byte[]) (header: SafetensorsHeader) =
        let mutable reader = Utf8JsonReader(ReadOnlySpan bytes)
        let tensor = Announcement()
        let mutable place = 0
        reader.Read() |> ignore

        while reader.Read() && reader.TokenType = JsonTokenType.PropertyName do
            if reader.ValueTextEquals metadata then
                reader.Skip()
            else
                // The name of a property is a string, and never null.
                tensor.Begin(nonNull (reader.GetString()))
                reader.Read() |> ignore
                readTensor file bytes tensor &reader
                add file header place tensor
                place <- place + 1

    let private requireNames file (names: string[]) =
        let sorted = Array.copy names
        Array.Sort(sorted, StringComparer.Ordinal)

        for i in 1 .. sorted.Length - 1 do
            if sorted[i] = sorted[i - 1] then
                fail file $"there are two tensors \"{sorted[i]}\""

    /// Tensors fill the space behind the header one after the other.
    let private requireNoGaps file (header: SafetensorsHeader) =
        let mutable place = 0L

        for tensor in header.Order do
            if header.Starts[tensor] <> place then
                fail
                    file
                    ($"tensor \"{header.Names[tensor]}\" begins at byte {header.Starts[tensor]}, "
                     + $"and the one before it ends at {place}")

            place <- header.Ends[tensor]

    let private fill file (bytes: byte[]) (tensors: int) : SafetensorsHeader =
        let header =
            {
                Names = Array.zeroCreate tensors
                Elements = Array.zeroCreate tensors
                Lengths = List<int>()
                FirstLength = Array.zeroCreate (tensors + 1)
                Starts = Array.zeroCreate tensors
                Ends = Array.zeroCreate tensors
                Order = Array.init tensors id
            }

        parse file bytes header
        requireNames file header.Names

        Array.Sort(
            header.Order,
            Comparison(fun a b ->
                match compare header.Starts[a] header.Starts[b] with
                | 0 -> compare header.Ends[a] header.Ends[b]
                | order -> order)
        )

        requireNoGaps file header
        header

    /// The header of these bytes. Raises DataException where it is not one, or lists more tensors than the limit.
    let read (reading: Reading) (bytes: byte[]) : SafetensorsHeader =
        let file = reading.Name

        try
            let tensors = count file bytes
            reading.RequireEntries tensors
            fill file bytes tensors
        with
        | :? JsonException as error ->
            raise (DataException($"{file} is not a safetensors file: its header is not JSON: {error.Message}", error))
        | :? InvalidOperationException as error ->
            // Names that are not valid Unicode.
            raise (DataException($"{file} is not a safetensors file: {error.Message}", error))
