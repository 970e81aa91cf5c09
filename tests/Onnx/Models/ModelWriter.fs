namespace Curvature.Tests.Onnx

open System
open System.IO
open Google.Protobuf
open Onnx
open Curvature

/// Writes ONNX files, by OnnxSharp: the classes that protoc makes of the standard's own definition.
[<RequireQualifiedAccess>]
module ModelWriter =

    let private raw (values: 'T[]) : ByteString =
        let bytes = Array.zeroCreate<byte>(Buffer.ByteLength values)
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length)
        ByteString.CopyFrom bytes

    let private typed (name: string) (kind: OnnxElementType) (shape: int list) (data: ByteString) : TensorProto =
        let tensor = TensorProto(Name = name, DataType = int kind, RawData = data)
        tensor.Dims.AddRange(shape |> Seq.map int64)
        tensor

    /// Floating point in a precision.
    let reals (dtype: DType) (name: string) (shape: int list) (values: float[]) : TensorProto =
        if dtype = DType.Float64 then
            typed name OnnxElementType.Float64 shape (raw values)
        else
            typed name OnnxElementType.Float32 shape (raw (values |> Array.map float32))

    let wholes (name: string) (shape: int list) (values: int64[]) : TensorProto =
        typed name OnnxElementType.Int64 shape (raw values)

    let truths (name: string) (shape: int list) (values: bool[]) : TensorProto =
        let bytes = values |> Array.map (fun value -> if value then 1uy else 0uy)
        typed name OnnxElementType.Bool shape (ByteString.CopyFrom bytes)

    let attribute (dtype: DType) (name: string, value: NodeAttribute) : AttributeProto =
        let attribute = AttributeProto(Name = name)
        let kind value = attribute.Type <- value

        match value with
        | Int number ->
            kind AttributeProto.Types.AttributeType.Int
            attribute.I <- number
        | Float number ->
            kind AttributeProto.Types.AttributeType.Float
            attribute.F <- float32 number
        | Text text ->
            kind AttributeProto.Types.AttributeType.String
            attribute.S <- ByteString.CopyFromUtf8 text
        | Ints numbers ->
            kind AttributeProto.Types.AttributeType.Ints
            attribute.Ints.AddRange(numbers |> Seq.map int64)
        | Floats numbers ->
            kind AttributeProto.Types.AttributeType.Floats
            attribute.Floats.AddRange(numbers |> Seq.map float32)
        | Reals(shape, values) ->
            kind AttributeProto.Types.AttributeType.Tensor
            attribute.T <- reals dtype "" shape values
        | Wholes(shape, values) ->
            kind AttributeProto.Types.AttributeType.Tensor
            attribute.T <- wholes "" shape values

        attribute

    let node (dtype: DType) (op: string) (inputs: string list) (outputs: string list) attributes : NodeProto =
        let node = NodeProto(OpType = op, Name = $"the {op}")
        node.Input.AddRange inputs
        node.Output.AddRange outputs
        node.Attribute.AddRange(attributes |> Seq.map (attribute dtype))
        node

    /// An input or output; a length of −1 is written as a name.
    let value (name: string) (kind: OnnxElementType) (shape: int list voption) : ValueInfoProto =
        let tensor = TypeProto.Types.Tensor(ElemType = int kind)

        match shape with
        | ValueNone -> ()
        | ValueSome shape ->
            tensor.Shape <- TensorShapeProto()

            for i, length in List.indexed shape do
                let dim = TensorShapeProto.Types.Dimension()
                if length < 0 then dim.DimParam <- $"n{i}" else dim.DimValue <- int64 length
                tensor.Shape.Dim.Add dim

        ValueInfoProto(Name = name, Type = TypeProto(TensorType = tensor))

    /// A model of nodes, in a version of the operators.
    let model (opset: int) (nodes: NodeProto seq) (inputs: ValueInfoProto seq) (outputs: ValueInfoProto seq) tensors =
        let graph = GraphProto(Name = "test")
        graph.Node.AddRange nodes
        graph.Input.AddRange inputs
        graph.Output.AddRange outputs
        graph.Initializer.AddRange(tensors: TensorProto seq)
        // The oldest version of the format in which tensors need not be inputs.
        let model = ModelProto(IrVersion = 8L, Graph = graph, ProducerName = "tests")
        model.OpsetImport.Add(OperatorSetIdProto(Domain = "", Version = int64 opset))
        model

    let bytes (model: ModelProto) : byte[] = model.ToByteArray()

    let read (model: ModelProto) : OnnxModel =
        OnnxModel.Read(new MemoryStream(bytes model), "test.onnx", OnnxOptions.Default)
