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
        | StopReason.Exact -> "all columns were taken, which was cheaper"
        | other -> $"{other}"

    /// The estimate of the trace, and the exact one where it is another.
    let traceRows (cost: Estimate<float> -> string) (report: Report) =
        let row name (found: Estimate<float>) =
            [ name; Typeset.estimate found; cost found; Typeset.seconds found.Seconds ]

        [
            row (if report.Trace.IsExact then "exact" else "estimate") report.Trace
            match report.Exact with
            | Some exact when not report.Trace.IsExact -> row "exact, from all eigenvalues" exact
            | _ -> ()
        ]

    let private blockRow (block: BlockTrace) =
        [ block.Block.Name; Typeset.count block.Block.Size; Typeset.estimate block.Trace ]

    let private eigenRow (pairs: EigenPairs) i =
        [
            $"{i + 1}"
            Typeset.within pairs.Residuals[i] pairs.Values[i]
            Typeset.error pairs.Residuals[i]
            if pairs.IsConverged[i] then "yes" else "no"
        ]

    let private spectrumRow (report: Report) =
        let spectrum = report.Spectrum
        let large = SpectralCurves.large spectrum

        let ledger = spectrum.Ledger

        [
            if ledger.IsExact then
                "all eigenvalues"
            else
                $"{spectrum.Rules.Length} random vectors"
            Typeset.value spectrum.Least
            Typeset.value spectrum.Largest
            Typeset.estimate large
            Typeset.count ledger.Matvecs
            Typeset.seconds ledger.Seconds
        ]

    /// The columns of the table of held-out rows.
    let heldOutHeadings = [ ""; "−ln p(class) (± standard error)"; "calibration error"; "if calibrated"; "right" ]

    let heldOutRows (found: HeldOut) =
        [
            for what, calibration in HeldOut.rows found ->
                [
                    what
                    $"{Typeset.within calibration.NegativeLogLikelihoodError calibration.NegativeLogLikelihood} ± "
                    + Typeset.error calibration.NegativeLogLikelihoodError
                    $"{Typeset.within calibration.StandardError calibration.Error} ± "
                    + Typeset.error calibration.StandardError
                    Typeset.error calibration.ErrorIfCalibrated
                    Typeset.percent calibration.Accuracy
                ]
        ]

    /// Shows a report.
    let show (display: Display) (report: Report) =
        let diagonal = report.Diagonal.Value.ToArray()
        let right = $"{Typeset.percent report.Accuracy} of the rows right"

        match report.Training with
        | Some training ->
            display.Say
                $"Training: {Typeset.count training.Steps} gradients, {right}, {Typeset.seconds training.Seconds}"
        | None -> display.Say $"Trained before: {right}"

        display.Say $"Loss {Typeset.value report.Loss}, gradient norm {Typeset.value report.GradientNorm}"

        display.Table(
            $"Trace of the Hessian ({reason report.Trace})",
            [ ""; "value (95 % interval)"; "products"; "time" ],
            traceRows (fun found -> Typeset.count (found.Matvecs + found.QuadraticForms)) report
        )

        display.Table(
            "Trace of each parameter tensor, from the same products",
            [ "parameter"; "size"; "trace (95 % interval)" ],
            report.BlockTraces |> Array.map blockRow |> List.ofArray
        )

        display.Table(
            "Diagonal of the Hessian, from the same products",
            [ ""; "min"; "mean"; "max" ],
            [
                [
                    if report.Trace.IsExact then "exact" else "estimate"
                    Typeset.value (Array.min diagonal)
                    Typeset.value (Array.average diagonal)
                    Typeset.value (Array.max diagonal)
                ]
            ]
        )

        let pairs = report.TopEigenpairs

        display.Table(
            $"Largest eigenvalues ({Typeset.count pairs.Matvecs} products, {Typeset.seconds pairs.Seconds})",
            [ ""; "eigenvalue"; "residual"; "converged" ],
            [ for i in 0 .. pairs.Values.Length - 1 -> eigenRow pairs i ]
        )

        display.Table(
            "Eigenvalue density",
            [ ""; "least seen"; "largest"; "above 1 % of it (95 % interval)"; "products"; "time" ],
            [ spectrumRow report ]
        )

        match report.HeldOut with
        | Some found ->
            display.Table(
                $"Probabilities of {Typeset.count found.Network.Samples} rows that were held out",
                heldOutHeadings,
                heldOutRows found
            )
        | None -> ()

        Meaning.ofReport report |> List.iter display.Say
        display.Say $"All of it: {Typeset.seconds report.Seconds}"
