namespace Curvature.OnnxFormat

open System
open System.Collections.Generic
open Curvature
open Curvature.FSharp

/// A node and what computes it.
[<NoEquality; NoComparison>]
type internal Step = { Node: Node; Operator: Operator }

/// Steps in the order in which they run, and after each the values that nothing needs any more.
[<NoEquality; NoComparison>]
type internal RunPlan = { Steps: Step[]; Release: string[][]; Outputs: string[] }

/// The graph of a model, of which every node has an operator and every value one origin.
[<NoEquality; NoComparison>]
type internal Graph =
    {
        Opset: int
        Steps: Step[]
        Initializers: Map<string, TensorRecord>
        Inputs: ValueRecord[]
        Outputs: ValueRecord[]
    }

[<RequireQualifiedAccess>]
module internal Graph =

    /// Longer lists of problems are cut.
    let private mostProblems = 40

    let private opsetOf (name: string) (record: ModelRecord) : int =
        match record.Opsets |> Array.filter (fun (domain, _) -> OperatorTable.isStandard domain) with
        | [||] -> Fail.data $"{name}: the file does not say which version of the operators it uses"
        | versions ->
            let version = versions |> Array.map snd |> Array.max

            if version < int64 Operator.oldest || version > int64 Operator.newest then
                Fail.data (
                    $"{name}: the file uses version {version} of the operators, and versions {Operator.oldest} to "
                    + $"{Operator.newest} are supported"
                )

            int version

    let private single (what: string) (name: string) (items: (string * 'T) seq) : Map<string, 'T> =
        (Map.empty, items)
        ||> Seq.fold (fun found (key, item) ->
            if key = "" then Fail.data $"{name}: {what} has no name"

            if found.ContainsKey key then
                Fail.data $"{name}: {what} \"{key}\" is there twice"

            found.Add(key, item))

    /// The tensors that are attributes of a node.
    let private tensorsOf (content: TensorContent) (load: TensorRecord -> Value) (record: NodeRecord) =
        let tensors = Dictionary<string, Value>()

        for name, value in record.Attributes do
            match value with
            | AttributeValue.Tensor tensor ->
                content.Check tensor
                tensors[name] <- load tensor
            | _ -> ()

        tensors

    /// Raises where a value is used before it is there, or made twice.
    let private requireOrder (name: string) (graph: GraphRecord) (isInitial: string -> bool) (nodes: Node[]) =
        let made = HashSet<string>()
        let isThere value = value = "" || isInitial value || made.Contains value
        let makers = HashSet<string>(nodes |> Seq.collect _.Record.Outputs)

        for node in nodes do
            for input in node.Record.Inputs do
                if not (isThere input) then
                    let reason =
                        if makers.Contains input then
                            "which a later node gives: the graph has a cycle, or is not in order"
                        else
                            "which nothing gives"

                    Fail.data $"{name}: {node.Label} reads \"{input}\", {reason}"

            for output in node.Record.Outputs do
                if output <> "" && (isInitial output || not (made.Add output)) then
                    Fail.data $"{name}: {node.Label} gives \"{output}\", which is there already"

        for output in graph.Outputs do
            if not (isThere output.Name) then
                Fail.data $"{name}: the output \"{output.Name}\" is given by no node"

    /// Raises one error that names every node that cannot be computed, of very many the first.
    let private requireSupport (name: string) (problems: ResizeArray<string>) =
        if problems.Count > 0 then
            let rows =
                Seq.truncate mostProblems problems |> Seq.map (fun problem -> "\n  " + problem) |> String.concat ""

            let left = problems.Count - mostProblems
            let more = if left > 0 then $"\n  … and {left} more" else ""
            let count = Describe.count problems.Count "problem"
            Fail.data $"{name}: the model cannot be computed, for {count}:{rows}{more}"

    /// Checks a graph whose messages are well formed. Raises DataException for values without an origin or with two,
    /// for cycles, and for nodes that cannot be computed: all of these at once.
    let ofRecord (name: string) (content: TensorContent) (load: TensorRecord -> Value) (record: ModelRecord) : Graph =
        let graph = record.Graph
        let opset = opsetOf name record

        if graph.HasSparseInitializers then
            Fail.data $"{name}: the file holds sparse tensors, which are not supported"

        let initializers = graph.Initializers |> Seq.map (fun tensor -> tensor.Name, tensor) |> single "a tensor" name
        // Before 2019 initializers were inputs as well.
        let inputs = graph.Inputs |> Array.filter (fun input -> not (initializers.ContainsKey input.Name))
        let inputNames = inputs |> Seq.map (fun input -> input.Name, ()) |> single "an input" name
        let isInitial value = initializers.ContainsKey value || inputNames.ContainsKey value

        let nodes = graph.Nodes |> Array.mapi (fun i record -> Node(i, record, Dictionary<string, Value>()), record)

        requireOrder name graph isInitial (Array.map fst nodes)
        let problems = ResizeArray<string>()

        // Later ones are only counted.
        let tell (node: Node) (problem: string) =
            problems.Add(if problems.Count < mostProblems then $"{node.Label} {problem}" else "")

        let operators =
            nodes
            |> Array.map (fun (node, record) ->
                match OperatorTable.find opset record.Domain record.OpType with
                | Error problem ->
                    tell node problem
                    ValueNone
                | Ok operator ->
                    for problem in Operator.problems operator node do
                        tell node problem

                    ValueSome operator)

        requireSupport name problems

        {
            Opset = opset
            Steps =
                Array.map2
                    (fun (node: Node, record) operator ->
                        {
                            Node = Node(node.Index, record, tensorsOf content load record)
                            Operator = ValueOption.get operator
                        })
                    nodes
                    operators
            Initializers = initializers
            Inputs = inputs
            Outputs = graph.Outputs
        }

    /// The steps that some values need. Raises DataException for a value that there is not.
    let schedule (outputs: string[]) (graph: Graph) : RunPlan =
        let wanted = HashSet<string> outputs
        let isMade = HashSet<string>(graph.Steps |> Seq.collect _.Node.Record.Outputs)

        for output in outputs do
            let isInput = graph.Inputs |> Array.exists (fun input -> input.Name = output)

            if not (isMade.Contains output || isInput || graph.Initializers.ContainsKey output) then
                Fail.data $"there is no value \"{output}\" in the model"

        let steps =
            [|
                for step in Array.rev graph.Steps do
                    if step.Node.Record.Outputs |> Array.exists wanted.Contains then
                        wanted.UnionWith step.Node.Record.Inputs
                        step
            |]
            |> Array.rev

        let kept = HashSet<string> outputs
        let seen = HashSet<string>()

        let release =
            [|
                for step in Array.rev steps do
                    [|
                        for value in Array.append step.Node.Record.Inputs step.Node.Record.Outputs do
                            if value <> "" && not (kept.Contains value) && seen.Add value then value
                    |]
            |]
            |> Array.rev

        { Steps = steps; Release = release; Outputs = outputs }

    /// The same error, with the name of the node; what is not the library's own says that values do not fit the node.
    let private naming (node: Node) (error: exn) : exn =
        let message =
            if error.Message.StartsWith(node.Label, StringComparison.Ordinal) then
                error.Message
            else
                $"{node.Label}: {error.Message}"

        match error with
        | :? DifferentiationException
        | :? OutOfMemoryException
        | :? OperationCanceledException -> error
        | :? ShapeException -> ShapeException message
        | :? DTypeException -> DTypeException message
        | :? ArgumentRangeException -> ArgumentRangeException message
        | :? DataException -> DataException(message, error)
        | :? CurvatureException -> error
        | _ -> DataException($"{node.Label}: its inputs do not fit it ({error.Message})", error)

    let private runStep (context: Context) (values: Dictionary<string, Value>) (step: Step) : unit =
        let node = step.Node

        let inputs =
            node.Record.Inputs
            |> Array.map (fun name ->
                if name = "" then ValueNone
                elif step.Operator.TakesImages then ValueSome values[name]
                else ValueSome(Value.plain values[name]))

        let results =
            try
                step.Operator.Run(Call(context, node, inputs))
            with error ->
                match naming node error with
                | same when obj.ReferenceEquals(same, error) -> reraise ()
                | named -> raise named

        let names = node.Record.Outputs

        if results.Length < names.Length && Array.exists ((<>) "") names[results.Length ..] then
            Fail.data $"{node.Label}: it gives {results.Length} results, and the file has names for {names.Length}"

        for name, result in Seq.zip names results do
            if name <> "" then values[name] <- result

    /// Computes the outputs of a schedule from the values of inputs and initializers.
    let run (context: Context) (initial: seq<string * Value>) (schedule: RunPlan) : Value[] =
        let values = Dictionary<string, Value>()

        for name, value in initial do
            values[name] <- value

        Array.iter2
            (fun step release ->
                runStep context values step

                for name in release do
                    values.Remove name |> ignore)
            schedule.Steps
            schedule.Release

        schedule.Outputs |> Array.map (fun name -> Value.plain values[name])
