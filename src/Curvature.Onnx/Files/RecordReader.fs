namespace Curvature.OnnxFormat

open System
open System.IO
open Curvature
open Curvature.FSharp

/// Reads the messages of onnx.proto3, as far as they concern the graph of a model that computes. Numbers of fields are
/// those of that file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). Messages nest to a depth that is
/// known, because graphs inside of attributes are not read.
[<Sealed>]
type internal RecordReader(wire: WireReader) =
    let mutable entries = 0

    /// Counts what takes memory beyond its bytes in the file.
    let count () =
        entries <- entries + 1
        wire.Reading.RequireEntries entries

    let fields (field: Field) : Field seq =
        if field.Wire <> Wire.Bytes then
            wire.Fail $"field {field.Number} is a number, and a message was expected"

        wire.Fields(field.Start, field.End)

    let text (field: Field) =
        if field.Wire <> Wire.Bytes then
            wire.Fail $"field {field.Number} is a number, and a text was expected"

        wire.Text field

    let single (field: Field) =
        if field.Wire <> Wire.Fixed32 then
            wire.Fail $"field {field.Number} is not a Float32"

        BitConverter.UInt32BitsToSingle(uint32 field.Value)

    let whole (field: Field) =
        if field.Wire <> Wire.Varint then
            wire.Fail $"field {field.Number} is not a whole number"

        int64 field.Value

    let small (field: Field) =
        let value = whole field
        if value < 0L || value > int64 Int32.MaxValue then -1 else int value

    /// The bytes of floating point: consecutive ones stay in the file, others are few.
    let reals (field: Field) (segments: ResizeArray<Curvature.OnnxFormat.Segment>) (loose: ResizeArray<float>) =
        match field.Wire with
        | Wire.Bytes -> segments.Add { Start = field.Start; Length = int64 field.Value }
        | Wire.Fixed32 -> loose.Add(float (BitConverter.UInt32BitsToSingle(uint32 field.Value)))
        | Wire.Fixed64 -> loose.Add(BitConverter.UInt64BitsToDouble field.Value)
        | Wire.Varint -> wire.Fail $"field {field.Number} is a whole number, and floating point was expected"

    let entry (field: Field) : string * string =
        let mutable key, value = "", ""

        for part in fields field do
            match part.Number with
            | 1 -> key <- text part
            | 2 -> value <- text part
            | _ -> ()

        key, value

    let place (what: string) (name: string) (value: string) : int64 =
        match Int64.TryParse(value, Globalization.NumberStyles.None, Globalization.CultureInfo.InvariantCulture) with
        | true, number -> number
        | _ -> Fail.data $"{wire.Reading.Name}: the {what} of the external data of {name} is \"{value}\""

    let externalData (name: string) (entries: (string * string) seq) : Stored =
        let mutable path, offset, length = "", 0L, ValueNone

        for key, value in entries do
            match key with
            | "location" -> path <- value
            | "offset" -> offset <- place key name value
            | "length" -> length <- ValueSome(place key name value)
            | _ -> ()

        Stored.External(path, offset, length)

    let tensor (field: Field) : TensorRecord =
        count ()
        let dims, integers, loose = ResizeArray<int64>(), ResizeArray<int64>(), ResizeArray<float>()
        let segments, external = ResizeArray<Curvature.OnnxFormat.Segment>(), ResizeArray<string * string>()
        let mutable name, kind, isExternal = "", 0, false

        for part in fields field do
            match part.Number with
            | 1 -> wire.Integers(part, dims)
            | 2 -> kind <- small part
            | 4
            | 10 -> reals part segments loose
            | 5
            | 7
            | 11 -> wire.Integers(part, integers)
            | 8 -> name <- text part
            | 9 when part.Wire = Wire.Bytes -> segments.Add { Start = part.Start; Length = int64 part.Value }
            | 13 -> external.Add(entry part)
            | 14 -> isExternal <- whole part = 1L
            | _ -> ()

        let isEmptySegment (segment: Curvature.OnnxFormat.Segment) = segment.Length = 0L
        segments.RemoveAll(Predicate isEmptySegment) |> ignore

        let elements =
            match isExternal, segments.Count, integers.Count, loose.Count with
            | true, 0, 0, 0 -> externalData name external
            | false, 1, 0, 0 -> Stored.InFile segments[0]
            | false, 0, 0, 0
            | false, 0, _, 0 -> Stored.Integers(integers.ToArray())
            | false, 0, 0, _ -> Stored.Reals(loose.ToArray())
            | _ -> Fail.data $"{wire.Reading.Name}: the elements of tensor \"{name}\" are at several places"

        { Name = name; Type = kind; Dims = dims.ToArray(); Elements = elements }

    let attribute (field: Field) : string * AttributeValue =
        count ()
        let ints, floats, texts = ResizeArray<int64>(), ResizeArray<float32>(), ResizeArray<string>()
        let mutable name, kind, f, i, s = "", 0, 0.0f, 0L, ""
        let mutable t: TensorRecord voption = ValueNone
        let mutable other = ""
        // Files of before 2017 do not say the kind: it follows from the field that is there.
        let mutable seen = 0

        for part in fields field do
            match part.Number with
            | 1 -> name <- text part
            | 2 ->
                f <- single part
                seen <- 1
            | 3 ->
                i <- whole part
                seen <- 2
            | 4 ->
                s <- text part
                seen <- 3
            | 5 ->
                t <- ValueSome(tensor part)
                seen <- 4
            | 7 ->
                wire.Singles(part, floats)
                seen <- 6
            | 8 ->
                wire.Integers(part, ints)
                seen <- 7
            | 9 ->
                texts.Add(text part)
                seen <- 8
            | 6 -> other <- "a graph"
            | 11 -> other <- "a list of graphs"
            | 10 -> other <- "a list of tensors"
            | 14
            | 15 -> other <- "a type"
            | 20 -> kind <- small part
            | 21 -> other <- "a reference to an attribute of a function"
            | 22
            | 23 -> other <- "a sparse tensor"
            | _ -> ()

        let value =
            match (if kind = 0 then seen else kind), t with
            | _ when other <> "" -> AttributeValue.Other other
            | 1, _ -> AttributeValue.Float f
            | 2, _ -> AttributeValue.Int i
            | 3, _ -> AttributeValue.Text s
            | 4, ValueSome tensor -> AttributeValue.Tensor tensor
            | 6, _ -> AttributeValue.Floats(floats.ToArray())
            | 7, _ -> AttributeValue.Ints(ints.ToArray())
            | 8, _ -> AttributeValue.Texts(texts.ToArray())
            | kind, _ -> AttributeValue.Other $"of kind {kind}"

        name, value

    let node (field: Field) : NodeRecord =
        count ()
        let inputs, outputs = ResizeArray<string>(), ResizeArray<string>()
        let attributes = ResizeArray<string * AttributeValue>()
        let mutable name, opType, domain = "", "", ""

        for part in fields field do
            match part.Number with
            | 1 ->
                count ()
                inputs.Add(text part)
            | 2 ->
                count ()
                outputs.Add(text part)
            | 3 -> name <- text part
            | 4 -> opType <- text part
            | 5 -> attributes.Add(attribute part)
            | 7 -> domain <- text part
            | _ -> ()

        {
            Name = name
            OpType = opType
            Domain = domain
            Inputs = inputs.ToArray()
            Outputs = outputs.ToArray()
            Attributes = attributes.ToArray()
        }

    let dim (field: Field) : DimRecord =
        let mutable length, name = ValueNone, ""

        for part in fields field do
            match part.Number with
            | 1 -> length <- ValueSome(whole part)
            | 2 -> name <- text part
            | _ -> ()

        { Length = length; Name = name }

    let shape (field: Field) : DimRecord[] =
        let dims = ResizeArray<DimRecord>()

        for part in fields field do
            if part.Number = 1 then
                count ()
                dims.Add(dim part)

        dims.ToArray()

    let value (field: Field) : ValueRecord =
        count ()
        let mutable name, kind = "", 0
        let mutable dims: DimRecord[] voption = ValueNone

        for part in fields field do
            match part.Number with
            | 1 -> name <- text part
            | 2 ->
                // A type, of which only that of tensors is read.
                for inner in fields part |> Seq.filter (fun inner -> inner.Number = 1) do
                    for item in fields inner do
                        match item.Number with
                        | 1 -> kind <- small item
                        | 2 -> dims <- ValueSome(shape item)
                        | _ -> ()
            | _ -> ()

        { Name = name; Type = kind; Dims = dims }

    let graph (field: Field) : GraphRecord =
        let nodes, initializers = ResizeArray<NodeRecord>(), ResizeArray<TensorRecord>()
        let inputs, outputs = ResizeArray<ValueRecord>(), ResizeArray<ValueRecord>()
        let mutable isSparse = false

        for part in fields field do
            match part.Number with
            | 1 -> nodes.Add(node part)
            | 5 -> initializers.Add(tensor part)
            | 11 -> inputs.Add(value part)
            | 12 -> outputs.Add(value part)
            | 15 -> isSparse <- true
            | _ -> ()

        {
            Nodes = nodes.ToArray()
            Initializers = initializers.ToArray()
            Inputs = inputs.ToArray()
            Outputs = outputs.ToArray()
            HasSparseInitializers = isSparse
        }

    let opset (field: Field) : string * int64 =
        count ()
        let mutable domain, version = "", 0L

        for part in fields field do
            match part.Number with
            | 1 -> domain <- text part
            | 2 -> version <- whole part
            | _ -> ()

        domain, version

    /// The model of the file. Raises DataException where the file is not one.
    member _.Model() : ModelRecord =
        let opsets = ResizeArray<string * int64>()
        let mutable producer = ""
        let mutable graphs: GraphRecord voption = ValueNone

        for part in wire.Fields(0L, wire.Length) do
            match part.Number with
            | 2 -> producer <- text part
            | 7 when graphs.IsSome -> wire.Fail "the file holds two graphs"
            | 7 -> graphs <- ValueSome(graph part)
            | 8 -> opsets.Add(opset part)
            | _ -> ()

        match graphs with
        | ValueNone -> Fail.data $"{wire.Reading.Name}: the file holds no graph, so it is no ONNX model"
        | ValueSome graph -> { Producer = producer; Opsets = opsets.ToArray(); Graph = graph }
