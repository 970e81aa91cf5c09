namespace Curvature.OnnxFormat

open System
open System.Collections.Generic
open Curvature
open Curvature.FSharp

/// A node of the graph, with its attributes by name. Tensors among them are loaded.
[<Sealed>]
type internal Node(index: int, record: NodeRecord, tensors: IReadOnlyDictionary<string, Value>) =
    // Small, since a file of a few megabytes can hold a million nodes.
    let attributes = Dictionary<string, AttributeValue>(record.Attributes.Length)

    do
        for name, value in record.Attributes do
            attributes[name] <- value

    let label () =
        if record.Name = "" then
            $"node {index} ({record.OpType})"
        else
            $"node {index}, \"{record.Name}\" ({record.OpType})"

    let wrong (name: string) (wanted: string) : 'T = Fail.data $"{label ()}: attribute {name} is not {wanted}"

    member _.Index = index
    member _.Record = record

    /// What messages call the node.
    member _.Label = label ()

    member _.Has(name: string) = attributes.ContainsKey name
    member _.Names: string seq = attributes.Keys

    /// The kind of an attribute, as the table of operators writes it.
    member _.KindOf(name: string) : string =
        match attributes[name] with
        | AttributeValue.Int _ -> "int"
        | AttributeValue.Float _ -> "float"
        | AttributeValue.Text _ -> "text"
        | AttributeValue.Tensor _ -> "tensor"
        | AttributeValue.Ints _ -> "ints"
        | AttributeValue.Floats _ -> "floats"
        | AttributeValue.Texts _ -> "texts"
        | AttributeValue.Other kind -> kind

    member _.Int(name: string, fallback: int64) : int64 =
        match attributes.TryGetValue name with
        | true, AttributeValue.Int value -> value
        | true, _ -> wrong name "a whole number"
        | _ -> fallback

    /// Whether a whole number is not 0.
    member node.Flag(name: string, fallback: bool) : bool = node.Int(name, (if fallback then 1L else 0L)) <> 0L

    member _.Float(name: string, fallback: float) : float =
        match attributes.TryGetValue name with
        | true, AttributeValue.Float value -> float value
        | true, _ -> wrong name "a Float32"
        | _ -> fallback

    member _.Text(name: string, fallback: string) : string =
        match attributes.TryGetValue name with
        | true, AttributeValue.Text value -> value
        | true, _ -> wrong name "a text"
        | _ -> fallback

    member _.TryInts(name: string) : int64[] voption =
        match attributes.TryGetValue name with
        | true, AttributeValue.Ints values -> ValueSome values
        | true, _ -> wrong name "a list of whole numbers"
        | _ -> ValueNone

    member _.TryFloats(name: string) : float[] voption =
        match attributes.TryGetValue name with
        | true, AttributeValue.Floats values -> ValueSome(values |> Array.map float)
        | true, _ -> wrong name "a list of Float32"
        | _ -> ValueNone

    member _.TryTensor(name: string) : Value voption =
        match tensors.TryGetValue name with
        | true, value -> ValueSome value
        | _ -> ValueNone

/// A node that is computed: its attributes, and the values of its inputs.
[<Sealed>]
type internal Call(context: Context, node: Node, inputs: Value voption[]) =

    member _.Context = context
    member _.Node = node
    member _.Opset = context.Opset

    /// Raises DataException that names the node.
    member _.Fail(message: string) : 'T = Fail.data $"{node.Label}: {message}"

    member _.TryInput(i: int) : Value voption = if i < inputs.Length then inputs[i] else ValueNone

    member call.Input(i: int) : Value =
        match call.TryInput i with
        | ValueSome value -> value
        | ValueNone -> call.Fail $"input {i} is missing"

    /// The inputs that are there.
    member _.Inputs: Value list = inputs |> Seq.choose ValueOption.toOption |> List.ofSeq

    /// An input of floating point.
    member call.Tensor(i: int) : Tensor =
        match Value.plain (call.Input i) with
        | Value.Numbers(kind, tensor) when ElementType.isFloating kind -> tensor
        | other -> call.Fail $"input {i} is {other.Kind}, and floating point is needed"

    /// An input of images, as [N; height; width; channels].
    member call.Images(i: int) : Tensor =
        match call.Input i with
        | Value.Images(_, tensor) -> tensor
        | _ -> Nchw.toNhwc (call.Tensor i)

    member call.TryTensor(i: int) : Tensor voption =
        match call.TryInput i with
        | ValueSome _ -> ValueSome(call.Tensor i)
        | ValueNone -> ValueNone

    /// A list of whole numbers, which is an attribute in some versions of an operator and an input in others.
    member call.TryIntegers(attribute: string, input: int) : int64[] voption =
        match node.TryInts attribute, call.TryInput input with
        | ValueSome values, _ -> ValueSome values
        | ValueNone, ValueSome value -> ValueSome(Value.integers value)
        | ValueNone, ValueNone -> ValueNone

    /// A number that is an attribute in some versions of an operator and an input in others.
    member call.TryReal(attribute: string, input: int) : float voption =
        match node.Has attribute, call.TryInput input with
        | true, _ -> ValueSome(node.Float(attribute, 0.0))
        | false, ValueSome value ->
            match Value.reals value with
            | [| number |] -> ValueSome number
            | numbers -> call.Fail $"input {input} has {numbers.Length} elements, and one is needed"
        | false, ValueNone -> ValueNone

    /// An axis, counted from the end where it is negative.
    member call.Axis(rank: int, axis: int64) : int =
        let fromStart = if axis < 0L then axis + int64 rank else axis

        if fromStart < 0L || fromStart >= int64 rank then
            call.Fail $"axis {axis} does not exist in a value of {rank} axes"

        int fromStart

    /// Axes, ascending; none may come twice.
    member call.Axes(rank: int, axes: int64[]) : int list =
        let found = axes |> Array.map (fun axis -> call.Axis(rank, axis)) |> Array.sort |> List.ofArray

        if (List.distinct found).Length <> found.Length then
            call.Fail $"axes {List.ofArray axes} name an axis twice"

        found

    /// A length or a position, which has to fit 32 bits.
    member call.Small(what: string, number: int64) : int =
        if number < int64 Int32.MinValue || number > int64 Int32.MaxValue then
            call.Fail $"{what} is {number}, which does not fit 32 bits"

        int number

    /// The one result of an operator: images of the kind of its first input, as [N; height; width; channels].
    member call.ImageResult(tensor: Tensor) : Value list = [ Value.Images(call.Input(0).Kind, tensor) ]

    /// The one result of an operator: floating point of the kind of its first input.
    member call.Result(tensor: Tensor) : Value list = [ Value.Numbers(call.Input(0).Kind, tensor) ]
