namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<TestFixture>]
type HutchinsonTests() =

    let key = Key.OfSeed 30L
    let matrix = Matrices.symmetric 31 12
    let operator = LinearOperator.ofMatrix matrix
    let blocks = [ ParameterBlock("first", 0, 5); ParameterBlock("second", 5, 7) ]

    let within (expected: float) (estimate: Estimate<float>) =
        Assert.That(
            abs (estimate.Value - expected),
            Is.LessThanOrEqualTo(5.0 * estimate.StandardError),
            $"{estimate} against {expected}, {key}"
        )

    [<Test>]
    member _.``one sign sample is exact on a diagonal``() =
        let hessian =
            Hessian.at
                (fun x -> Tensor.sum (x * x * Tensor.ofArray [ 2 ] [| 1.0; 2.0 |]))
                (Tensor.ones DType.Float64 [ 2 ])

        let trace = Hutchinson.trace (StoppingRule.matvecs 1) key hessian
        Assert.That(trace.Value, Is.EqualTo 6.0)
        Assert.That(trace.QuadraticForms, Is.EqualTo 1)
        Assert.That(trace.Matvecs, Is.EqualTo 0)

    [<Test>]
    member _.``the error of one or two forms, and of fewer than five vectors, is not known``() =
        for count, ofEntries in [ 1, 1; 2, 4 ] do
            let trace = Hutchinson.trace (StoppingRule.matvecs count) key operator
            let interval = trace.Interval 0.95
            Assert.That((trace.IsErrorKnown, trace.StandardError), Is.EqualTo((false, infinity)))
            Assert.That((interval.Low, interval.High), Is.EqualTo((-infinity, infinity)))
            Assert.That(string trace, Does.Contain "± unknown")
            let diagonal = Hutchinson.diagonal (StoppingRule.matvecs ofEntries) key operator
            Assert.That(diagonal.IsErrorKnown, Is.False)
            Expect.equal (Array.create 12 infinity) (diagonal.StandardError.ToArray())
            Expect.equal (Array.create 12 infinity) ((diagonal.Interval 0.95).High.ToArray())

        Assert.That((Hutchinson.trace (StoppingRule.matvecs 3) key operator).IsErrorKnown)
        Assert.That((Hutchinson.diagonal (StoppingRule.matvecs 5) key operator).IsErrorKnown)

    [<Test>]
    member _.``standard errors are those of means, and intervals of entries, symmetric for signs, are Student's``() =
        let z = Probe.draw Probe.rademacher key 12 (0, 5) DType.Float64
        let weighted = z * operator.Apply z
        let forms = (Tensor.sumAxes [ 1 ] weighted).ToArray()
        let entries = Array.init 5 (fun row -> (Tensor.item 0 row weighted).ToArray()[0])
        let trace = Hutchinson.trace (StoppingRule.matvecs 5) key operator
        let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 5) key operator
        let spread values = Array.sumBy (fun t -> (t - Array.average values) ** 2.0) values
        let error values = sqrt (spread values / 4.0 / 5.0)
        let mean = Array.average entries
        Assert.That(trace.Value, Is.EqualTo(Array.average forms).Within 1e-12)
        Assert.That(trace.StandardError, Is.EqualTo(error forms).Within 1e-12)
        let high, low = (diagonal.Interval 0.95).High.ToArray()[0], (diagonal.Interval 0.95).Low.ToArray()[0]
        // The 97.5 % quantile of t with 4 degrees of freedom, from a table.
        Assert.That(high - mean, Is.EqualTo(2.776445105 * error entries).Within 1e-7)
        Assert.That(mean - low, Is.EqualTo(2.776445105 * error entries).Within 1e-7)
        Expect.error<ArgumentRangeException> [ "95" ] (fun () -> trace.Interval 95.0 |> ignore)

    [<Test>]
    member _.``combined measurements equal separate ones, to the bit``() =
        let stop = StoppingRule.matvecs 40
        let run measurement = Hutchinson.estimate Probe.gaussian measurement stop key operator

        let trace, (diagonal, (frobenius, (rows, traces))) =
            run (
                Measurement.both
                    Measurement.trace
                    (Measurement.both
                        Measurement.diagonal
                        (Measurement.both
                            Measurement.frobenius
                            (Measurement.both Measurement.rowNorms (Measurement.blockTraces blocks))))
            )

        Assert.That(trace.Value, Is.EqualTo (run Measurement.trace).Value)
        Assert.That(trace.StandardError, Is.EqualTo (run Measurement.trace).StandardError)
        Expect.sameBits (run Measurement.diagonal).Value diagonal.Value
        Expect.sameBits (run Measurement.diagonal).StandardError diagonal.StandardError
        Assert.That(frobenius.Value, Is.EqualTo (run Measurement.frobenius).Value)
        Expect.sameBits (run Measurement.rowNorms).Value rows.Value

        Array.iter2
            (fun (a: BlockTrace) (b: BlockTrace) -> Assert.That(a.Trace.Value, Is.EqualTo b.Trace.Value))
            (run (Measurement.blockTraces blocks))
            traces

        Assert.That(trace.Matvecs, Is.EqualTo 40)

    [<Test>]
    member _.``the trace is the sum of the diagonal and of the block traces``() =
        let measurement =
            Measurement.both Measurement.trace (Measurement.both Measurement.diagonal (Measurement.blockTraces blocks))

        let trace, (diagonal, traces) =
            Hutchinson.estimate Probe.sphere measurement (StoppingRule.matvecs 9) key operator

        Assert.That((Tensor.sum diagonal.Value).ToScalar(), Is.EqualTo(trace.Value).Within 1e-12)
        Assert.That(traces |> Array.sumBy _.Trace.Value, Is.EqualTo(trace.Value).Within 1e-12)

    [<Test>]
    member _.``every measurement lies within 5 standard errors of the truth``() =
        let all =
            Measurement.all
                [
                    Measurement.trace |> Measurement.map (fun t -> [ t, Matrices.trace matrix ])
                    Measurement.squaredFrobenius |> Measurement.map (fun f -> [ f, Matrices.squaredNorm matrix ])
                    Measurement.frobenius |> Measurement.map (fun f -> [ f, sqrt (Matrices.squaredNorm matrix) ])
                ]

        for probe in
            [
                Probe.rademacher
                Probe.gaussian
                Probe.sphere
                Probe.sparse 0.5
                Probe.fixedSparse 4
                Probe.basis
            ] do
            for results in Hutchinson.estimate probe all (StoppingRule.matvecs 500) key operator do
                for estimate, truth in results do
                    within truth estimate

    [<Test>]
    member _.``vector measurements lie within 6 standard errors of the truth``() =
        let rows = matrix.ToArray() |> Array.chunkBySize 12 |> Array.map (Array.sumBy (fun x -> x * x))
        let diagonal = Matrices.diagonal matrix

        let check (truth: float[]) (estimate: Estimate<Tensor>) =
            let value, error = estimate.Value.ToArray(), estimate.StandardError.ToArray()

            truth
            |> Array.iteri (fun i t ->
                Assert.That(abs (value[i] - t), Is.LessThanOrEqualTo(6.0 * error[i]), $"entry {i}, {key}"))

        let run measurement = Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 400) key operator
        check diagonal (run Measurement.diagonal)
        check diagonal (run Measurement.diagonalRatio)
        check rows (run Measurement.squaredRowNorms)
        check (rows |> Array.map sqrt) (run Measurement.rowNorms)

    [<Test>]
    member _.``with signs both diagonals are the same``() =
        let run measurement = Hutchinson.estimate Probe.rademacher measurement (StoppingRule.matvecs 20) key operator
        Expect.tensorsClose 1e-13 (run Measurement.diagonal).Value (run Measurement.diagonalRatio).Value
        Expect.tensorsClose 1e-12 (run Measurement.diagonal).StandardError (run Measurement.diagonalRatio).StandardError

    [<Test>]
    member _.``the ratio form of the diagonal has less variance than the plain one under normal probes``() =
        let large = LinearOperator.ofMatrix (matrix + 10.0 * Tensor.eye DType.Float64 12)

        let error measurement =
            Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 100) key large
            |> fun (e: Estimate<Tensor>) -> (Tensor.norm e.StandardError).ToScalar()

        Assert.That(error Measurement.diagonalRatio, Is.LessThan(0.5 * error Measurement.diagonal))

    [<Test>]
    member _.``an entry that no sparse probe touched is an error in the ratio form``() =
        let run () =
            Hutchinson.estimate Probe.basis Measurement.diagonalRatio (StoppingRule.matvecs 3) key operator |> ignore

        Expect.error<OperatorException> [ "of 12 entries"; "3 probes" ] run

    [<Test>]
    member _.``standard errors of the diagonal are those of the formula``() =
        for probe in [ Probe.rademacher; Probe.gaussian; Probe.fixedSparse 6 ] do
            let m = 2000

            let errors =
                (Hutchinson.estimate probe Measurement.diagonal (StoppingRule.matvecs m) key operator)
                    .StandardError.ToArray()

            let expected = Probe.varianceOfDiagonal probe matrix |> Array.map (fun v -> sqrt (v / float m))

            Array.iter2
                (fun (e: float) a -> Assert.That(a / e, Is.InRange(0.7, 1.4), $"{probe}, {key}"))
                expected
                errors

    [<Test>]
    member _.``the same key gives the same bits in blocks of any size``() =
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
            Assert.That(otherTrace.Value, Is.EqualTo trace.Value)
            Assert.That(otherTrace.StandardError, Is.EqualTo trace.StandardError)
            Expect.sameBits entries.Value otherEntries.Value
            Expect.sameBits entries.StandardError otherEntries.StandardError

    [<Test>]
    member _.``operators of one column and of none give exact results``() =
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
        Assert.That(trace.Value, Is.EqualTo 3.5)
        Assert.That(trace.StandardError, Is.InRange(1e-16, 1e-14))
        Assert.That(trace.Interval(0.95).High, Is.InRange(3.5, 3.5 + 1e-14))
        Expect.tensor 0.0 [ 1 ] [ 3.5 ] diagonal.Value
        Expect.tensor 1e-14 [ 1 ] [ 0.0 ] diagonal.StandardError
        Assert.That((trace.IsExact, trace.Matvecs, trace.StopReason), Is.EqualTo((true, 1, StopReason.Exact)))
        let trace, diagonal = run none
        Assert.That((trace.Value, trace.StandardError, trace.Matvecs), Is.EqualTo((0.0, 0.0, 0)))
        Assert.That(diagonal.Value.Size, Is.EqualTo 0)
        Assert.That(Exact.trace(none).Value, Is.EqualTo 0.0)

    [<Test>]
    member _.``an operator of zeros is done at the first interim analysis``() =
        let trace = Hutchinson.trace (StoppingRule.relativeError 0.01) key (LinearOperator.zero DType.Float64 50 50)
        Assert.That((trace.Value, trace.StandardError, trace.Samples), Is.EqualTo((0.0, 0.0, 16)))

    [<Test>]
    member _.``a measurement that does not fit the operator is refused``() =
        let wide = LinearOperator.ofMatrix (Matrices.random 1 3 5)

        let run (measurement: Measurement<'T>) operator () =
            Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 2) key operator |> ignore

        Expect.error<OperatorException> [ "trace"; "[3; 5]" ] (run Measurement.trace wide)
        Expect.error<OperatorException> [ "diagonal"; "[3; 5]" ] (run Measurement.diagonal wide)

        Expect.error<ArgumentRangeException>
            [ "far"; "10 elements from 5"; "12" ]
            (run (Measurement.blockTraces [ ParameterBlock("far", 5, 10) ]) operator)

        Expect.error<ArgumentRangeException> [ "no blocks" ] (run (Measurement.blockTraces []) operator)

    [<Test>]
    member _.``norms of an operator that is not square``() =
        let matrix = Matrices.random 33 3 5

        let frobenius, rows =
            Hutchinson.estimate
                Probe.rademacher
                (Measurement.both Measurement.frobenius Measurement.rowNorms)
                (StoppingRule.matvecs 200)
                key
                (LinearOperator.ofMatrix matrix)

        within (sqrt (Matrices.squaredNorm matrix)) frobenius
        Assert.That((rows.Value.Shape = [| 3 |]))
        let exact = Exact.rowNorms (LinearOperator.ofMatrix matrix)

        Expect.close
            1e-13
            (matrix.ToArray() |> Array.chunkBySize 5 |> Array.map (fun row -> sqrt (Array.sumBy (fun x -> x * x) row)))
            (exact.Value.ToArray())

        Assert.That(
            Exact.frobenius(LinearOperator.ofMatrix matrix).Value,
            Is.EqualTo(sqrt (Matrices.squaredNorm matrix)).Within 1e-13
        )

    [<Test>]
    member _.``exact trace, diagonal and block traces of a matrix``() =
        Assert.That(Exact.trace(operator).Value, Is.EqualTo(Matrices.trace matrix).Within 1e-13)
        Expect.close 0.0 (Matrices.diagonal matrix) ((Exact.diagonal operator).Value.ToArray())
        let traces = Exact.blockTraces blocks operator

        Assert.That(
            traces[1].Trace.Value,
            Is.EqualTo(Matrices.diagonal matrix |> Array.skip 5 |> Array.sum).Within 1e-13
        )

        Assert.That((traces[1].Trace.IsExact, traces[1].Trace.Matvecs), Is.EqualTo((true, 12)))
        Assert.That(traces[1].Trace.StandardError, Is.InRange(1e-16, 1e-13))

        Expect.error<OperatorException> [ "trace"; "square" ] (fun () ->
            Exact.trace (LinearOperator.ofMatrix (Matrices.random 1 2 3)) |> ignore)

    [<Test>]
    member _.``a product that is not finite names its probe``() =
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
            Hutchinson.trace (StoppingRule.matvecs 40) key quadratic |> ignore)

    [<Test>]
    member _.``cancelling returns what was found``() =
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

        Assert.That((trace.StopReason, trace.Samples), Is.EqualTo((StopReason.Cancelled, 48)))
        within 6.0 trace
        // One before the first product, one after each block, and the last.
        Assert.That((progress.Reports |> Seq.map _.Samples |> Seq.toList = [ 0; 16; 32; 48; 48 ]))
        Assert.That((progress.Reports[0].ExpectedSamples, progress.Reports[0].Completed), Is.EqualTo((1000.0, 0.0)))
        Assert.That(progress.Reports[2].Completed, Is.EqualTo(0.032).Within 1e-12)
        Assert.That(progress.Reports[2].ExpectedSeconds, Is.GreaterThan progress.Reports[2].Seconds)

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

    [<Test>]
    member _.``float32 sums keep their digits``() =
        // The sum of 100,000 equal entries, which float32 would not accumulate to 7 digits one by one.
        let n = 100_000
        let operator = LinearOperator.ofDiagonal (Tensor.full DType.Float32 [ n ] 0.1)
        let trace = Hutchinson.trace (StoppingRule.matvecs 4) key operator
        Assert.That(trace.Value, Is.EqualTo(0.1 * float n).Within(1e-6 * 0.1 * float n))

    [<Test>]
    member _.``the number of threads does not change a bit, and results stay on the operator's device``() =
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

            Assert.That(obj.ReferenceEquals(diagonal.Value.Device, device))
            let exact = Exact.diagonal hessian

            let sparse =
                Hutchinson.estimate (Probe.fixedSparse 5) Measurement.trace (StoppingRule.matvecs 20) key hessian

            trace.Value,
            sparse.Value,
            [ for t in [ diagonal.Value; ratio.Value; rows.Value; exact.Value ] -> t.ToArray() ]

        Assert.That((run 1 = run 3))
