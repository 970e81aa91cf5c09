namespace Curvature.Samples.Report

open System
open System.IO
open System.Text.Encodings.Web
open System.Text.Json
open System.Text.Json.Nodes
open Curvature

/// The report as a person reads it.
[<RequireQualifiedAccess>]
module Summary =

    let private reason (trace: Estimate<float>) =
        match trace.StopReason with
        | StopReason.ErrorReached -> "the error asked for is reached"
        | StopReason.MatvecsSpent -> "the products allowed are spent"
        | other -> $"{other}"

    let private traceRows (report: Report) =
        let trace = report.Trace
        let write = Numbers.within trace.StandardError
        let interval = trace.Interval 0.95

        [
            [
                "estimate"
                Numbers.plusMinus trace.Value trace.StandardError
                $"{write interval.Low} … {write interval.High}"
                Numbers.count trace.Matvecs
                Numbers.seconds trace.Seconds
            ]
            match report.Exact with
            | Some exact ->
                let cost = Numbers.count (exact.Matvecs + exact.QuadraticForms)
                [ "exact"; write exact.Value; ""; cost; Numbers.seconds exact.Seconds ]
            | None -> ()
        ]

    let private blockRow (block: BlockTrace) =
        [
            block.Block.Name
            Numbers.count block.Block.Size
            Numbers.plusMinus block.Trace.Value block.Trace.StandardError
        ]

    /// Shows a report.
    let show (display: Display) (report: Report) =
        let training = report.Training
        let diagonal = report.Diagonal.Value.ToArray()

        display.Say
            $"Training: {Numbers.count training.Steps} gradients, {Numbers.percent report.Accuracy} of the rows right, {Numbers.seconds training.Seconds}"

        display.Say $"Loss {Numbers.value report.Loss}, gradient norm {Numbers.value report.GradientNorm}"

        display.Table(
            $"Trace of the Hessian ({reason report.Trace})",
            [ ""; "value ± standard error"; "95 % interval"; "products"; "time" ],
            traceRows report
        )

        display.Table(
            "Trace of each parameter tensor, from the same products",
            [ "parameter"; "size"; "trace ± standard error" ],
            report.BlockTraces |> Array.map blockRow |> List.ofArray
        )

        display.Table(
            "Diagonal of the Hessian, from the same products",
            [ ""; "min"; "mean"; "max" ],
            [
                [
                    "estimate"
                    Numbers.value (Array.min diagonal)
                    Numbers.value (Array.average diagonal)
                    Numbers.value (Array.max diagonal)
                ]
            ]
        )

        display.Say $"All of it: {Numbers.seconds report.Seconds}"

/// The report as programs read it.
[<RequireQualifiedAccess>]
module Json =

    let private number (value: float) = JsonValue.Create value :> JsonNode
    let private whole (value: int) = JsonValue.Create value :> JsonNode

    let private record (members: (string * JsonNode) list) =
        let node = JsonObject()
        members |> List.iter node.Add
        node

    let private trace (report: Report) =
        let interval = report.Trace.Interval 0.95

        record
            [
                "value", number report.Trace.Value
                "standardError", number report.Trace.StandardError
                "low", number interval.Low
                "high", number interval.High
                "matvecs", whole report.Trace.Matvecs
                "exact",
                (match report.Exact with
                 | Some exact -> number exact.Value
                 | None -> null)
            ]

    let private block (block: BlockTrace) =
        record
            [
                "name", JsonValue.Create block.Block.Name :> JsonNode
                "size", whole block.Block.Size
                "value", number block.Trace.Value
                "standardError", number block.Trace.StandardError
            ]

    let private diagonal (report: Report) =
        let values = report.Diagonal.Value.ToArray()

        record
            [
                "min", number (Array.min values)
                "max", number (Array.max values)
                "mean", number (Array.average values)
            ]

    /// All numbers of a report.
    let ofReport (report: Report) : JsonObject =
        record
            [
                "parameters", whole report.Problem.Network.ParameterCount
                "loss", number report.Loss
                "gradientNorm", number report.GradientNorm
                "trace", trace report
                "blockTraces", JsonArray(report.BlockTraces |> Array.map (fun b -> block b :> JsonNode))
                "diagonal", diagonal report
                "seconds", number report.Seconds
            ]

    /// Makes the folder where it is not there, before the work begins whose result is to lie in it.
    let prepare (folder: string) =
        try
            Directory.CreateDirectory folder |> ignore
        with
        | :? IOException
        | :? UnauthorizedAccessException
        | :? ArgumentException as error -> raise (DataException($"--out {folder}: {error.Message}", error))

    /// Writes report.json into a folder, and gives its path.
    let write (folder: string) (report: Report) : string =
        let layout = JsonSerializerOptions(WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
        let path = Path.Combine(folder, "report.json")

        try
            File.WriteAllText(path, (ofReport report).ToJsonString layout + "\n")
        with
        | :? IOException
        | :? UnauthorizedAccessException as error -> raise (DataException($"{path}: {error.Message}", error))

        path
