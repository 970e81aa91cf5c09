namespace Curvature.Samples.Report

open Curvature

/// The report as a person reads it.
[<RequireQualifiedAccess>]
module Summary =

    /// Why the estimate of the trace ended there.
    let reason (trace: Estimate<float>) =
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

    let private eigenRow (pairs: EigenPairs) i =
        [
            $"{i + 1}"
            Numbers.digits pairs.Values[i]
            Numbers.error pairs.Residuals[i]
            if pairs.IsConverged[i] then "yes" else "no"
        ]

    let private spectrumRow (report: Report) =
        let spectrum = report.Spectrum
        let large = SpectralCurves.large spectrum

        [
            $"{spectrum.Rules.Length} random vectors"
            Numbers.value spectrum.Least
            Numbers.value spectrum.Largest
            Numbers.plusMinus large.Value large.StandardError
            Numbers.count spectrum.Ledger.Matvecs
            Numbers.seconds spectrum.Ledger.Seconds
        ]

    /// Shows a report.
    let show (display: Display) (report: Report) =
        let diagonal = report.Diagonal.Value.ToArray()
        let right = $"{Numbers.percent report.Accuracy} of the rows right"

        match report.Training with
        | Some training ->
            display.Say
                $"Training: {Numbers.count training.Steps} gradients, {right}, {Numbers.seconds training.Seconds}"
        | None -> display.Say $"Trained before: {right}"

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

        let pairs = report.TopEigenpairs

        display.Table(
            $"Largest eigenvalues ({Numbers.count pairs.Matvecs} products, {Numbers.seconds pairs.Seconds})",
            [ ""; "eigenvalue"; "residual"; "converged" ],
            [ for i in 0 .. pairs.Values.Length - 1 -> eigenRow pairs i ]
        )

        display.Table(
            "Eigenvalue density",
            [ ""; "least Ritz value"; "largest"; "above 1 % of it"; "products"; "time" ],
            [ spectrumRow report ]
        )

        display.Say $"All of it: {Numbers.seconds report.Seconds}"
