namespace DocExamples

open System
open System.IO
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp

/// The F# of docs/estimates.md.
module EstimateExamples =

    let private hessian =
        Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 30; 30 ] |> LinearOperator.ofMatrix |> LinearOperator.gram

    [<Test>]
    let ``a trace with its error bar`` () =
        let stop = StoppingRule.relativeError 0.02 |> StoppingRule.orElse (StoppingRule.matvecs 5000)
        let trace = Hutchinson.trace stop (Key.OfSeed 1L) hessian
        let interval = trace.Interval 0.95
        printfn $"{trace.Value} ± {trace.StandardError}, {interval.Low} to {interval.High}"
        printfn $"{trace.Matvecs} products, {trace.Seconds} s, {trace.StopReason}"

        Assert.That((trace.StopReason = StopReason.ErrorReached || trace.IsExact))
        Assert.That(interval.High - interval.Low, Is.LessThan(0.041 * trace.Value))
        Assert.That((Exact.trace hessian).Value, Is.EqualTo(trace.Value).Within(5).Percent)

    [<Test>]
    let ``diagonals`` () =
        let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 500) (Key.OfSeed 1L) hessian
        let entries = diagonal.Value.ToArray()
        let errors = diagonal.StandardError.ToArray()

        let blocks = [ ParameterBlock("first", 0, 10); ParameterBlock("rest", 10, 20) ]
        let traces = Measurement.blockTraces blocks
        let stop, key = StoppingRule.matvecs 500, Key.OfSeed 1L

        for block in Hutchinson.estimate Probe.rademacher traces stop key hessian do
            printfn $"{block.Block.Name}: {block.Trace}"

        Assert.That(Array.append entries errors, Is.All.GreaterThan 0.0)

    [<Test>]
    let ``exact results`` () =
        let trace = Exact.trace hessian // n quadratic forms
        let diagonal = Exact.diagonal hessian
        let norm = Exact.frobenius hessian // n products
        let squares = Exact.measure Measurement.squaredRowNorms hessian

        Assert.That((Tensor.sum squares.Value).ToScalar(), Is.EqualTo(norm.Value * norm.Value).Within(1e-10).Percent)
        Assert.That(trace.Value, Is.EqualTo((Tensor.sum diagonal.Value).ToScalar()).Within 1e-9)
        Assert.That(norm.IsExact)

    [<Test>]
    let ``several quantities from one pass`` () =
        let both = Measurement.both Measurement.trace Measurement.frobenius
        let stop, key = StoppingRule.matvecs 200, Key.OfSeed 1L
        let trace, norm = Hutchinson.estimate Probe.rademacher both stop key hessian
        printfn $"trace {trace}, norm {norm}"

        Assert.That(trace.Matvecs, Is.EqualTo 200)

    [<Test>]
    let ``probes and rules`` () =
        let stop =
            StoppingRule.absoluteErrorAt 0.9 5.0
            |> StoppingRule.orElse (StoppingRule.seconds 10.0)
            |> StoppingRule.orElse (StoppingRule.matvecs 10_000)

        let trace = Hutchinson.estimate Probe.gaussian Measurement.trace stop (Key.OfSeed 1L) hessian

        Assert.That(trace.Value, Is.EqualTo((Exact.trace hessian).Value).Within(10).Percent)

    [<Test>]
    let ``estimators are values`` () =
        let ways = [ Hutchinson.estimator Probe.rademacher Measurement.trace; XTrace.estimator ]

        for way in ways do
            printfn $"{way.Name}: {Estimate.run way (StoppingRule.matvecs 24) (Key.OfSeed 1L) hessian}"

        Assert.That((ways |> List.map _.LeastMatvecs = [ 1; 2 ]))

    [<Test>]
    let ``long work`` () =
        let stop = StoppingRule.matvecs 100

        use source = new CancellationTokenSource(TimeSpan.FromMinutes 1.0)

        let tell = Progress<SamplingProgress>(fun p -> printfn $"{p.Completed:P0}: {p.Value} ± {p.StandardError}")

        let options = RunOptions.Default.WithProgress(tell).WithCancellation(source.Token)
        let signs = Hutchinson.estimator Probe.rademacher Measurement.trace
        let trace = Estimate.runWith options signs stop (Key.OfSeed 1L) hessian

        if trace.StopReason = StopReason.Cancelled then
            printfn $"only {trace.Samples} vectors in a minute"

        Assert.That(trace.Samples, Is.EqualTo 100)

    [<Test>]
    let ``going on another day`` () =
        let folder = Directory.CreateTempSubdirectory "curvature"
        let path, products = Path.Combine(folder.FullName, "trace.run"), Path.Combine(folder.FullName, "pairs.run")
        let key = Key.OfSeed 1L

        let options = RunOptions.Default.WithCheckpoint path
        let run = Estimate.runWith options (Hutchinson.estimator Probe.rademacher Measurement.trace)
        let first = run (StoppingRule.matvecs 500) key hessian
        let more = run (StoppingRule.matvecs 900) key hessian

        Assert.That((first.Samples, more.Samples), Is.EqualTo((500, 900)))
        Assert.That(more.Value, Is.EqualTo (Hutchinson.trace (StoppingRule.matvecs 900) key hessian).Value)

        let pairs = Checkpoint.run products (ThickRestartLanczos.find SpectrumEnd.Largest 3) hessian

        Assert.That(pairs.Values, Has.Length.EqualTo 3)
        folder.Delete true
