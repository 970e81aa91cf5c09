namespace Curvature.OnnxFormat

open System
open System.Collections.Generic
open Curvature

/// All operators that are supported. docs/onnx.md lists them, and a test compares.
[<RequireQualifiedAccess>]
module internal OperatorTable =

    let all: Operator list =
        List.concat
            [
                Arithmetic.operators
                Activations.operators
                Logic.operators
                Reductions.operators
                Shapes.operators
                Selection.operators
                Padding.operators
                Products.operators
                EinsumFormula.operators
                Convolutions.operators
                Pooling.operators
                Normalizations.operators
                Resizing.operators
            ]

    let private byName: IDictionary<string, Operator list> = all |> List.groupBy _.Name |> dict

    /// What a domain calls itself: the standard's own may be written out.
    let isStandard (domain: string) = domain = "" || domain = "ai.onnx"

    /// The operator of a name in a version of the standard's set; the error says why there is none.
    let find (opset: int) (domain: string) (name: string) : Result<Operator, string> =
        if not (isStandard domain) then
            Error $"is an operator of {domain}, and only those of ONNX itself are known"
        else
            match byName.TryGetValue name with
            | false, _ -> Error "is an operator that is not supported"
            | true, versions ->
                match versions |> List.tryFind (fun operator -> operator.First <= opset && opset <= operator.Last) with
                | Some operator -> Ok operator
                | None -> Error $"is an operator that version {opset} does not have"
