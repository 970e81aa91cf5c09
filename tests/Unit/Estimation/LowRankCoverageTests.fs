module Curvature.Tests.Unit.LowRankCoverageTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The spectra of the literature, a tenth of the size: the step has as many large eigenvalues as XTrace has
/// vectors, which is where leaving one out tells least.
let private spectra =
    let n = 100

    [
        ("flat", Array.init n (fun i -> 1.0 + 2.0 * float i / float (n - 1)))
        ("poly", Array.init n (fun i -> Math.Pow(float (i + 1), -2.0)))
        ("exp", Array.init n (fun i -> Math.Pow(0.7, float i)))
        ("step", Array.init n (fun i -> if i < 10 then 1.0 else 1e-3))
    ]

[<Tests>]
let tests =
    testList "Unit.LowRankCoverageTests" [
        for name, spectrum in spectra do
            test $"95 percent intervals of low-rank estimators hold the truth in 93 percent of repetitions ({name})" {
                let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ spectrum.Length ] spectrum)
                let truth = Array.sum spectrum

                let coverage (estimate: Key -> LinearOperator -> Estimate<float>) =
                    (Key.OfSeed 110L).Split 2000
                    |> Array.averageBy (fun key ->
                        let interval = (estimate key operator).Interval 0.95
                        if interval.Low <= truth && truth <= interval.High then 1.0 else 0.0)

                let check what (share: float) = Expect.isGreaterThanOrEqual $"{what}, {name}" (share, 0.93)
                check "XTrace" (coverage (XTrace.estimate (StoppingRule.matvecs 20)))

                check
                    "Hutch++"
                    (coverage (Estimate.run (HutchPlusPlus.withProbe Probe.gaussian) (StoppingRule.matvecs 60)))
            }

        // The Hessian of the network on digits, by its eigenvalues.
        test "intervals hold the truth as often for the Hessian of a network" {
            let eigenvalues =
                IO.File.ReadAllLines(SharedData.path "reference/digits_mlp_hessian_eigenvalues.txt")
                |> Array.filter (fun line -> line.Trim() <> "" && not (line.StartsWith "#"))
                |> Array.map float

            let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ eigenvalues.Length ] eigenvalues)
            let truth = Array.sum eigenvalues

            for name, estimate in
                [
                    "XTrace", XTrace.estimate (StoppingRule.matvecs 24)
                    "Hutch++", Estimate.run (HutchPlusPlus.withProbe Probe.gaussian) (StoppingRule.matvecs 24)
                ] do
                let share =
                    (Key.OfSeed 111L).Split 2000
                    |> Array.averageBy (fun key ->
                        let interval = (estimate key operator: Estimate<float>).Interval 0.95
                        if interval.Low <= truth && truth <= interval.High then 1.0 else 0.0)

                stdout.WriteLine $"{name}: {share}"
                Expect.isGreaterThanOrEqual name (share, 0.93)
        }
    ]
