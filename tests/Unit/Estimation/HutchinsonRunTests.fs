module Curvature.Tests.Unit.HutchinsonRunTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 30L
let private matrix = Matrices.symmetric 31 12
let private operator = LinearOperator.ofMatrix matrix
let private blocks = [ ParameterBlock("first", 0, 5); ParameterBlock("second", 5, 7) ]

let private within (expected: float) (estimate: Estimate<float>) =
    Expect.isLessThanOrEqual
        $"{estimate} against {expected}, {key}"
        (abs (estimate.Value - expected), 5.0 * estimate.StandardError)

[<Tests>]
let tests =
    testList "Unit.HutchinsonRunTests" [
        test "the same key gives the same bits in blocks of any size" {
            let diagonal = LinearOperator.ofDiagonal (Tensor.ofArray [ 12 ] (Matrices.diagonal matrix))

            let run size =
                Estimate.runWith
                    (RunOptions.Default.WithBlockSize size)
                    (Hutchinson.estimator Probe.gaussian (Measurement.both Measurement.trace Measurement.diagonal))
                    (StoppingRule.matvecs 37)
                    key
                    diagonal

            let trace, entries = run 16

            for size in [ 1; 5; 37; 64 ] do
                let otherTrace, otherEntries = run size
                Expect.equal "otherTrace.Value" trace.Value otherTrace.Value
                Expect.equal "otherTrace.StandardError" trace.StandardError otherTrace.StandardError
                Expect.sameBits entries.Value otherEntries.Value
                Expect.sameBits entries.StandardError otherEntries.StandardError
        }

        test "operators of one column and of none give exact results" {
            let one = LinearOperator.ofMatrix (Tensor.ofArray [ 1; 1 ] [| 3.5 |])
            let none = LinearOperator.zero DType.Float64 0 0

            let run operator =
                Hutchinson.estimate
                    Probe.gaussian
                    (Measurement.both Measurement.trace Measurement.diagonal)
                    (StoppingRule.matvecs 5)
                    key
                    operator

            let trace, diagonal = run one
            Expect.equal "trace.Value" 3.5 trace.Value
            Expect.inRange "trace.StandardError" 1e-16 1e-14 trace.StandardError
            Expect.inRange "trace.Interval(0.95).High" 3.5 (3.5 + 1e-14) (trace.Interval(0.95).High)
            Expect.tensor 0.0 [ 1 ] [ 3.5 ] diagonal.Value
            Expect.tensor 1e-14 [ 1 ] [ 0.0 ] diagonal.StandardError

            Expect.equal
                "trace.IsExact, trace.Matvecs, t…"
                (true, 1, StopReason.Exact)
                (trace.IsExact, trace.Matvecs, trace.StopReason)

            let trace, diagonal = run none

            Expect.equal
                "trace.Value, trace.StandardErro…"
                (0.0, 0.0, 0)
                (trace.Value, trace.StandardError, trace.Matvecs)

            Expect.equal "diagonal.Value.Size" 0 diagonal.Value.Size
            Expect.equal "Exact.trace(none).Value" 0.0 (Exact.trace(none).Value)
        }

        test "an operator of zeros is done at the first interim analysis" {
            let trace = Hutchinson.trace (StoppingRule.relativeError 0.01) key (LinearOperator.zero DType.Float64 50 50)

            Expect.equal
                "trace.Value, trace.StandardErro…"
                (0.0, 0.0, 16)
                (trace.Value, trace.StandardError, trace.Samples)
        }

        test "a measurement that does not fit the operator is refused" {
            let wide = LinearOperator.ofMatrix (Matrices.random 1 3 5)

            let run (measurement: Measurement<'T>) operator () =
                Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 2) key operator |> ignore

            Expect.error<OperatorException> [ "trace"; "[3; 5]" ] (run Measurement.trace wide)
            Expect.error<OperatorException> [ "diagonal"; "[3; 5]" ] (run Measurement.diagonal wide)

            Expect.error<ArgumentRangeException>
                [ "far"; "10 elements from 5"; "12" ]
                (run (Measurement.blockTraces [ ParameterBlock("far", 5, 10) ]) operator)

            Expect.error<ArgumentRangeException> [ "no blocks" ] (run (Measurement.blockTraces []) operator)
        }

        test "norms of an operator that is not square" {
            let matrix = Matrices.random 33 3 5

            let frobenius, rows =
                Hutchinson.estimate
                    Probe.rademacher
                    (Measurement.both Measurement.frobenius Measurement.rowNorms)
                    (StoppingRule.matvecs 200)
                    key
                    (LinearOperator.ofMatrix matrix)

            within (sqrt (Matrices.squaredNorm matrix)) frobenius
            Expect.isTrue "rows.Value.Shape = [| 3 |]" (rows.Value.Shape = [| 3 |])
            let exact = Exact.rowNorms (LinearOperator.ofMatrix matrix)

            Expect.close
                1e-13
                (matrix.ToArray()
                 |> Array.chunkBySize 5
                 |> Array.map (fun row -> sqrt (Array.sumBy (fun x -> x * x) row)))
                (exact.Value.ToArray())

            Expect.within
                "Exact.frobenius(LinearOperator.…"
                1e-13
                (sqrt (Matrices.squaredNorm matrix))
                (Exact.frobenius(LinearOperator.ofMatrix matrix).Value)
        }

        test "exact trace, diagonal and block traces of a matrix" {
            Expect.within "Exact.trace(operator).Value" 1e-13 (Matrices.trace matrix) (Exact.trace(operator).Value)
            Expect.close 0.0 (Matrices.diagonal matrix) ((Exact.diagonal operator).Value.ToArray())
            let traces = Exact.blockTraces blocks operator

            Expect.within
                "traces[1].Trace.Value"
                1e-13
                (Matrices.diagonal matrix |> Array.skip 5 |> Array.sum)
                traces[1].Trace.Value

            Expect.equal
                "traces[1].Trace.IsExact, traces…"
                (true, 12)
                (traces[1].Trace.IsExact, traces[1].Trace.Matvecs)

            Expect.inRange "traces[1].Trace.StandardError" 1e-16 1e-13 traces[1].Trace.StandardError

            Expect.error<OperatorException> [ "trace"; "square" ] (fun () ->
                Exact.trace (LinearOperator.ofMatrix (Matrices.random 1 2 3)) |> ignore)
        }

        testCase "a product that is not finite names its probe" (fun () ->
            let mutable calls = 0

            let product (v: float[]) =
                calls <- calls + 1
                if calls = 19 then [| v[0]; nan |] else v

            let broken = LinearOperator.ofDelegate DType.Float64 2 2 product

            Expect.error<NonFiniteException> [ "delegate"; "probe 18 is NaN at element 1" ] (fun () ->
                Hutchinson.trace (StoppingRule.matvecs 40) key broken |> ignore)

            let forms (z: Tensor) = Tensor.log (Tensor.item 1 1 z * Tensor.ones DType.Float64 [ z.Shape[0] ] - 2.0)
            let quadratic = LinearOperator.identity DType.Float64 2 |> LinearOperator.withQuadraticForms forms

            Expect.error<NonFiniteException> [ "identity"; "quadratic form of probe 0 is NaN" ] (fun () ->
                Hutchinson.trace (StoppingRule.matvecs 40) key quadratic |> ignore))

        test "cancelling returns what was found" {
            use source = new CancellationTokenSource()
            let product (v: float[]) = v |> Array.map (fun x -> 2.0 * x)
            let progress = RecordedProgress(fun report -> if report.Samples >= 48 then source.Cancel())
            let options = RunOptions.Default.WithCancellation(source.Token).WithProgress(progress, 0.0)
            let operator = LinearOperator.ofDelegate DType.Float64 3 3 product

            let trace =
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian Measurement.trace)
                    (StoppingRule.matvecs 1000)
                    key
                    operator

            Expect.equal "trace.StopReason, trace.Samples" (StopReason.Cancelled, 48) (trace.StopReason, trace.Samples)
            within 6.0 trace
            // One before the first product, one after each block, and the last.
            Expect.isTrue
                "progress.Reports |> Seq.map _.S…"
                (progress.Reports |> Seq.map _.Samples |> Seq.toList = [ 0; 16; 32; 48; 48 ])

            Expect.equal
                "progress.Reports[0].ExpectedSam…"
                (1000.0, 0.0)
                (progress.Reports[0].ExpectedSamples, progress.Reports[0].Completed)

            Expect.within "progress.Reports[2].Completed" 1e-12 0.032 progress.Reports[2].Completed

            Expect.isGreaterThan
                "progress.Reports[2].ExpectedSec…"
                (progress.Reports[2].ExpectedSeconds, progress.Reports[2].Seconds)

            Expect.error<OperationCanceledException> [] (fun () ->
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian Measurement.trace)
                    (StoppingRule.matvecs 9)
                    key
                    operator
                |> ignore)

            Expect.error<OperationCanceledException> [] (fun () ->
                Exact.measureWith options Measurement.trace operator |> ignore)
        }

        test "float32 sums keep their digits" {
            // The sum of 100,000 equal entries, which float32 would not accumulate to 7 digits one by one.
            let n = 100_000
            let operator = LinearOperator.ofDiagonal (Tensor.full DType.Float32 [ n ] 0.1)
            let trace = Hutchinson.trace (StoppingRule.matvecs 4) key operator
            Expect.within "trace.Value" (1e-6 * 0.1 * float n) (0.1 * float n) trace.Value
        }

        test "the number of threads does not change a bit, and results stay on the operator's device" {
            let run threads =
                let device = Kernels.CpuDevice(threads, Kernels.InstructionSets.Best)
                let theta = Tensor.ofArray [ 300 ] (Array.init 300 (fun i -> sin (float i))) |> Tensor.toDevice device
                let hessian = Hessian.at (fun x -> Tensor.sum (Tensor.exp (x * Tensor.reverse 0 x))) theta

                let all =
                    Measurement.both
                        Measurement.trace
                        (Measurement.both
                            Measurement.diagonal
                            (Measurement.both Measurement.diagonalRatio Measurement.rowNorms))

                let (trace: Estimate<float>), (diagonal, (ratio, rows)) =
                    Hutchinson.estimate Probe.gaussian all (StoppingRule.matvecs 20) key hessian

                Expect.isTrue "obj.ReferenceEquals(diagonal.Va…" (obj.ReferenceEquals(diagonal.Value.Device, device))
                let exact = Exact.diagonal hessian

                let sparse =
                    Hutchinson.estimate (Probe.fixedSparse 5) Measurement.trace (StoppingRule.matvecs 20) key hessian

                trace.Value,
                sparse.Value,
                [ for t in [ diagonal.Value; ratio.Value; rows.Value; exact.Value ] -> t.ToArray() ]

            Expect.isTrue "run 1 = run 3" (run 1 = run 3)
        }
    ]
