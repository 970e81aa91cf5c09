namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// What Automatic costs beside the best method for each case, which nobody knows beforehand: the ten spectra.
module AutomaticChoice =

    let private n = 300

    let spectra = TurnedSpectra.all n

    let private forTargets (operator: LinearOperator) : (string * Estimator<Estimate<float>>) list =
        [
            "Hutchinson", Hutchinson.estimator Probe.rademacher Measurement.trace
            "XTrace", XTrace.estimator
            if operator.IsPositiveSemidefinite then "XNysTrace", XNysTrace.estimator
        ]

    let private forNumbers (operator: LinearOperator) =
        [
            yield! forTargets operator
            "Hutch++", HutchPlusPlus.estimator
            "NA-Hutch++", NonadaptiveHutchPlusPlus.estimator
        ]

    /// What the best method cost, and what was chosen cost.
    [<NoEquality; NoComparison>]
    type Comparison =
        {
            Best: string
            OfBest: float
            Chosen: float
            Methods: string
        }

        member comparison.Ratio = comparison.Chosen / comparison.OfBest

    let private methods (chosen: ChosenEstimate<float>[]) =
        chosen
        |> Array.countBy _.Method
        |> Array.map (fun (method, count) -> $"{count} {method}")
        |> String.concat ", "

    let private compare (keys: Key[]) rule operator estimators (cost: Estimate<float>[] -> float) : Comparison =
        let costs =
            estimators
            |> List.map (fun (name, estimator) ->
                name, keys |> Array.map (fun key -> Estimate.run estimator rule key operator) |> cost)

        let best, ofBest = costs |> List.minBy snd
        let chosen = keys |> Array.map (fun key -> Automatic.trace rule key operator)

        {
            Best = best
            OfBest = ofBest
            Chosen = chosen |> Array.map _.Estimate |> cost
            Methods = methods chosen
        }

    /// Root mean square errors from a number of products, as shares of the trace, of 1e-13 at least.
    let errors (keys: Key[]) (products: int) (eigenvalues: float[]) : Comparison =
        let operator = TurnedSpectra.operator DType.Float64 eigenvalues
        let truth = Array.sum eigenvalues

        compare keys (StoppingRule.matvecs products) operator (forNumbers operator) (fun estimates ->
            let squares = estimates |> Array.averageBy (fun estimate -> Math.Pow(estimate.Value / truth - 1.0, 2.0))
            max 1e-13 (sqrt squares))

    /// Mean numbers of products until a relative error.
    let products (keys: Key[]) (error: float) (eigenvalues: float[]) : Comparison =
        let operator = TurnedSpectra.operator DType.Float64 eigenvalues

        compare keys (StoppingRule.relativeError error) operator (forTargets operator) (fun estimates ->
            estimates |> Array.averageBy (fun estimate -> float (estimate.Matvecs + estimate.QuadraticForms)))

    let private keys repetitions = (Key.OfSeed 91L).Split repetitions

    /// Prints errors and products for all spectra.
    let table repetitions =
        let keys = keys repetitions

        let row name (comparison: Comparison) =
            let costs = $"%9.2e{comparison.Chosen} beside %9.2e{comparison.OfBest} of %-11s{comparison.Best}"
            printfn $"  %-22s{name} %7.2f{comparison.Ratio}   {costs} {comparison.Methods}"

        printfn $"Automatic beside the best method, n = {n}, {repetitions} keys"

        for name, eigenvalues in spectra do
            for budget in [ 20; 40; 60; 100 ] do
                row $"{name}, {budget}" (errors keys budget eigenvalues)

            for error in [ 0.05; 0.01; 0.001 ] do
                row $"{name}, %g{100.0 * error} %%" (products keys error eigenvalues)
