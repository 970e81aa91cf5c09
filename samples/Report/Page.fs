namespace Curvature.Samples.Report

open System
open System.Globalization
open System.Net
open System.Reflection
open Curvature
open Curvature.FSharp

/// The report as a page that needs nothing but itself.
[<RequireQualifiedAccess>]
module Page =

    let private style =
        """*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--chart-ink);font:15px/1.5 system-ui,
-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
:root{--page:#f4f6f9;--edge:#dde3ea}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:19px;margin:40px 0 4px}
p{margin:0 0 12px;max-width:75ch;color:var(--chart-quiet)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:12px;margin:24px 0}
.tile,figure,.card{background:var(--chart-paper);border:1px solid var(--edge);border-radius:10px}
.tile{padding:10px 12px}
.tile span{display:block;font-size:12.5px;color:var(--chart-quiet)}
.tile strong{display:block;font-size:16px;font-weight:600;font-variant-numeric:tabular-nums}
figure{margin:0;padding:14px 14px 10px;overflow-x:auto}
figure .chart{width:100%}
.wide .chart{min-width:720px}
figure:not(.wide) .chart{max-width:560px}
figcaption{font-size:13px;color:var(--chart-quiet);padding:4px 6px 4px}
.pictures{display:grid;gap:16px;grid-template-columns:repeat(2,minmax(0,1fr));align-items:start;margin-top:12px}
.wide{grid-column:1/-1}
.card{padding:8px 16px;overflow-x:auto;margin-top:16px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--edge);white-space:nowrap}
th{font-weight:600;color:var(--chart-quiet)}
th:first-child,td:first-child{text-align:left}
tr:last-child td{border-bottom:0}
ul{margin:0;padding-left:20px;max-width:75ch}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--edge);font-size:13px;color:var(--chart-quiet)}
@media (max-width:860px){.pictures{grid-template-columns:minmax(0,1fr)}}
@media (prefers-color-scheme:dark){:root{--page:#0e1319;--edge:#29323d}}
@media print{:root{--page:#fff;--edge:#ccd3db}main{max-width:none;padding:0}h2{break-after:avoid}figure,.card,.tile
{break-inside:avoid}.wide .chart{min-width:0}body{font-size:11pt}}
@page{size:landscape;margin:12mm}"""

    let private escape (text: string) = WebUtility.HtmlEncode text
    let private around name inside = $"<{name}>{inside}</{name}>"

    let private tile (name: string) (value: string) =
        $"""<div class="tile"><span>{escape name}</span><strong>{escape value}</strong></div>"""

    let private figure kind (caption: string) chart =
        $"""<figure class="{kind}">{Chart.toElement chart}<figcaption>{escape caption}</figcaption></figure>"""

    let private pictures (figures: string list) =
        let inside = String.concat "\n" figures
        $"""<div class="pictures">{inside}</div>"""

    let private table (headings: string list) (rows: string list list) =
        let row cell values = values |> List.map (escape >> around cell) |> String.concat "" |> around "tr"
        let head = headings |> row "th" |> around "thead"
        let body = rows |> List.map (row "td") |> String.concat "\n" |> around "tbody"
        $"""<div class="card">{around "table" (head + body)}</div>"""

    let private section (title: string) (text: string) (parts: string list) =
        let inside = String.concat "\n" parts
        $"<section><h2>{escape title}</h2><p>{escape text}</p>{inside}</section>"

    let private summary (report: Report) =
        let problem, trace = report.Problem, report.Exact |> Option.defaultValue report.Trace

        [
            tile "parameters" (Typeset.count problem.Layout.Size)
            tile "loss (nats)" (Typeset.value report.Loss)
            tile "classified right" (Typeset.percent report.Accuracy)
            tile "gradient norm" (Typeset.value report.GradientNorm)
            tile "trace" (Typeset.estimate trace)
            tile "top eigenvalue" (Typeset.value report.TopEigenpairs.Values[0])
            tile "time" (Typeset.seconds report.Seconds)
        ]
        |> String.concat "\n"
        |> fun tiles -> $"""<div class="tiles">{tiles}</div>"""

    let private spectrum (report: Report) =
        let curves, ledger = SpectralCurves.ofReport report, report.Spectrum.Ledger
        let large = SpectralCurves.large report.Spectrum
        let vectors, steps = report.Spectrum.Rules.Length, report.Spectrum.Steps

        let how =
            if ledger.IsExact then
                "All eigenvalues, by a dense decomposition, which takes no more products here than a sample would: "
            else
                $"Stochastic Lanczos quadrature with {vectors} random vectors of {steps} steps: "

        let marks =
            if ledger.IsExact then
                "The marks below are the eigenvalues."
            else
                "The marks below are the Ritz values."

        let width = Typeset.value curves.Density.Width

        section
            "Spectrum"
            ($"{how}{Typeset.count ledger.Matvecs} products with the Hessian, {Typeset.seconds ledger.Seconds}. "
             + $"Of the {Typeset.count report.Spectrum.Size} eigenvalues, "
             + $"{Typeset.estimate large} are above 1 %% of the largest.")
            [
                pictures
                    [
                        figure
                            "wide"
                            ("How many eigenvalues are where: each counts as a Gaussian of standard deviation "
                             + $"{width}. {marks}")
                            (Pictures.density report curves)
                        figure
                            "wide"
                            (if ledger.IsExact then
                                 "The share of eigenvalues at or below each number."
                             else
                                 "The share of eigenvalues at or below each number. The band needs no smoothing: it "
                                 + "covers both the choice of random vectors and what the quadrature leaves open.")
                            (Pictures.cumulative report curves)
                    ]
            ]

    let private eigenpairs (report: Report) =
        let pairs = report.TopEigenpairs

        let row i =
            [
                $"{i + 1}"
                Typeset.within pairs.Residuals[i] pairs.Values[i]
                Typeset.error pairs.Residuals[i]
                if pairs.IsConverged[i] then "yes" else "no"
            ]

        section
            "Largest eigenvalues"
            ($"Lanczos with thick restarts: {Typeset.count pairs.Matvecs} products, "
             + $"{Typeset.seconds pairs.Seconds}. An eigenvalue lies within the residual of each number"
             + (if Pictures.areRounding pairs then
                    "; all residuals are down to rounding."
                else
                    "."))
            [
                pictures
                    [
                        figure "" "" (Pictures.eigenvalues pairs)
                        if not (Pictures.areRounding pairs) then figure "" "" (Pictures.residuals pairs)
                    ]
                table
                    [ "pair"; "eigenvalue λ"; "residual ‖Hv − λv‖"; "converged" ]
                    [ for i in 0 .. pairs.Values.Length - 1 -> row i ]
            ]

    let private traceTable (report: Report) =
        table
            [ "trace"; "value (95 % interval)"; "random vectors or columns"; "time" ]
            (Summary.traceRows (fun found -> Typeset.count found.Samples) report)

    let private trace (report: Report) =
        let diagonal = report.Diagonal.Value.ToArray()

        let how =
            if report.Trace.IsExact then
                "All columns, which cost less than an estimate: the trace, that of each parameter tensor and the "
                + "diagonal, all from the same products."
            else
                "Hutchinson's estimate from random signs: the trace, that of each parameter tensor and the "
                + $"diagonal, all from the same products. It ended because {Summary.reason report.Trace}."

        section
            "Trace"
            how
            [
                pictures
                    [
                        if not report.Trace.IsExact then
                            figure
                                "wide"
                                ("The estimate after more and more random vectors, with the interval that it "
                                 + "would have had, had it ended there.")
                                (Pictures.convergence report)
                        figure
                            "wide"
                            ("The diagonal block of each parameter tensor. What is not clearly away from "
                             + "0 needs more random vectors.")
                            (Pictures.blockTraces report)
                    ]
                traceTable report
                table
                    [ "diagonal"; "min"; "mean"; "max" ]
                    [
                        [
                            if report.Trace.IsExact then "exact" else "estimate"
                            Typeset.value (Array.min diagonal)
                            Typeset.value (Array.average diagonal)
                            Typeset.value (Array.max diagonal)
                        ]
                    ]
            ]

    let private landscapes (report: Report) =
        let line (found: LossLine) =
            let departure = found.Departure 0.1

            let sides =
                [ departure.Below; departure.Above ]
                |> List.choose (fun side -> Option.ofNullable side |> Option.map Typeset.rough)

            let caption =
                match sides with
                | [] -> "The model is right to a tenth of its rise."
                | _ -> $"""The model is off by a tenth of its rise at {String.concat " and at " sides}."""

            figure "" caption (Pictures.line found)

        let { Lines = lines; Plane = plane } = report.Landscapes
        let evaluations = (lines |> List.sumBy _.Evaluations) + plane.Evaluations

        section
            "Landscape"
            ($"The loss around the trained parameters θ, from {Typeset.count evaluations} evaluations, "
             + "with the quadratic model that gradient and Hessian at θ make. Eigenvectors and the gradient "
             + "have unit length, so that a step is a distance; the random direction has the norms of the "
             + "filters of θ (Li et al. 2018). Contours are drawn through cubics between the points.")
            [
                pictures
                    [
                        yield! lines |> List.map line
                        figure
                            ""
                            ($"In the plane of {plane.First.Name} (across) and {plane.Second.Name} (up), "
                             + "in the same scale.")
                            (Pictures.plane plane)
                    ]
            ]

    let private heldOut (report: Report) =
        match report.HeldOut with
        | None -> ""
        | Some found ->
            let posterior =
                if found.Laplace.IsSome then
                    " The posterior is a Laplace approximation by K-FAC with the prior of the largest evidence."
                else
                    ""

            section
                "Held-out data"
                ($"How well probabilities fit {Typeset.count found.Network.Samples} rows that were not shown. The "
                 + "calibration error is the mean distance of confidence and accuracy over 15 ranges of confidence; "
                 + $"true probabilities would show the next number by chance.{posterior}")
                [ table Summary.heldOutHeadings (Summary.heldOutRows found) ]

    let private meaning (report: Report) =
        let list = Meaning.ofReport report |> List.map (escape >> around "li") |> String.concat "\n" |> around "ul"
        $"<section><h2>What the numbers mean</h2>{list}</section>"

    /// The library's version.
    let private version =
        match typeof<LinearOperator>.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>() with
        | null -> "of an unknown version"
        | attribute -> attribute.InformationalVersion

    let private foot (report: Report) =
        let date = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
        let command = around "code" (escape report.Options.Command)
        $"<footer>Curvature {escape version}, {date} UTC. {command}</footer>"

    /// The text of report.html.
    let ofReport (report: Report) : string =
        let problem, options = report.Problem, report.Options
        let dtype = options.DType.ToString().ToLowerInvariant()

        let lead =
            ($"{problem.Architecture} with {Typeset.count problem.Layout.Size} parameters on "
             + $"{problem.Title} ({Typeset.count problem.Rows} rows), {dtype}, seed {options.Seed}")

        [
            "<!DOCTYPE html>"
            """<html lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>"""
            """<link rel="icon" href="data:,"/>"""
            $"<title>Curvature of {escape problem.Architecture}</title>"
            $"<style>{Chart.styleSheet}\n{style}</style></head><body><main>"
            $"<h1>Curvature of a trained network</h1><p>{escape lead}</p>"
            "<p>Bars, bands and numbers in brackets are 95 % intervals.</p>"
            summary report
            meaning report
            spectrum report
            eigenpairs report
            trace report
            heldOut report
            landscapes report
            foot report
            "</main></body></html>"
            ""
        ]
        |> String.concat "\n"
