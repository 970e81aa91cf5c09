/// How often intervals of Krylov-aware traces hold the truth.
module Curvature.Tests.Unit.KrylovAwareCoverageTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 60

let private spectra: (string * float[]) list =
    [
        "flat", Array.init n (fun i -> 1.0 + float i / float n)
        "decaying", Array.init n (fun i -> 3.0 * Math.Pow(0.8, float i))
        "low rank", Array.init n (fun i -> if i < 5 then 1.0 + 0.5 * float i else 0.0)
        "outlier", Array.init n (fun i -> if i = 0 then 6.0 else 0.5 + 0.01 * float i)
        "indefinite", Array.init n (fun i -> if i % 2 = 0 then -1.0 - 0.02 * float i else 0.5 + 0.03 * float i)
    ]

/// Normal vectors look the same in every basis, so that a diagonal stands for every matrix with these eigenvalues.
let private diagonal (dtype: DType) (values: float[]) =
    LinearOperator.ofDiagonal (Tensor.ofArray [ n ] values |> Tensor.convert dtype)

let private key = Key.OfSeed 61L
let private repetitions = 80

/// More misses than this at 95 percent happen by chance in less than one of 10⁷ runs.
let private mostMisses = 16

[<Tests>]
let tests =
    testList "Unit.KrylovAwareCoverageTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            for name, values in spectra do
                test $"95 percent intervals hold the truth at small, middle and full budgets ({name}, {dtype})" {
                    let a = diagonal dtype values
                    let steps = 6

                    for f in [ SpectralFunction.exp; if name <> "indefinite" then SpectralFunction.sqrt ] do
                        // As the operator has its eigenvalues.
                        let truth =
                            (LinearOperator.dense a |> Tensor.convert DType.Float64 |> Tensor.diagonal).ToArray()

                        let truth = truth |> Array.sumBy f.Evaluate

                        for budget in [ 24; 60; 240 ] do
                            let misses =
                                key.Split repetitions
                                |> Array.filter (fun key ->
                                    let found = KrylovAwareTrace.estimate f steps budget key a
                                    let interval = found.Interval 0.95
                                    not (interval.Low <= truth && truth <= interval.High))
                                |> Array.length

                            printfn
                                $"{f} of {name}, {dtype}, {budget} products: {misses} of {repetitions} missed, {key}"

                            Expect.isLessThanOrEqual $"{f}, {budget} products, {key}" (misses, mostMisses)
                }

        test "as a value of Estimator it runs by any rule that has a number of products" {
            let a = diagonal DType.Float64 ((spectra |> List.find (fst >> (=) "decaying") |> snd))
            let estimator = KrylovAwareTrace.estimator SpectralFunction.exp 6
            Expect.equal "its name" "KrylovAwareTrace" (string estimator)
            Expect.equal "the least" 24 estimator.LeastMatvecs
            let alone = KrylovAwareTrace.estimate SpectralFunction.exp 6 240 key a
            let asValue = Estimate.run estimator (StoppingRule.matvecs 240) key a
            Expect.equal "the same" (alone.Value, alone.StandardError) (asValue.Value, asValue.StandardError)
            let truth = (spectra |> List.find (fst >> (=) "decaying") |> snd) |> Array.sumBy exp

            // A rule with a target stops as soon as it is reached.
            let stop = StoppingRule.relativeError 0.05 |> StoppingRule.orElse (StoppingRule.matvecs 2400)
            let stopped = Estimate.run estimator stop key a
            Expect.isLessThan (string stopped) (stopped.Matvecs, 2400)
            Expect.isLessThan (string stopped) (1.9 * stopped.StandardError, 0.06 * stopped.Value)
            Expect.within $"{stopped}, {key}" (6.0 * stopped.StandardError) truth stopped.Value

            // Blocks, progress and a cancellation on the way.
            use source = new CancellationTokenSource()
            let recorded = RecordedProgress(fun p -> if p.Samples > 100 then source.Cancel())

            let options = RunOptions.Default.WithBlockSize(2).WithCancellation(source.Token).WithProgress(recorded, 0.0)

            let cut = Estimate.runWith options estimator (StoppingRule.matvecs 240) key a
            Expect.equal "cancelled" StopReason.Cancelled cut.StopReason
            Expect.isGreaterThan "progress" (recorded.Reports.Count, 2)
            Expect.within $"{cut}, {key}" (6.0 * cut.StandardError + 1e-9) truth cut.Value

            Expect.error<ArgumentRangeException> [ "KrylovAwareTrace"; "divides a number of products" ] (fun () ->
                Estimate.run estimator (StoppingRule.relativeError 0.1) key a |> ignore)
        }
    ]
