module Curvature.Tests.Unit.StoppingRuleTests

open MathNet.Numerics.Distributions
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 40L
let private spectrum name = Matrices.spectra 300 |> List.find (fst >> (=) name) |> snd
let private operator name = LinearOperator.ofDiagonal (Tensor.ofArray [ 300 ] (spectrum name))
let private truth name = Array.sum (spectrum name)

/// Of the trace, but without its exact result.
let private sampledTrace = Measurement(false, Measurement.trace.Start)

let private run stop key operator : Estimate<float> = Hutchinson.estimate Probe.gaussian sampledTrace stop key operator

[<Tests>]
let tests =
    testList "Unit.StoppingRuleTests" [
        test "the number of products is kept to the last one" {
            for n in [ 1; 15; 16; 17; 100 ] do
                let trace = run (StoppingRule.matvecs n) key (operator "flat")

                Expect.equal
                    "trace.Samples, trace.QuadraticF…"
                    (n, n, StopReason.MatvecsSpent)
                    (trace.Samples, trace.QuadraticForms, trace.StopReason)
        }

        test "a relative error of 2 percent is reached, and is true" {
            for name in [ "flat"; "exp"; "poly"; "step" ] do
                let stop = StoppingRule.relativeError 0.02 |> StoppingRule.orElse (StoppingRule.matvecs 90_000)
                let trace = run stop key (operator name)
                let interval = trace.Interval 0.95
                Expect.equal name StopReason.ErrorReached trace.StopReason
                Expect.isLessThanOrEqual name (interval.High - interval.Low, 0.04 * trace.Value)
                Expect.inRange $"{name} with {key}" interval.Low interval.High (truth name)
                // The variance is known, and so is what the error needs.
                let needed = 2.0 * (spectrum name |> Array.sumBy (fun x -> x * x)) * (1.96 / (0.02 * truth name)) ** 2.0
                Expect.inRange name (0.5 * needed) (max 16.0 (2.0 * needed)) (float trace.Samples)
        }

        test "analyses of sketches are whole blocks, each three tenths as far again as the one before" {
            let schedule = AnalysisSchedule.ofSketch

            Expect.isTrue
                "[ for analysis in 0..9 -> sched…"
                ([ for analysis in 0..9 -> schedule.At analysis ] = [ 16; 24; 32; 40; 48; 64; 80; 104; 136; 176 ])

            Expect.isTrue
                "[ for m in [ 0; 15; 16; 47; 48…"
                ([ for m in [ 0; 15; 16; 47; 48 ] -> schedule.Next m ] = [ 0; 0; 1; 4; 5 ])
        }

        test "an error that is large enough is reached at the first interim analysis" {
            let trace = run (StoppingRule.absoluteError 1e3) key (operator "flat")

            Expect.equal
                "trace.Samples, trace.StopReason"
                (8, StopReason.ErrorReached)
                (trace.Samples, trace.StopReason)

            Expect.isTrue "(trace.Interval 0.95).IsSequent…" (trace.Interval 0.95).IsSequential

            Expect.isFalse
                "(run (StoppingRule.matvecs 8) k…"
                ((run (StoppingRule.matvecs 8) key (operator "flat")).Interval(0.95).IsSequential)
        }

        test "an interval pays for the interim analyses that decided when to stop" {
            let planned = run (StoppingRule.matvecs 64) key (operator "flat")

            let peeked =
                run
                    (StoppingRule.relativeError 1e-6 |> StoppingRule.orElse (StoppingRule.matvecs 64))
                    key
                    (operator "flat")

            let width (trace: Estimate<float>) = trace.Interval(0.95).High - trace.Interval(0.95).Low

            Expect.equal
                "peeked.Value, peeked.StandardEr…"
                (planned.Value, planned.StandardError)
                (peeked.Value, peeked.StandardError)
            // The interval of a fixed number is longer where few samples may not show their skewness; the one of the
            // rule is widened for interim analyses.
            let student = StudentT.InvCDF(0.0, 1.0, 63.0, 0.975)
            Expect.isGreaterThan "width peeked" (width peeked, 2.0 * student * planned.StandardError)
        }

        test "rules combine" {
            let either = StoppingRule.matvecs 50 |> StoppingRule.orElse (StoppingRule.matvecs 20)
            let both = StoppingRule.matvecs 50 |> StoppingRule.andAlso (StoppingRule.matvecs 20)
            Expect.equal "(run either key (operator \"flat…" 20 (run either key (operator "flat")).Samples
            Expect.equal "(run both key (operator \"flat\")…" 50 (run both key (operator "flat")).Samples
            let precise = StoppingRule.absoluteError 1e3 |> StoppingRule.andAlso (StoppingRule.matvecs 40)
            Expect.equal "(run precise key (operator \"fla…" 40 (run precise key (operator "flat")).Samples
        }

        test "time ends sampling" {
            let trace = run (StoppingRule.seconds 0.0) key (operator "flat")
            Expect.equal "trace.Samples, trace.StopReason" (16, StopReason.TimeSpent) (trace.Samples, trace.StopReason)
        }

        test "a rule without a limit ends at the ceiling" {
            // The trace is 0, so that no relative error is ever reached.
            let balanced = LinearOperator.ofDiagonal (Tensor.ofArray [ 2 ] [| 1.0; -1.0 |])
            let options = RunOptions.Default.WithBlockSize 4096

            let trace =
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian sampledTrace)
                    (StoppingRule.relativeError 0.01)
                    key
                    balanced

            Expect.equal
                "trace.Samples, trace.StopReason"
                (StoppingRule.ceiling, StopReason.CeilingReached)
                (trace.Samples, trace.StopReason)

            Expect.inRange "0.0" (trace.Interval(0.999999).Low) (trace.Interval(0.999999).High) 0.0
        }

        test "an error that may never be reached needs the ceiling beside a limit, and not instead of one" {
            let error, limit = StoppingRule.relativeError 0.01, StoppingRule.matvecs 16
            let both = string (Stopping.bounded (error |> StoppingRule.andAlso limit))
            let either = string (Stopping.bounded (error |> StoppingRule.orElse limit))
            Expect.stringContains "both" $"{StoppingRule.ceiling} samples at most" both
            Expect.isFalse "either" (either.Contains("samples at most"))
        }

        test "a measurement that is not watched does not prolong sampling" {
            let stop = StoppingRule.relativeError 0.2
            let matrix = LinearOperator.ofMatrix (Matrices.symmetric 41 30 + 3.0 * Tensor.eye DType.Float64 30)

            let samples (measurement: Measurement<Estimate<float> * Estimate<Tensor>>) =
                (fst (Hutchinson.estimate Probe.rademacher measurement stop key matrix)).Samples

            // The ratio form has no exact result, with which both would end.
            let free = samples (Measurement.both Measurement.trace (Measurement.unwatched Measurement.diagonalRatio))
            Expect.isLessThanOrEqual "free" (free, 16)

            Expect.isGreaterThan
                "samples (Measurement.both Measu…"
                (samples (Measurement.both Measurement.trace Measurement.diagonalRatio), free)
        }

        test "PyHessian's rule at 0.1 percent is off by percents" {
            let stop = StoppingRule.pyHessian 1e-3 |> StoppingRule.orElse (StoppingRule.matvecs 100)
            let results = [ for seed in 1L .. 60L -> run stop (Key.OfSeed seed) (operator "poly") ]
            let early = results |> List.filter (fun trace -> trace.StopReason = StopReason.RunningMeanSettled)
            Expect.isGreaterThan "early.Length" (early.Length, 40)
            let error = early |> List.averageBy (fun trace -> abs (trace.Value / truth "poly" - 1.0))
            Expect.inRange "error" 0.03 0.5 error
            // The error bars tell what the rule does not.
            let missed =
                early
                |> List.filter (fun trace ->
                    trace.Samples > 10
                    && (truth "poly" < trace.Interval(0.95).Low || truth "poly" > trace.Interval(0.95).High))

            Expect.isLessThan "missed.Length" (missed.Length, 12)
        }

        test "arguments outside their range are refused" {
            let refused f = Expect.error<ArgumentRangeException> [ "StoppingRule" ] (fun () -> f () |> ignore)
            refused (fun () -> StoppingRule.matvecs 0)
            refused (fun () -> StoppingRule.matvecs -5)
            refused (fun () -> StoppingRule.seconds -1.0)
            refused (fun () -> StoppingRule.seconds nan)
            refused (fun () -> StoppingRule.relativeError 0.0)
            refused (fun () -> StoppingRule.absoluteError infinity)
            refused (fun () -> StoppingRule.relativeErrorAt 95.0 0.01)

            Expect.error<ArgumentRangeException> [ "WithBlockSize" ] (fun () ->
                RunOptions.Default.WithBlockSize 0 |> ignore)
        }
    ]
