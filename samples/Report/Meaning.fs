namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp

/// What the numbers of a report mean, in sentences.
[<RequireQualifiedAccess>]
module Meaning =

    /// Eigenvalues within this share of the largest count as flat, and are what the effective dimension is damped by.
    let private flat = 0.01

    /// Gradient descent with a constant step η is stable where no eigenvalue is above 2/η (Cohen et al. 2021).
    let private sharpness (report: Report) =
        let largest = report.TopEigenpairs.Values[0]

        let trained =
            match report.Problem.Start with
            | Train schedule ->
                let rate, bound = Typeset.value schedule.LearningRate, Typeset.value (2.0 / schedule.LearningRate)
                $" This network was trained by Adam with η = {rate}, for which 2/η = {bound}."
            | Load _ -> ""

        if largest > 0.0 then
            $"Sharpness: gradient descent with a constant step η is stable while λ₁ < 2/η. Here λ₁ = "
            + $"{Typeset.rough largest}, so up to η = {Typeset.rough (2.0 / largest)}.{trained}"
        else
            "Sharpness: no eigenvalue is above 0; the loss does not curve upward in any direction."

    let private flatness (report: Report) =
        let n, largest = float report.Spectrum.Size, abs report.TopEigenpairs.Values[0]
        let trace = report.Exact |> Option.defaultValue report.Trace
        let near = CumulativeDensity.count (-flat * largest, flat * largest) report.Spectrum

        $"Flatness: the mean curvature tr H/n is {Typeset.rough (trace.Value / n)}, and "
        + $"{Typeset.percent (near.Value / n)} of all directions have less than 1 %% of the curvature of the sharpest."

    let private negative (report: Report) =
        let least, largest = report.Spectrum.Least, report.TopEigenpairs.Values[0]
        let epsilon = if report.Options.DType = DType.Float64 then 1e-12 else 1e-4

        if least < -epsilon * abs largest then
            $"Negative curvature: the least eigenvalue seen is {Typeset.rough least}, "
            + $"{Typeset.percent (abs (least / largest))} of the largest in size, so that θ is no minimum."
        else
            "Negative curvature: none was seen; up to rounding, every direction curves upward or is flat."

    /// Σ λ/(λ + δ) over positive eigenvalues (MacKay 1992).
    let private dimension (report: Report) =
        let damping = flat * abs report.TopEigenpairs.Values[0]

        if damping > 0.0 then
            let found = StochasticLanczos.trace (fun x -> let x = max 0.0 x in x / (x + damping)) report.Spectrum

            let known = Double.IsFinite found.Bias

            let number =
                if found.IsExact || known then
                    Typeset.estimate found
                else
                    $"about {Typeset.rough found.Value}"

            [
                $"Effective dimension: {number} of {Typeset.count report.Spectrum.Size} directions are decided by the "
                + $"data beside a prior of curvature λ₁/100 = {Typeset.rough damping}."
            ]
        else
            []

    /// A sentence or two on each.
    let ofReport (report: Report) : string list =
        [ sharpness report; flatness report; negative report ] @ dimension report
