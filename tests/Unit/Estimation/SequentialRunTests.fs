/// The loop that runs every estimator.
module Curvature.Tests.Unit.SequentialRunTests

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 150L
let private matrix = Matrices.symmetric 151 100 + 1.5 * Tensor.eye DType.Float64 100
let private truth = Matrices.trace matrix
let private onePercent = StoppingRule.relativeError 0.01

/// The matrix by single products, which are counted and told.
let private told (tell: int -> unit) =
    let mutable products = 0

    LinearOperator.ofDelegate DType.Float64 100 100 (fun v ->
        products <- products + 1
        tell products
        (Tensor.matmul matrix (Tensor.ofArray [ 100 ] v)).ToArray())
    |> LinearOperator.withDelegateTranspose (fun v -> (Tensor.matmul matrix (Tensor.ofArray [ 100 ] v)).ToArray())
    |> LinearOperator.claim OperatorProperties.Symmetric

let private operator = told ignore

let private withFile (test: string -> unit) =
    let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.run")

    try
        test path
    finally
        File.Delete path

let private cancellingAt (products: int) (run: RunOptions -> LinearOperator -> 'T) : 'T =
    use source = new CancellationTokenSource()
    let operator = told (fun count -> if count = products then source.Cancel())
    run (RunOptions.Default.WithCancellation source.Token) operator

[<Tests>]
let tests =
    testList "Unit.SequentialRunTests" [
        test "a target that sampling would reach late is met by all columns" {
            let trace = Hutchinson.trace onePercent key operator
            Expect.equal "trace.IsExact, trace.StopReason" (true, StopReason.Exact) (trace.IsExact, trace.StopReason)
            Expect.within "trace.Value" 1e-10 truth trace.Value
            Expect.inRange "what was sampled before counts" 101 116 trace.Matvecs
            Expect.isGreaterThan "trace.Ledger.Forecast" (trace.Ledger.Forecast, 1000.0)

            Expect.stringContains
                "string trace"
                $"(exact up to rounding, from {trace.Matvecs} products; sampling would have taken about "
                (string trace)
        }

        test "whatever has an exact result is finished by all columns" {
            let blocks = [ ParameterBlock("first", 0, 40); ParameterBlock("rest", 40, 60) ]

            let exactly measurement =
                Hutchinson.estimate Probe.rademacher measurement (StoppingRule.absoluteError 1e-3) key

            let diagonal, (frobenius, (rows, traces)) =
                exactly
                    (Measurement.both
                        Measurement.diagonal
                        (Measurement.both
                            Measurement.frobenius
                            (Measurement.both Measurement.rowNorms (Measurement.blockTraces blocks))))
                    operator

            Expect.close 1e-12 (Matrices.diagonal matrix) (diagonal.Value.ToArray())
            Expect.within "frobenius.Value" 1e-10 (sqrt (Matrices.squaredNorm matrix)) frobenius.Value
            Expect.tensorsClose 1e-12 (Exact.rowNorms operator).Value rows.Value
            Expect.within "traces |> Array.sumBy _.Trace.V…" 1e-10 truth (traces |> Array.sumBy _.Trace.Value)

            Expect.isTrue
                "diagonal.IsExact && frobenius.I…"
                (diagonal.IsExact && frobenius.IsExact && rows.IsExact && traces[0].Trace.IsExact)
        }

        test "fixed numbers, limits below the columns and measurements without an exact result are sampled" {
            let fixedCount = Hutchinson.trace (StoppingRule.matvecs 500) key operator
            Expect.equal "fixedCount.IsExact, fixedCount.…" (false, 500) (fixedCount.IsExact, fixedCount.Samples)
            let limited = Hutchinson.trace (onePercent |> StoppingRule.orElse (StoppingRule.matvecs 90)) key operator
            Expect.equal "limited.IsExact, limited.Matvecs" (false, 90) (limited.IsExact, limited.Matvecs)
            let rule = StoppingRule.relativeError 0.2 |> StoppingRule.orElse (StoppingRule.matvecs 2000)
            let ratio = Hutchinson.estimate Probe.gaussian Measurement.diagonalRatio rule key operator
            Expect.isFalse "ratio.IsExact" ratio.IsExact
            let mixed = Measurement.both Measurement.trace (Measurement.unwatched Measurement.diagonalRatio)

            Expect.isFalse
                "(fst (Hutchinson.estimate Probe…"
                (fst (Hutchinson.estimate Probe.gaussian mixed rule key operator)).IsExact
        }

        test "a run with time that is spent among the columns returns what was sampled" {
            let slow = told (fun count -> if count > 20 then Thread.Sleep 20)
            let rule = onePercent |> StoppingRule.orElse (StoppingRule.seconds 0.5)
            let trace = Hutchinson.trace rule key slow

            Expect.equal
                "trace.IsExact, trace.StopReason"
                (false, StopReason.TimeSpent)
                (trace.IsExact, trace.StopReason)

            Expect.isLessThan "abs (trace.Value - truth)" (abs (trace.Value - truth), 6.0 * trace.StandardError)
        }

        test "cancelled among the columns, a run returns what was sampled, and an exact one nothing" {
            let run options operator =
                Estimate.runWith options (Hutchinson.estimator Probe.gaussian Measurement.trace) onePercent key operator

            let trace: Estimate<float> = cancellingAt 60 run

            Expect.equal
                "trace.StopReason, trace.IsExact"
                (StopReason.Cancelled, false)
                (trace.StopReason, trace.IsExact)

            Expect.isLessThan "trace.Samples" (trace.Samples, 60)
            Expect.isGreaterThanOrEqual "columns that were taken count" (trace.Matvecs, 60)
            Expect.isLessThan "abs (trace.Value - truth)" (abs (trace.Value - truth), 6.0 * trace.StandardError)

            Expect.error<OperationCanceledException> [] (fun () ->
                cancellingAt 60 (fun options -> Exact.measureWith options Measurement.trace) |> ignore)
        }

        testCase "a run that was cancelled among the columns goes on from its file" (fun () ->
            withFile (fun path ->
                let estimator =
                    Hutchinson.estimator Probe.gaussian (Measurement.both Measurement.trace Measurement.rowNorms)

                let run (options: RunOptions) a =
                    Estimate.runWith (options.WithCheckpoint path) estimator onePercent key a

                let whole, wholeRows = Estimate.run estimator onePercent key operator

                Expect.equal
                    "(fst (cancellingAt 60 run)).Sto…"
                    StopReason.Cancelled
                    (fst (cancellingAt 60 run)).StopReason

                let mutable products = 0
                let trace, rows = run RunOptions.Default (told (fun count -> products <- count))
                Expect.isLessThan "products are not taken twice" (products, whole.Matvecs - 40)
                Expect.equal "trace.Value, trace.IsExact" (whole.Value, true) (trace.Value, trace.IsExact)
                Expect.sameBits wholeRows.Value rows.Value
                Expect.equal "trace.Matvecs" (whole.Matvecs + 1) trace.Matvecs
                Expect.equal "trace.Ledger.Forecast" whole.Ledger.Forecast trace.Ledger.Forecast))

        test "progress is told ten times a second at most, and the first and the last report always" {
            let progress = RecordedProgress()
            let options = RunOptions.Default.WithProgress(progress).WithBlockSize 1
            let estimator = Hutchinson.estimator Probe.rademacher Measurement.trace
            let slow = told (fun _ -> Thread.Sleep 1)
            let trace: Estimate<float> = Estimate.runWith options estimator (StoppingRule.matvecs 300) key slow
            let reports = List.ofSeq progress.Reports
            Expect.isLessThanOrEqual "float reports.Length" (float reports.Length, 2.0 + 10.0 * trace.Seconds)
            Expect.equal "reports.Head.Samples, (List.las…" (0, 300) (reports.Head.Samples, (List.last reports).Samples)

            Expect.equal
                "(reports |> List.filter (fun re…"
                1
                (reports |> List.filter (fun report -> report.Completed = 1.0)).Length
        }

        test "what a run will take is told before the first product, and nothing of that size is made" {
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

            Expect.isLessThan
                "GC.GetAllocatedBytesForCurrentT…"
                (GC.GetAllocatedBytesForCurrentThread() - before, 1_000_000L)

            Expect.isTrue
                "reports |> Seq.map (fun p -> p.…"
                (reports |> Seq.map (fun p -> p.ExpectedSamples, p.Samples) |> List.ofSeq = [ 1e9, 0; 1e9, 0 ])
        }

        test "an interval in a report is that of the estimate" {
            let progress = RecordedProgress()
            let options = RunOptions.Default.WithProgress(progress, 0.0)

            for rule in [ StoppingRule.matvecs 48; onePercent |> StoppingRule.orElse (StoppingRule.matvecs 48) ] do
                let estimator = Hutchinson.estimator Probe.gaussian Measurement.trace
                let trace: Estimate<float> = Estimate.runWith options estimator rule key operator
                let last = progress.Reports[progress.Reports.Count - 1].Interval 0.95
                let own = trace.Interval 0.95

                Expect.equal
                    "last.Low, last.High, last.IsSeq…"
                    (own.Low, own.High, own.IsSequential)
                    (last.Low, last.High, last.IsSequential)
        }

        test "an estimator that divides its products needs a number of them" {
            for estimator in [ HutchPlusPlus.estimator; NonadaptiveHutchPlusPlus.estimator ] do
                Expect.error<ArgumentRangeException> [ estimator.Name; "relative error"; "matvecs" ] (fun () ->
                    Estimate.run estimator onePercent key operator |> ignore)

            let both = onePercent |> StoppingRule.orElse (StoppingRule.matvecs 60)
            let trace: Estimate<float> = Estimate.run HutchPlusPlus.estimator both key operator
            Expect.isLessThan "abs (trace.Value - truth)" (abs (trace.Value - truth), 6.0 * trace.StandardError)
            Expect.isLessThanOrEqual "trace.Matvecs" (trace.Matvecs, 60)
        }
    ]
