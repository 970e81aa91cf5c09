namespace Curvature.OnnxFormat

open System
open Curvature

/// An operator of ONNX, in the versions in which it means the same.
[<NoEquality; NoComparison>]
type internal Operator =
    {
        Name: string
        /// The first and the last version of the set of operators for which this holds.
        First: int
        Last: int
        FewestInputs: int
        MostInputs: int
        MostOutputs: int
        /// The attributes that are known, and their kinds: int, ints, float, floats, text or tensor.
        Attributes: (string * string) list
        /// Inputs that say how to compute. Constants there are not parameters.
        Settings: int list
        /// What an attribute asks for and is not there, as far as the node alone shows it.
        Refusal: Node -> string voption
        /// Whether it may be given images whose channels are last.
        TakesImages: bool
        Run: Call -> Value list
    }

[<RequireQualifiedAccess>]
module internal Operator =

    let oldest = 8
    let newest = 24

    /// An operator with so many inputs; its attributes are a text such as "alpha:float axes:ints".
    let make (name: string) (fewest: int, most: int) (attributes: string) (run: Call -> Value list) : Operator =
        let attribute (text: string) =
            let parts = text.Split ':'
            parts[0], parts[1]

        {
            Name = name
            First = oldest
            Last = newest
            FewestInputs = fewest
            MostInputs = most
            MostOutputs = 1
            Attributes =
                attributes.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> Array.map attribute |> List.ofArray
            Settings = []
            Refusal = fun _ -> ValueNone
            TakesImages = false
            Run = run
        }

    let since (first: int) (operator: Operator) = { operator with First = first }
    let until (last: int) (operator: Operator) = { operator with Last = last }
    let settings (inputs: int list) (operator: Operator) = { operator with Settings = inputs }
    let outputs (most: int) (operator: Operator) = { operator with MostOutputs = most }

    let takingImages (operator: Operator) = { operator with TakesImages = true }

    /// Refuses nodes for which the function says why.
    let refusing (refusal: Node -> string voption) (operator: Operator) = { operator with Refusal = refusal }

    /// What is wrong with an attribute of a node.
    let private attributeProblem (operator: Operator) (node: Node) (name: string) : string option =
        match operator.Attributes |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, kind) when kind = node.KindOf name -> None
        | Some(_, kind) -> Some $"has attribute {name} of kind {node.KindOf name}, and {kind} is needed"
        | None -> Some $"has attribute {name}, which is not supported"

    /// What is wrong with a node that has this operator, as far as it shows without values.
    let problems (operator: Operator) (node: Node) : string list =
        let record = node.Record
        let attributes = node.Names |> Seq.choose (attributeProblem operator node) |> List.ofSeq

        [
            if record.Inputs.Length < operator.FewestInputs || record.Inputs.Length > operator.MostInputs then
                let known = $"from {operator.FewestInputs} to {operator.MostInputs}"
                $"has {record.Inputs.Length} inputs, and {known} are known"

            for i in operator.MostOutputs .. record.Outputs.Length - 1 do
                if record.Outputs[i] <> "" then $"gives output {i}, which is not supported"

            yield! attributes

            if attributes.IsEmpty then
                match operator.Refusal node with
                | ValueSome reason -> reason
                | ValueNone -> ()
        ]
