namespace Curvature.Samples.Report

open System
open System.Text.Encodings.Web
open System.Text.Json
open System.Text.Json.Nodes
open Curvature

/// The report as programs read it.
[<RequireQualifiedAccess>]
module Json =

    /// A number; null where it is not known or not finite, which JSON has no number for.
    let private number (value: float) : JsonNode = if Double.IsFinite value then JsonValue.Create value else null

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

    let private numbers (values: float seq) = JsonArray(values |> Seq.map number |> Seq.toArray) :> JsonNode
    let private list (nodes: JsonNode seq) = JsonArray(Seq.toArray nodes) :> JsonNode

    let private eigenvalues (pairs: EigenPairs) =
        Array.zip pairs.Values pairs.Residuals
        |> Array.map (fun (value, residual) ->
            record [ "value", number value; "residual", number residual ] :> JsonNode)
        |> list

    let private density (curves: SpectralCurves) =
        record
            [
                "grid", numbers curves.Density.Grid
                "value", numbers curves.Density.Values
                "standardError", numbers curves.Density.StandardErrors
                "cumulative", numbers curves.Cumulative.Values
                "low", numbers curves.Cumulative.Low
                "high", numbers curves.Cumulative.High
                "width", number curves.Density.Width
            ]

    let private ritzValues (spectrum: SpectralSample) =
        [
            for rule in spectrum.Rules ->
                record [ "values", numbers rule.Nodes; "weights", numbers rule.Weights ] :> JsonNode
        ]
        |> list

    let private history (points: TracePoint[]) =
        [
            for point in points ->
                record
                    [
                        "samples", whole point.Samples
                        "value", number point.Value
                        "low", number point.Low
                        "high", number point.High
                    ]
                :> JsonNode
        ]
        |> list

    /// Numbers where they are finite: JSON has no others.
    let private finite (values: float seq) =
        values |> Seq.map (fun value -> if System.Double.IsFinite value then number value else null) |> list

    let private line (found: LossLine) =
        record
            [
                "direction", JsonValue.Create found.Direction.Name :> JsonNode
                "positions", numbers found.Positions
                "loss", finite found.Losses
                "model", numbers found.ModelLosses
            ]
        :> JsonNode

    let private plane (found: LossPlane) =
        let losses = found.Losses

        record
            [
                "first", JsonValue.Create found.First.Name :> JsonNode
                "second", JsonValue.Create found.Second.Name :> JsonNode
                "firstPositions", numbers found.FirstPositions
                "secondPositions", numbers found.SecondPositions
                "loss", list [ for i in 0 .. Array2D.length1 losses - 1 -> finite losses[i, *] ]
            ]

    let private landscape (found: Landscapes) =
        record [ "lines", found.Lines |> List.map line |> list; "plane", plane found.Plane ]

    let private calibration (found: ClassCalibration) =
        [
            "accuracy", number found.Accuracy
            "calibrationError", number found.Error
            "calibrationStandardError", number found.StandardError
            "calibrationErrorIfCalibrated", number found.ErrorIfCalibrated
            "negativeLogLikelihood", number found.NegativeLogLikelihood
            "negativeLogLikelihoodStandardError", number found.NegativeLogLikelihoodError
        ]

    let private heldOut (found: HeldOut option) : JsonNode =
        match found with
        | None -> null
        | Some found ->
            let laplace: JsonNode =
                match found.Laplace with
                | None -> null
                | Some(posterior, ofPosterior) ->
                    record (
                        ("priorPrecision", number posterior.PriorPrecision)
                        :: ("logEvidence", number posterior.LogEvidence)
                        :: calibration ofPosterior
                    )

            record (("rows", whole found.Network.Samples) :: calibration found.Network @ [ "laplace", laplace ])

    /// All numbers of a report.
    let ofReport (report: Report) : JsonObject =
        record
            [
                "parameters", whole report.Problem.Layout.Size
                "loss", number report.Loss
                "gradientNorm", number report.GradientNorm
                "trace", trace report
                "blockTraces", JsonArray(report.BlockTraces |> Array.map (fun b -> block b :> JsonNode))
                "diagonal", diagonal report
                "accuracy", number report.Accuracy
                "traceHistory", history report.TraceHistory
                "topEigenvalues", eigenvalues report.TopEigenpairs
                "density", density (SpectralCurves.ofReport report)
                "ritzValues", ritzValues report.Spectrum
                "landscape", landscape report.Landscapes
                "heldOut", heldOut report.HeldOut
                "seconds", number report.Seconds
            ]

    /// The text of report.json.
    let text (report: Report) : string =
        let layout = JsonSerializerOptions(WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
        (ofReport report).ToJsonString layout + "\n"
