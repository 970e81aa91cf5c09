namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// What Automatic costs beside the best method for each case, which nobody knows beforehand: ten spectra, turned by
/// three random reflections.
module AutomaticChoice =

    let private n = 300

    let spectra: (string * (int -> float)) list =
        [
            "flat", fun i -> 1.0 + 0.3 * float i / float n
            "uniform", fun i -> float (i + 1) / float n
            "1/(i+1)", fun i -> 1.0 / float (i + 1)
            "0.97^i", fun i -> Math.Pow(0.97, float i)
            "0.7^i", fun i -> Math.Pow(0.7, float i)
            "0.5^i", fun i -> Math.Pow(0.5, float i)
            "rank 30", fun i -> if i < 30 then 1.0 else 0.0
            "outlier", fun i -> if i = 0 then 1e6 else float i / float n
            "halves", fun i -> if i < n / 2 then 1.0 else 0.1
            "indefinite", fun i -> float i / float n - 0.4
        ]

    /// A spectrum in a basis where signs see it.
    let rotated (eigenvalue: int -> float) : struct (LinearOperator * float) =
        let values = Array.init n eigenvalue

        let reflect (seed: int64) (rows: Tensor) =
            let v = Tensor.normal (Key.OfSeed seed) DType.Float64 [ n ]
            let v = v / Tensor.norm v
            rows - 2.0 * Tensor.outer (Tensor.matmul rows v) v

        let basis = Tensor.eye DType.Float64 n |> reflect 77L |> reflect 78L |> reflect 79L

        let properties =
            if Array.min values >= 0.0 then
                OperatorProperties.PositiveSemidefinite ||| OperatorProperties.Symmetric
            else
                OperatorProperties.Symmetric

        let matrix = Tensor.matmul (Tensor.transpose basis * Tensor.ofArray [ n ] values) basis
        struct (LinearOperator.ofMatrix matrix |> LinearOperator.claim properties, Array.sum values)

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
    let errors (keys: Key[]) (products: int) (eigenvalue: int -> float) : Comparison =
        let struct (operator, truth) = rotated eigenvalue

        compare keys (StoppingRule.matvecs products) operator (forNumbers operator) (fun estimates ->
            let squares = estimates |> Array.averageBy (fun estimate -> Math.Pow(estimate.Value / truth - 1.0, 2.0))
            max 1e-13 (sqrt squares))

    /// Mean numbers of products until a relative error.
    let products (keys: Key[]) (error: float) (eigenvalue: int -> float) : Comparison =
        let struct (operator, _) = rotated eigenvalue

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

        for name, eigenvalue in spectra do
            for budget in [ 20; 40; 60; 100 ] do
                row $"{name}, {budget}" (errors keys budget eigenvalue)

            for error in [ 0.05; 0.01; 0.001 ] do
                row $"{name}, %g{100.0 * error} %%" (products keys error eigenvalue)
