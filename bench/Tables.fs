namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Errors of the estimators of trace and diagonal beside those that were published, or reproduced from published code
/// with 180 trials (60 for NA-Hutch++, 16 for diagonals).
module Tables =

    /// One figure of the literature, and how to measure it.
    [<NoEquality; NoComparison>]
    type private Entry<'T> =
        {
            Method: string
            Estimate: int -> Key -> LinearOperator -> Estimate<'T>
            /// Whether all random vectors look the same in every basis, so that a diagonal stands for the matrix.
            IsInvariant: bool
            /// By spectrum: the figures for m = 100, 200, 300.
            Published: (string * float list) list
        }

    let private sizes = [ 100; 200; 300 ]
    let private options = RunOptions.Default

    let private hutchinson name m =
        let values = Spectra.eigenvalues |> List.find (fst >> (=) name) |> snd
        let trace = Array.sum values
        let squares = values |> Array.sumBy (fun x -> x * x)
        // Mean |error| of a normal distribution with the variance of signs in a random basis.
        sqrt (2.0 / Math.PI) * sqrt (2.0 * (squares - trace * trace / float Spectra.n) / float m) / trace

    let private traces: Entry<float> list =
        [
            {
                Method = "Hutchinson"
                Estimate = StoppingRule.matvecs >> Hutchinson.trace
                IsInvariant = false
                Published =
                    [
                        for name in [ "flat"; "poly"; "exp"; "step"; "slowexp" ] ->
                            name, sizes |> List.map (hutchinson name)
                    ]
            }
            {
                Method = "Hutch++"
                Estimate = StoppingRule.matvecs >> HutchPlusPlus.estimate
                IsInvariant = false
                Published =
                    [
                        "flat", [ 2.0e-3; 1.6e-3; 1.3e-3 ]
                        "poly", [ 4.8e-4; 1.25e-4; 5.7e-5 ]
                        "exp", [ 9.4e-7; 5.3e-12; 1.3e-16 ]
                        "step", [ 1.7e-2; 2.0e-5; 2.2e-5 ]
                        "slowexp", [ 2.3e-3; 5.3e-5; 1.5e-6 ]
                    ]
            }
            {
                Method = "NA-Hutch++"
                Estimate = StoppingRule.matvecs >> NonadaptiveHutchPlusPlus.estimate
                IsInvariant = false
                Published =
                    [
                        "flat", [ 4.0e-3; 3.0e-3; 2.2e-3 ]
                        "poly", [ 1.9e-3; 4.3e-4; 2.0e-4 ]
                        "exp", [ 7.7e-4; 2.1e-6; 5.0e-9 ]
                        "step", [ 2.3e-2; 9.7e-3; 1.0e-3 ]
                    ]
            }
            {
                Method = "XTrace, signs"
                Estimate = StoppingRule.matvecs >> Estimate.runWith options (XTrace.withProbe Probe.rademacher)
                IsInvariant = false
                Published =
                    [
                        "flat", [ 2.3e-3; 2.0e-3; 1.9e-3 ]
                        "poly", [ 3.3e-4; 7.3e-5; 3.4e-5 ]
                        "exp", [ 3.9e-9; 3e-16; 3e-16 ]
                        "step", [ 1.2e-2; 2.5e-5; 2.5e-5 ]
                        "slowexp", [ 5.2e-4; 1.5e-6; 5.9e-9 ]
                    ]
            }
            {
                Method = "XTrace, resphered"
                Estimate = StoppingRule.matvecs >> XTrace.estimate
                IsInvariant = true
                Published =
                    [
                        "flat", [ 1.6e-3; 1.1e-3; 8.6e-4 ]
                        "poly", [ 2.8e-4; 7.9e-5; 3.2e-5 ]
                        "exp", [ 3.6e-9; 3e-16; 3e-16 ]
                        "step", [ 1.2e-2; 5.3e-7; 1.6e-7 ]
                    ]
            }
            {
                Method = "XNysTrace, signs"
                Estimate = StoppingRule.matvecs >> Estimate.runWith options (XNysTrace.withProbe Probe.rademacher)
                IsInvariant = false
                Published =
                    [
                        "flat", [ 1.8e-3; 1.7e-3; 1.6e-3 ]
                        "poly", [ 2.1e-4; 4.9e-5; 2.4e-5 ]
                        "exp", [ 3.2e-14; 7e-16; 8e-16 ]
                        "step", [ 5.7e-4; 9.5e-5; 4.9e-5 ]
                        "slowexp", [ 3.5e-5; 1.7e-9; 8e-14 ]
                    ]
            }
            {
                Method = "XNysTrace, resphered"
                Estimate = StoppingRule.matvecs >> XNysTrace.estimate
                IsInvariant = true
                Published =
                    [
                        "flat", [ 1.0e-3; 6.8e-4; 5.4e-4 ]
                        "poly", [ 2.1e-4; 5.7e-5; 2.1e-5 ]
                        "exp", [ 3.0e-14; 7e-16; 8e-16 ]
                        "step", [ 5.9e-4; 1.0e-4; 4.0e-5 ]
                    ]
            }
        ]

    let private diagonals: Entry<Tensor> list =
        [
            {
                Method = "Hutchinson (BKS)"
                Estimate = StoppingRule.matvecs >> Hutchinson.diagonal
                IsInvariant = false
                Published =
                    [
                        "flat", [ 0.10; 0.072; 0.056 ]
                        "poly", [ 7.9; 5.8; 4.8 ]
                        "exp", [ 6.2; 4.0; 3.5 ]
                        "step", [ 1.6; 1.1; 0.90 ]
                    ]
            }
            {
                Method = "UDiag++"
                Estimate = StoppingRule.matvecs >> UDiagPlusPlus.estimate
                IsInvariant = false
                Published =
                    [
                        "flat", [ 0.19; 0.16; 0.14 ]
                        "poly", [ 0.33; 0.094; 0.041 ]
                        "exp", [ 1.2e-3; 1.1e-8; 1e-13 ]
                        "step", [ 1.8; 0.020; 0.0083 ]
                    ]
            }
            {
                Method = "XDiag"
                Estimate = StoppingRule.matvecs >> XDiag.estimate
                IsInvariant = false
                Published =
                    [
                        "flat", [ 0.22; 0.17; 0.16 ]
                        "poly", [ 0.15; 0.043; 0.019 ]
                        "exp", [ 4e-6; 1e-13; 2e-14 ]
                        "step", [ 0.42; 0.011; 0.0065 ]
                    ]
            }
            {
                Method = "XNysDiag"
                Estimate = StoppingRule.matvecs >> XNysDiag.estimate
                IsInvariant = false
                Published =
                    [
                        "flat", [ 0.17; 0.15; 0.13 ]
                        "poly", [ 0.068; 0.019; 0.0070 ]
                        "exp", [ 4e-12; 1e-13; 6e-14 ]
                        "step", [ 0.044; 0.0092; 0.0048 ]
                    ]
            }
        ]

    /// Below this, figures are rounding, and differ between machines.
    let private floor = 1e-13

    let private verdict published measured =
        if published <= floor && measured <= floor then "rounding"
        elif measured > 2.0 * max floor published then "WORSE"
        elif measured < 0.5 * published then "better"
        else "agrees"

    let private row (entry: Entry<'T>) m published measured (extra: string) =
        let ratio = measured / published

        printf $"  %-22s{entry.Method} %4d{m}  %9.2e{published}  %9.2e{measured}  %7.2f{ratio}  "
        printfn $"%-9s{verdict published measured} {extra}"

    let private each trials (f: Key -> 'R) : 'R[] = (Key.OfSeed 2024L).Split trials |> Array.map f

    let private measureTrace trials truth operator (entry: Entry<float>) m published =
        let watch = Stopwatch.StartNew()

        let results =
            each trials (fun key ->
                let estimate = entry.Estimate m key operator

                if estimate.Samples < 2 && not estimate.IsExact then
                    // One vector left over gives no error bar.
                    struct (estimate.Value - truth, nan, nan)
                else
                    let interval = estimate.Interval 0.95
                    let held = if interval.Low <= truth && truth <= interval.High then 1.0 else 0.0
                    struct (estimate.Value - truth, estimate.StandardError, held))

        let mean = results |> Array.averageBy (fun struct (error, _, _) -> abs error / truth)
        let rms f = sqrt (results |> Array.averageBy (f >> fun x -> x * x))
        let claimed = rms (fun struct (_, claimed, _) -> claimed) / rms (fun struct (error, _, _) -> error)
        let coverage = results |> Array.averageBy (fun struct (_, _, held) -> held)
        let time = watch.Elapsed.TotalMilliseconds / float trials
        row entry m published mean $"%6.2f{claimed}  %6.1f{100.0 * coverage} %%  %6.1f{time} ms"

    let private measureDiagonal trials (diagonal: Tensor) operator (entry: Entry<Tensor>) m published =
        let watch, truth = Stopwatch.StartNew(), diagonal.ToArray()

        let results =
            each trials (fun key ->
                let estimate = entry.Estimate m key operator
                let value, interval = estimate.Value.ToArray(), estimate.Interval 0.95
                let low, high = interval.Low.ToArray(), interval.High.ToArray()

                let held =
                    Seq.filter (fun i -> low[i] <= truth[i] && truth[i] <= high[i]) (seq { 0 .. truth.Length - 1 })

                let largest = Array.map2 (fun own known -> abs (own / known - 1.0)) value truth |> Array.max
                struct (largest, float (Seq.length held) / float truth.Length))

        let median = results |> Array.map (fun struct (largest, _) -> largest) |> Array.sort |> Array.item (trials / 2)
        let coverage = results |> Array.averageBy (fun struct (_, held) -> held)
        let time = watch.Elapsed.TotalMilliseconds / float trials
        row entry m published median $"        %6.1f{100.0 * coverage} %%  %6.1f{time} ms"

    let private compare title (entries: Entry<'T> list) names measure =
        for name, eigenvalues in Spectra.eigenvalues |> List.filter (fun (name, _) -> List.contains name names) do
            printfn $"\n{title}, {name}"

            printf "  method                    m  published   measured    ratio             claimed/true  "
            printfn "coverage     time"

            let dense = Spectra.dense eigenvalues
            let diagonal = Spectra.diagonal eigenvalues

            for entry in entries do
                match List.tryFind (fst >> (=) name) entry.Published with
                | Some(_, published) ->
                    let operator = if entry.IsInvariant then diagonal else dense
                    List.iter2 (measure operator eigenvalues entry) sizes published
                | None -> ()

    /// Prints the tables of all spectra, or of the named one, from so many trials for each figure.
    let run (trials: int) (only: string) =
        let chosen = List.filter (fun name -> only = "" || name = only)

        printf $"n = {Spectra.n}, {trials} trials a figure; figures agree within a factor of 2, below "
        printfn $"{floor:G1} they are rounding"

        printfn "claimed/true: root mean squares of standard errors and errors; coverage: of 95 %% intervals"

        compare
            "mean |error|/trace"
            traces
            (chosen [ "flat"; "poly"; "exp"; "step"; "slowexp" ])
            (fun operator eigenvalues -> measureTrace trials (Array.sum eigenvalues) operator)

        let trials = min trials 21

        compare
            $"median of the largest |error/entry| of a diagonal ({trials} trials)"
            diagonals
            (chosen [ "flat"; "poly"; "exp"; "step" ])
            (fun operator _ -> measureDiagonal trials (Exact.diagonal operator).Value operator)
