namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open Curvature.FSharp
open Curvature.OnnxFormat

/// The length of an axis of an input or output, as the file states it.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type OnnxAxis internal (length: int voption, name: string) =

    /// The length; −1 where the file does not say it.
    member _.Length = ValueOption.defaultValue -1 length

    /// Whether the file says the length.
    member _.IsKnown = length.IsSome

    /// The name of a length that is not fixed, such as `batch`; empty where there is none. Axes with the same name
    /// have the same length.
    member _.Name = name

    override _.ToString() =
        match length with
        | ValueSome length -> string length
        | ValueNone when name = "" -> "?"
        | ValueNone -> name

    member internal this.Text = this.ToString()

/// An input or output of a model.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type OnnxValue internal (name: string, kind: OnnxElementType, axes: OnnxAxis[] voption) =

    /// The name by which it is fed or found.
    member _.Name = name

    /// The element type in the file.
    member _.ElementType = kind

    /// Whether the file says how many axes there are.
    member _.HasShape = axes.IsSome

    /// The axes, outermost first; empty where the file does not say them.
    member _.Axes: IReadOnlyList<OnnxAxis> =
        match axes with
        | ValueSome axes -> axes
        | ValueNone -> [||]

    override _.ToString() =
        let kind = if Enum.IsDefined kind then $" {kind}" else ""

        match axes with
        | ValueNone -> name + kind
        | ValueSome axes -> $"""{name}{kind} [{String.Join("; ", axes)}]"""

    member internal this.Text = this.ToString()

/// A model of an ONNX file as a function of its parameters θ: one flat vector, with the names of the file in its
/// layout. Every primitive of the library can differentiate it to any order. Immutable.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type OnnxModel internal (parts: OnnxParts) =

    let describe (record: ValueRecord) : OnnxValue =
        let axis (dim: DimRecord) =
            match dim.Length with
            | ValueSome length when length > 0L && length <= int64 Int32.MaxValue -> OnnxAxis(ValueSome(int length), "")
            | _ -> OnnxAxis(ValueNone, dim.Name)

        let kind = ElementType.tryOf record.Type |> ValueOption.defaultValue (enum<OnnxElementType> 0)
        OnnxValue(record.Name, kind, record.Dims |> ValueOption.map (Array.map axis))

    let inputs = parts.Graph.Inputs |> Array.map describe

    let outputs =
        parts.Schedule.Outputs
        |> Array.map (fun name ->
            match parts.Graph.Outputs |> Array.tryFind (fun output -> output.Name = name) with
            | Some output -> describe output
            | None -> OnnxValue(name, enum<OnnxElementType> 0, ValueNone))

    let checkShape (lengths: Dictionary<string, int>) (input: OnnxValue) (feed: Tensor) =
        let shape = feed.Shape

        let fits (axis: OnnxAxis, length: int) =
            if axis.IsKnown then axis.Length = length
            elif axis.Name = "" || lengths.TryAdd(axis.Name, length) then true
            else lengths[axis.Name] = length

        if input.HasShape && (input.Axes.Count <> shape.Length || not (Seq.forall fits (Seq.zip input.Axes shape))) then
            let known = String.Join(", ", lengths |> Seq.map (fun each -> $"{each.Key} = {each.Value}"))
            let known = if known = "" then "" else $" with {known}"
            Fail.shape $"input \"{input.Name}\": the model takes {input}{known}, and the shape is {Shape.show shape}"

    let valueOf (context: Context) (input: OnnxValue) (feed: Tensor) : Value =
        let isFloating = ElementType.isFloating input.ElementType
        let wanted = if isFloating then context.DTypeOf input.ElementType else DType.Int32

        if feed.DType <> wanted then
            Fail.dtype $"input \"{input.Name}\": {wanted} is needed for {input.ElementType}, and it is {feed.DType}"

        if isFloating then
            Value.Numbers(input.ElementType, feed)
        else
            // Known numbers are computed with on the host.
            match isNull feed.Owner with
            | true -> Value.host input.ElementType feed.Shape (feed.ToInt32Array() |> Array.map int64)
            | false -> Value.Numbers(input.ElementType, feed)

    let feed (context: Context) (feeds: seq<KeyValuePair<string, Tensor>>) : (string * Value) list =
        ArgumentNullException.ThrowIfNull(feeds, nameof feeds)
        let given = Dictionary<string, Tensor>()

        for each in feeds do
            ArgumentNullException.ThrowIfNull(each.Value, each.Key)

            if not (given.TryAdd(each.Key, each.Value)) then
                Fail.data $"input \"{each.Key}\" is fed twice"

            if inputs |> Array.forall (fun input -> input.Name <> each.Key) then
                let names = String.Join(", ", inputs |> Array.map _.Name)
                Fail.data $"the model has no input \"{each.Key}\"; it has: {names}"

        let lengths = Dictionary<string, int>()

        [
            for input in inputs do
                match given.TryGetValue input.Name with
                | true, tensor ->
                    checkShape lengths input tensor
                    input.Name, valueOf context input tensor
                | _ -> Fail.data $"input \"{input.Name}\" is not fed; the model takes {input}"
        ]

    let resultOf (context: Context) (value: Value) : Tensor =
        match value with
        | AsTensor(kind, tensor) when ElementType.isFloating kind -> tensor
        | whole -> Value.indices context whole

    let run (theta: Tensor) (feeds: seq<KeyValuePair<string, Tensor>>) : Tensor[] =
        ArgumentNullException.ThrowIfNull(theta, nameof theta)
        let context = Context(parts.Graph.Opset, parts.Floats, theta.Device, parts.MostBytes)
        let pieces = parts.Layout.Split theta
        let kindOf name = ElementType.tryOf parts.Graph.Initializers[name].Type |> ValueOption.get

        let initial =
            seq {
                yield! feed context feeds

                for each in parts.Constants do
                    each.Key, Value.ofConstant context each.Value

                for tensor in parts.Layout.Tensors do
                    let kind = kindOf tensor.Name
                    let piece = Tensor.convert (context.DTypeOf kind) pieces[tensor.Name]
                    tensor.Name, Value.Numbers(kind, piece)
            }

        Graph.run context initial parts.Schedule |> Array.map (resultOf context)

    /// The names and shapes of the parameters, in the order of the file.
    member _.Layout = parts.Layout

    /// The values of the parameters in the file, [n]: Float32 or Float64.
    member _.Theta = parts.Theta

    /// What has to be fed.
    member _.Inputs: IReadOnlyList<OnnxValue> = inputs

    /// What `Forward` returns.
    member _.Outputs: IReadOnlyList<OnnxValue> = outputs

    /// The tensors of floating point that are not parameters, such as statistics of batch normalisation.
    member _.Constants: IReadOnlyDictionary<string, Tensor> =
        let tensors = Dictionary<string, Tensor>()

        for each in parts.Constants do
            match each.Value with
            | AsTensor(_, tensor) -> tensors[each.Key] <- tensor
            | OnHost _ -> ()

        tensors

    /// What was found that may not be meant: tensors that nothing uses, or that are held in another precision.
    member _.Warnings: IReadOnlyList<string> = List.toArray parts.Warnings

    /// The version of ONNX's operators.
    member _.Opset = parts.Graph.Opset

    /// The program that wrote the file; empty where it does not say so.
    member _.Producer = parts.Producer

    /// How many nodes the outputs need, by operator, the most frequent first.
    member _.Operators: IReadOnlyList<KeyValuePair<string, int>> =
        let counts = parts.Schedule.Steps |> Array.countBy _.Operator.Name
        counts |> Array.sortBy (fun (name, count) -> -count, name) |> Array.map KeyValuePair :> _

    /// All outputs by name, for parameters θ in the order of the layout and a tensor for each input: Float32 or Float64
    /// for floating point, Int32 for whole numbers and truth values. Whole numbers come out as Int32. Both θ and
    /// inputs may be traced, so that this can be differentiated and compiled. Raises DataException for an input that is
    /// missing, unknown or fed twice, ShapeException or DTypeException for one that does not fit, and for a node that
    /// cannot be computed an error that names it.
    member _.Forward(theta: Tensor, feeds: seq<KeyValuePair<string, Tensor>>) : IReadOnlyDictionary<string, Tensor> =
        let results = run theta feeds
        let named = Dictionary<string, Tensor>()

        for name, result in Seq.zip parts.Schedule.Outputs results do
            named[name] <- result

        named

    /// The first output of a model of one input. Raises DataException where the model has several inputs; other errors
    /// are those of `Forward` with feeds.
    member _.Forward(theta: Tensor, input: Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(input, nameof input)

        if inputs.Length <> 1 then
            let names = String.Join(", ", inputs |> Array.map _.Name)
            Fail.data $"the model has {inputs.Length} inputs, {names}; feed them by name"

        if outputs.Length = 0 then Fail.data "the model has no outputs"
        (run theta [ KeyValuePair(inputs[0].Name, input) ])[0]

    /// The same model computed in another precision, with the parameters in it too: a Float32 model in Float64, to
    /// check derivatives, or the other way round. Raises DTypeException for Int32.
    member _.WithDType(dtype: DType) : OnnxModel =
        if dtype <> DType.Float32 && dtype <> DType.Float64 then
            Fail.dtype $"WithDType: models are computed in Float32 or Float64, and {dtype} was asked for"

        OnnxModel
            { parts with
                Floats = ValueSome dtype
                Theta = Tensor.convert dtype parts.Theta
            }

    /// The same model with other outputs: any values of the graph, by name, such as those of an inner layer. Nodes
    /// that none of them needs are not computed. Raises DataException for a name that there is not, or none.
    member _.WithOutputs(names: string seq) : OnnxModel =
        ArgumentNullException.ThrowIfNull(names, nameof names)
        let names = Seq.toArray names

        if names.Length = 0 then Fail.data "WithOutputs: one name at least is needed"

        OnnxModel { parts with Schedule = Graph.schedule names parts.Graph }

    /// The same model for any number of samples: the first axes of all inputs and outputs have no fixed length, but one
    /// that is the same for all. Exporters often write down the length of an example. Whether the nodes agree shows
    /// when the model runs: one that reshapes to a fixed number of samples raises ShapeException.
    member _.WithFreeBatch() : OnnxModel =
        let free (value: ValueRecord) =
            match value.Dims with
            | ValueSome dims when dims.Length > 0 ->
                let batch = { Length = ValueNone; Name = "batch" }
                { value with Dims = ValueSome(Array.updateAt 0 batch dims) }
            | _ -> value

        OnnxModel
            { parts with
                Graph =
                    { parts.Graph with
                        Inputs = parts.Graph.Inputs |> Array.map free
                        Outputs = parts.Graph.Outputs |> Array.map free
                    }
            }

    /// The model of a file, with the default options. Raises DataException as the other form does.
    static member Read(path: string) : OnnxModel = OnnxModel.Read(path, OnnxOptions.Default)

    /// The model of a file. Weights go from the file to one array, of which θ is a copy. Raises DataException, which
    /// names the file, where it is missing, damaged, larger than the limits, or not one that can be computed: then
    /// every node that cannot is named. External data are read from the folder of the file alone.
    static member Read(path: string, options: OnnxOptions) : OnnxModel =
        ArgumentNullException.ThrowIfNull(path, nameof path)
        ArgumentNullException.ThrowIfNull(options, nameof options)
        OnnxModel(OnnxReading.ofFile options path)

    /// The model of a stream that can seek; the name is for messages. Weights must be in the stream.
    static member Read(stream: Stream, name: string, options: OnnxOptions) : OnnxModel =
        ArgumentNullException.ThrowIfNull(stream, nameof stream)
        ArgumentNullException.ThrowIfNull(name, nameof name)
        ArgumentNullException.ThrowIfNull(options, nameof options)
        OnnxModel(OnnxReading.ofStream options name stream)

    override _.ToString() =
        let counts = Describe.count parts.Layout.Size "parameter"
        let tensors = Describe.count parts.Layout.Tensors.Count "tensor"
        let nodes = Describe.count parts.Schedule.Steps.Length "node"
        let list (title: string) (values: OnnxValue[]) = values |> Array.map (fun value -> $"{title} {value}")

        [|
            $"{parts.Name}: {counts} in {tensors}, {nodes}, opset {parts.Graph.Opset}"
            yield! list "input" inputs
            yield! list "output" outputs
            yield! parts.Warnings |> List.map (fun warning -> $"warning: {warning}")
        |]
        |> String.concat "\n"

    member internal this.Text = this.ToString()
