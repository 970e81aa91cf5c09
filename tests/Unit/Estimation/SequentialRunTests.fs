namespace Curvature.Tests.Unit

open System
open System.IO
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The loop that runs every estimator.
[<TestFixture>]
type SequentialRunTests() =

    let key = Key.OfSeed 150L
    let matrix = Matrices.symmetric 151 100 + 1.5 * Tensor.eye DType.Float64 100
    let truth = Matrices.trace matrix
    let onePercent = StoppingRule.relativeError 0.01

    /// The matrix by single products, which are counted and told.
    let told (tell: int -> unit) =
        let mutable products = 0

        LinearOperator.ofDelegate DType.Float64 100 100 (fun v ->
            products <- products + 1
            tell products
            (Tensor.matmul matrix (Tensor.ofArray [ 100 ] v)).ToArray())
        |> LinearOperator.withDelegateTranspose (fun v -> (Tensor.matmul matrix (Tensor.ofArray [ 100 ] v)).ToArray())
        |> LinearOperator.claim OperatorProperties.Symmetric

    let operator = told ignore

    let withFile (test: string -> unit) =
        let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.run")

        try
            test path
        finally
            File.Delete path

    let cancellingAt (products: int) (run: RunOptions -> LinearOperator -> 'T) : 'T =
        use source = new CancellationTokenSource()
        let operator = told (fun count -> if count = products then source.Cancel())
        run (RunOptions.Default.WithCancellation source.Token) operator

    [<Test>]
    member _.``a target that sampling would reach late is met by all columns``() =
        let trace = Hutchinson.trace onePercent key operator
        Assert.That((trace.IsExact, trace.StopReason), Is.EqualTo((true, StopReason.Exact)))
        Assert.That(trace.Value, Is.EqualTo(truth).Within 1e-10)
        Assert.That(trace.Matvecs, Is.InRange(101, 116), "what was sampled before counts")
        Assert.That(trace.Ledger.Forecast, Is.GreaterThan 1000.0)

        Assert.That(
            string trace,
            Does.Contain $"(exact up to rounding, from {trace.Matvecs} products; sampling would have taken about "
        )

    [<Test>]
    member _.``whatever has an exact result is finished by all columns``() =
        let blocks = [ ParameterBlock("first", 0, 40); ParameterBlock("rest", 40, 60) ]
        let exactly measurement = Hutchinson.estimate Probe.rademacher measurement (StoppingRule.absoluteError 1e-3) key

        let diagonal, (frobenius, (rows, traces)) =
            exactly
                (Measurement.both
                    Measurement.diagonal
                    (Measurement.both
                        Measurement.frobenius
                        (Measurement.both Measurement.rowNorms (Measurement.blockTraces blocks))))
                operator

        Expect.close 1e-12 (Matrices.diagonal matrix) (diagonal.Value.ToArray())
        Assert.That(frobenius.Value, Is.EqualTo(sqrt (Matrices.squaredNorm matrix)).Within 1e-10)
        Expect.tensorsClose 1e-12 (Exact.rowNorms operator).Value rows.Value
        Assert.That(traces |> Array.sumBy _.Trace.Value, Is.EqualTo(truth).Within 1e-10)
        Assert.That((diagonal.IsExact && frobenius.IsExact && rows.IsExact && traces[0].Trace.IsExact))

    [<Test>]
    member _.``fixed numbers, limits below the columns and measurements without an exact result are sampled``() =
        let fixedCount = Hutchinson.trace (StoppingRule.matvecs 500) key operator
        Assert.That((fixedCount.IsExact, fixedCount.Samples), Is.EqualTo((false, 500)))
        let limited = Hutchinson.trace (onePercent |> StoppingRule.orElse (StoppingRule.matvecs 90)) key operator
        Assert.That((limited.IsExact, limited.Matvecs), Is.EqualTo((false, 90)))
        let rule = StoppingRule.relativeError 0.2 |> StoppingRule.orElse (StoppingRule.matvecs 2000)
        let ratio = Hutchinson.estimate Probe.gaussian Measurement.diagonalRatio rule key operator
        Assert.That(ratio.IsExact, Is.False)
        let mixed = Measurement.both Measurement.trace (Measurement.unwatched Measurement.diagonalRatio)
        Assert.That((fst (Hutchinson.estimate Probe.gaussian mixed rule key operator)).IsExact, Is.False)

    [<Test>]
    member _.``a run with time that is spent among the columns returns what was sampled``() =
        let slow = told (fun count -> if count > 20 then Thread.Sleep 20)
        let rule = onePercent |> StoppingRule.orElse (StoppingRule.seconds 0.5)
        let trace = Hutchinson.trace rule key slow
        Assert.That((trace.IsExact, trace.StopReason), Is.EqualTo((false, StopReason.TimeSpent)))
        Assert.That(abs (trace.Value - truth), Is.LessThan(6.0 * trace.StandardError))

    [<Test>]
    member _.``cancelled among the columns, a run returns what was sampled, and an exact one nothing``() =
        let run options operator =
            Estimate.runWith options (Hutchinson.estimator Probe.gaussian Measurement.trace) onePercent key operator

        let trace: Estimate<float> = cancellingAt 60 run
        Assert.That((trace.StopReason, trace.IsExact), Is.EqualTo((StopReason.Cancelled, false)))
        Assert.That(trace.Samples, Is.LessThan 60)
        Assert.That(trace.Matvecs, Is.GreaterThanOrEqualTo 60, "columns that were taken count")
        Assert.That(abs (trace.Value - truth), Is.LessThan(6.0 * trace.StandardError))

        Expect.error<OperationCanceledException> [] (fun () ->
            cancellingAt 60 (fun options -> Exact.measureWith options Measurement.trace) |> ignore)

    [<Test>]
    member _.``a run that was cancelled among the columns goes on from its file``() =
        withFile (fun path ->
            let estimator =
                Hutchinson.estimator Probe.gaussian (Measurement.both Measurement.trace Measurement.rowNorms)

            let run (options: RunOptions) a = Estimate.runWith (options.WithCheckpoint path) estimator onePercent key a
            let whole, wholeRows = Estimate.run estimator onePercent key operator
            Assert.That((fst (cancellingAt 60 run)).StopReason, Is.EqualTo StopReason.Cancelled)
            let mutable products = 0
            let trace, rows = run RunOptions.Default (told (fun count -> products <- count))
            Assert.That(products, Is.LessThan(whole.Matvecs - 40), "products are not taken twice")
            Assert.That((trace.Value, trace.IsExact), Is.EqualTo((whole.Value, true)))
            Expect.sameBits wholeRows.Value rows.Value
            Assert.That(trace.Matvecs, Is.EqualTo(whole.Matvecs + 1))
            Assert.That(trace.Ledger.Forecast, Is.EqualTo whole.Ledger.Forecast))

    [<Test>]
    member _.``progress is told ten times a second at most, and the first and the last report always``() =
        let progress = RecordedProgress()
        let options = RunOptions.Default.WithProgress(progress).WithBlockSize 1
        let estimator = Hutchinson.estimator Probe.rademacher Measurement.trace
        let slow = told (fun _ -> Thread.Sleep 1)
        let trace: Estimate<float> = Estimate.runWith options estimator (StoppingRule.matvecs 300) key slow
        let reports = List.ofSeq progress.Reports
        Assert.That(float reports.Length, Is.LessThanOrEqualTo(2.0 + 10.0 * trace.Seconds))
        Assert.That((reports.Head.Samples, (List.last reports).Samples), Is.EqualTo((0, 300)))
        Assert.That((reports |> List.filter (fun report -> report.Completed = 1.0)).Length, Is.EqualTo 1)

    [<Test>]
    member _.``what a run will take is told before the first product, and nothing of that size is made``() =
        use source = new CancellationTokenSource()
        let reports = ResizeArray<SamplingProgress>()

        let listener =
            { new IProgress<SamplingProgress> with
                member _.Report report =
                    reports.Add report
                    source.Cancel()
            }

        let options = RunOptions.Default.WithProgress(listener).WithCancellation source.Token
        let before = GC.GetAllocatedBytesForCurrentThread()

        for estimator in [ Hutchinson.estimator Probe.rademacher Measurement.trace; XNysTrace.estimator ] do
            let huge = LinearOperator.scalar DType.Float64 2_000_000_000 1.0

            Expect.error<OperationCanceledException> [] (fun () ->
                Estimate.runWith options estimator (StoppingRule.matvecs 1_000_000_000) key huge |> ignore)

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan 1_000_000L)
        Assert.That((reports |> Seq.map (fun p -> p.ExpectedSamples, p.Samples) |> List.ofSeq = [ 1e9, 0; 1e9, 0 ]))

    [<Test>]
    member _.``an interval in a report is that of the estimate``() =
        let progress = RecordedProgress()
        let options = RunOptions.Default.WithProgress(progress, 0.0)

        for rule in [ StoppingRule.matvecs 48; onePercent |> StoppingRule.orElse (StoppingRule.matvecs 48) ] do
            let estimator = Hutchinson.estimator Probe.gaussian Measurement.trace
            let trace: Estimate<float> = Estimate.runWith options estimator rule key operator
            let last = progress.Reports[progress.Reports.Count - 1].Interval 0.95
            let own = trace.Interval 0.95
            Assert.That((last.Low, last.High, last.IsSequential), Is.EqualTo((own.Low, own.High, own.IsSequential)))

    [<Test>]
    member _.``an estimator that divides its products needs a number of them``() =
        for estimator in [ HutchPlusPlus.estimator; NonadaptiveHutchPlusPlus.estimator ] do
            Expect.error<ArgumentRangeException> [ estimator.Name; "relative error"; "matvecs" ] (fun () ->
                Estimate.run estimator onePercent key operator |> ignore)

        let both = onePercent |> StoppingRule.orElse (StoppingRule.matvecs 60)
        let trace: Estimate<float> = Estimate.run HutchPlusPlus.estimator both key operator
        Assert.That(abs (trace.Value - truth), Is.LessThan(6.0 * trace.StandardError))
        Assert.That(trace.Matvecs, Is.LessThanOrEqualTo 60)
