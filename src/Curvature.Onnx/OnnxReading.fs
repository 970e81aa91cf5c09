namespace Curvature.OnnxFormat

open System
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open Curvature
open Curvature.FSharp

/// What a model is made of. The parameters are in θ, everything else that the file holds is a constant.
[<NoEquality; NoComparison>]
type internal OnnxParts =
    {
        Name: string
        Producer: string
        Graph: Graph
        Layout: ParameterLayout
        Theta: Tensor
        /// Floating point and whole numbers that are not parameters.
        Constants: Map<string, Value>
        Warnings: string list
        /// The precision that was asked for, where it is not that of the file.
        Floats: DType voption
        MostBytes: int64
        Schedule: RunPlan
    }

/// Reads a model: its messages, its graph, and then its weights to where they belong.
[<RequireQualifiedAccess>]
module internal OnnxReading =

    let private load (content: TensorContent) (record: TensorRecord) : Value =
        let shape = content.Shape record
        let kind = content.Kind record

        if kind = OnnxElementType.Float64 then
            Value.Numbers(kind, Tensor.ofArray (List.ofArray shape) (content.Doubles record))
        elif ElementType.isFloating kind then
            Value.Numbers(kind, Tensor.ofSingleArray (List.ofArray shape) (content.Singles record))
        else
            Value.host kind shape (content.Integers record)

    let private isFloating (record: TensorRecord) =
        match ElementType.tryOf record.Type with
        | ValueSome kind -> ElementType.isFloating kind
        | ValueNone -> false

    /// The names that nodes compute with, and those that say how to compute.
    let private uses (graph: Graph) : HashSet<string> * HashSet<string> =
        let computed, settings = HashSet<string>(), HashSet<string>()

        for step in graph.Steps do
            step.Node.Record.Inputs
            |> Array.iteri (fun i name ->
                let isSetting = List.contains i step.Operator.Settings
                (if isSetting then settings else computed).Add name |> ignore)

        computed, settings

    /// The tensors that are parameters, in the order of the file.
    let private parametersOf (name: string) (options: OnnxOptions) (graph: Graph) (tensors: TensorRecord[]) =
        let computed, settings = uses graph
        let floating = tensors |> Array.filter isFloating
        options.RequireMatches(name, floating |> Seq.map _.Name)

        let byDefault (tensor: TensorRecord) =
            tensor.Dims.Length > 0 && computed.Contains tensor.Name && not (settings.Contains tensor.Name)

        floating |> Array.filter (fun tensor -> options.IsParameter(tensor.Name, byDefault tensor))

    /// θ is of the precision that most of its elements have.
    let private precision (layout: ParameterLayout) (content: TensorContent) (parameters: TensorRecord[]) : DType =
        let wide =
            Array.zip parameters (Seq.toArray layout.Tensors)
            |> Array.sumBy (fun (record, tensor) ->
                if content.Kind record = OnnxElementType.Float64 then int64 tensor.Size else 0L)

        if 2L * wide > int64 layout.Size then DType.Float64 else DType.Float32

    /// Reads the parameters into one vector.
    let private theta (layout: ParameterLayout) (content: TensorContent) (parameters: TensorRecord[]) : Tensor =
        let places = Array.zip parameters (Seq.toArray layout.Tensors)

        match precision layout content parameters with
        | DType.Float64 ->
            let values = Array.zeroCreate<float> layout.Size

            for record, tensor in places do
                if content.Kind record = OnnxElementType.Float64 then
                    Array.blit (content.Doubles record) 0 values tensor.Offset tensor.Size
                else
                    content.Singles record |> Array.iteri (fun i x -> values[tensor.Offset + i] <- float x)

            Tensor.ofArray [ layout.Size ] values
        | _ ->
            let values = Array.zeroCreate<float32> layout.Size

            for record, tensor in places do
                if content.Kind record = OnnxElementType.Float64 then
                    content.Doubles record |> Array.iteri (fun i x -> values[tensor.Offset + i] <- float32 x)
                else
                    content.CopySingles(record, Span(values, tensor.Offset, tensor.Size))

            Tensor.ofSingleArray [ layout.Size ] values

    let private warningsOf (graph: Graph) (tensors: TensorRecord[]) (layout: ParameterLayout) : string list =
        let computed, settings = uses graph

        let named (tensors: TensorRecord[]) =
            let names = tensors |> Array.map _.Name
            let shown = String.Join(", ", Array.truncate 5 names)
            if names.Length > 5 then $"{shown} and {names.Length - 5} more" else shown

        let isUnused (tensor: TensorRecord) =
            let isOutput = graph.Outputs |> Array.exists (fun output -> output.Name = tensor.Name)
            not (computed.Contains tensor.Name || settings.Contains tensor.Name || isOutput)

        let isHalf (tensor: TensorRecord) =
            tensor.Type = int OnnxElementType.Float16 || tensor.Type = int OnnxElementType.BFloat16

        let large =
            [
                for step in graph.Steps do
                    match step.Node.TryTensor "value" with
                    | ValueSome(AsTensor(_, tensor)) when tensor.Size > 1000 -> step.Node.Label
                    | _ -> ()
            ]

        [
            match tensors |> Array.filter isUnused with
            | [||] -> ()
            | unused -> $"no node uses {named unused}"

            match tensors |> Array.filter isHalf with
            | [||] -> ()
            | half -> $"{half.Length} tensors of 16 bits are held and computed with in Float32"

            if not large.IsEmpty then
                $"""{String.Join(", ", List.truncate 5 large)}: large constants of the graph are not parameters"""

            if layout.Size = 0 then "the model has no parameters"
        ]

    let private partsOf (options: OnnxOptions) (name: string) (wire: WireReader) (content: TensorContent) : OnnxParts =
        let record = RecordReader(wire).Model()
        let graph = Graph.ofRecord name content (load content) record
        let tensors = record.Graph.Initializers

        for tensor in tensors do
            content.Check tensor

        let parameters = parametersOf name options graph tensors
        let isParameter = HashSet<string>(parameters |> Seq.map _.Name)

        let layout =
            parameters
            |> Seq.map (fun tensor -> tensor.Name, content.Shape tensor |> List.ofArray)
            |> List.ofSeq
            |> ParameterLayout.ofShapes

        let constants =
            tensors
            |> Seq.filter (fun tensor -> not (isParameter.Contains tensor.Name))
            |> Seq.map (fun tensor -> tensor.Name, load content tensor)
            |> Map.ofSeq

        {
            Name = name
            Producer = record.Producer
            Graph = graph
            Layout = layout
            Theta = theta layout content parameters
            Constants = constants
            Warnings = warningsOf graph tensors layout
            Floats = ValueNone
            MostBytes = options.Limits.Bytes
            Schedule = Graph.schedule (graph.Outputs |> Array.map _.Name) graph
        }

    let private read (options: OnnxOptions) (name: string) (folder: string voption) (stream: Stream) : OnnxParts =
        let reading = Reading(name, options.Limits)

        if not stream.CanSeek then
            Fail.data $"{name}: a stream that can seek is needed; copy this one into memory or a file"

        reading.Announce("the file", stream.Length)

        try
            let wire = WireReader(reading, stream)
            use content = new TensorContent(wire, folder)
            partsOf options name wire content
        with FileSystem.FileFault error ->
            raise (DataException($"{name} cannot be read: {error.Message}", error))

    /// The model of a stream.
    let ofStream (options: OnnxOptions) (name: string) (stream: Stream) : OnnxParts = read options name ValueNone stream

    /// The model of a file, with external data from its folder.
    let ofFile (options: OnnxOptions) (path: string) : OnnxParts =
        use file = DataFile.openFile path

        let folder =
            match Path.GetDirectoryName(Path.GetFullPath path) with
            | null -> Path.GetFullPath path
            | folder -> folder

        read options path (ValueSome folder) file
