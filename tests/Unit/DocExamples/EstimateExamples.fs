/// The F# of docs/estimates.md.
module DocExamples.EstimateExamples

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private hessian =
    Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 30; 30 ] |> LinearOperator.ofMatrix |> LinearOperator.gram

[<Tests>]
let tests =
    testList "DocExamples.EstimateExamples" [
        test "a trace with its error bar" {
            let stop = StoppingRule.relativeError 0.02 |> StoppingRule.orElse (StoppingRule.matvecs 5000)
            let trace = Hutchinson.trace stop (Key.OfSeed 1L) hessian
            let interval = trace.Interval 0.95
            printfn $"{trace.Value} ± {trace.StandardError}, {interval.Low} to {interval.High}"
            printfn $"{trace.Matvecs} products, {trace.Seconds} s, {trace.StopReason}"

            Expect.isTrue
                "trace.StopReason = StopReason.E…"
                (trace.StopReason = StopReason.ErrorReached || trace.IsExact)

            Expect.isLessThan "interval.High - interval.Low" (interval.High - interval.Low, 0.041 * trace.Value)
            Expect.withinPercent "(Exact.trace hessian).Value" 5 trace.Value (Exact.trace hessian).Value
        }

        test "diagonals" {
            let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 500) (Key.OfSeed 1L) hessian
            let entries = diagonal.Value.ToArray()
            let errors = diagonal.StandardError.ToArray()

            let blocks = [ ParameterBlock("first", 0, 10); ParameterBlock("rest", 10, 20) ]
            let traces = Measurement.blockTraces blocks
            let stop, key = StoppingRule.matvecs 500, Key.OfSeed 1L

            for block in Hutchinson.estimate Probe.rademacher traces stop key hessian do
                printfn $"{block.Block.Name}: {block.Trace}"

            Expect.all "Array.append entries errors" (fun x -> x > 0.0) (Array.append entries errors)
        }

        test "exact results" {
            let trace = Exact.trace hessian // n quadratic forms
            let diagonal = Exact.diagonal hessian
            let norm = Exact.frobenius hessian // n products
            let squares = Exact.measure Measurement.squaredRowNorms hessian

            Expect.withinPercent
                "Tensor.sum squares.Value"
                1e-10
                (norm.Value * norm.Value)
                ((Tensor.sum squares.Value).ToScalar())

            Expect.within "trace.Value" 1e-9 ((Tensor.sum diagonal.Value).ToScalar()) trace.Value
            Expect.isTrue "norm.IsExact" norm.IsExact
        }

        test "several quantities from one pass" {
            let both = Measurement.both Measurement.trace Measurement.frobenius
            let stop, key = StoppingRule.matvecs 200, Key.OfSeed 1L
            let trace, norm = Hutchinson.estimate Probe.rademacher both stop key hessian
            printfn $"trace {trace}, norm {norm}"

            Expect.equal "trace.Matvecs" 200 trace.Matvecs
        }

        test "probes and rules" {
            let stop =
                StoppingRule.absoluteErrorAt 0.9 5.0
                |> StoppingRule.orElse (StoppingRule.seconds 10.0)
                |> StoppingRule.orElse (StoppingRule.matvecs 10_000)

            let trace = Hutchinson.estimate Probe.gaussian Measurement.trace stop (Key.OfSeed 1L) hessian

            Expect.withinPercent "trace.Value" 10 (Exact.trace hessian).Value trace.Value
        }

        test "estimators are values" {
            let ways = [ Hutchinson.estimator Probe.rademacher Measurement.trace; XTrace.estimator ]

            for way in ways do
                printfn $"{way.Name}: {Estimate.run way (StoppingRule.matvecs 24) (Key.OfSeed 1L) hessian}"

            Expect.isTrue "ways |> List.map _.LeastMatvecs…" (ways |> List.map _.LeastMatvecs = [ 1; 2 ])
        }

        test "long work" {
            let stop = StoppingRule.matvecs 100

            let source = new CancellationTokenSource(TimeSpan.FromMinutes 1.0)

            let tell = Progress<SamplingProgress>(fun p -> printfn $"{p}")

            let options = RunOptions.Default.WithProgress(tell).WithCancellation(source.Token)
            let signs = Hutchinson.estimator Probe.rademacher Measurement.trace
            let trace = Estimate.runWith options signs stop (Key.OfSeed 1L) hessian

            if trace.StopReason = StopReason.Cancelled then
                printfn $"only {trace.Samples} vectors in a minute"

            Expect.equal "trace.Samples" 100 trace.Samples
        }

        test "going on another day" {
            let folder = TemporaryFolder.create "curvature-"
            let file name = Path.Combine(folder, name)
            let key = Key.OfSeed 1L

            let options = RunOptions.Default.WithCheckpoint(file "trace.run")
            let run = Estimate.runWith options (Hutchinson.estimator Probe.rademacher Measurement.trace)
            let first = run (StoppingRule.matvecs 500) key hessian
            let more = run (StoppingRule.matvecs 900) key hessian

            Expect.equal "first.Samples, more.Samples" (500, 900) (first.Samples, more.Samples)
            Expect.equal "more.Value" (Hutchinson.trace (StoppingRule.matvecs 900) key hessian).Value more.Value

            let pairs = Checkpoint.run (file "pairs.run") (ThickRestartLanczos.find SpectrumEnd.Largest 3) hessian

            Expect.hasLength "pairs.Values" 3 pairs.Values
        }
    ]
