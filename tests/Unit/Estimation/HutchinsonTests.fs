module Curvature.Tests.Unit.HutchinsonTests

open System
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
    testList "Unit.HutchinsonTests" [
        test "one sign sample is exact on a diagonal" {
            let hessian =
                Hessian.at
                    (fun x -> Tensor.sum (x * x * Tensor.ofArray [ 2 ] [| 1.0; 2.0 |]))
                    (Tensor.ones DType.Float64 [ 2 ])

            let trace = Hutchinson.trace (StoppingRule.matvecs 1) key hessian
            Expect.equal "trace.Value" 6.0 trace.Value
            Expect.equal "trace.QuadraticForms" 1 trace.QuadraticForms
            Expect.equal "trace.Matvecs" 0 trace.Matvecs
        }

        test "the error of one or two forms, and of fewer than five vectors, is not known" {
            for count, ofEntries in [ 1, 1; 2, 4 ] do
                let trace = Hutchinson.trace (StoppingRule.matvecs count) key operator
                let interval = trace.Interval 0.95

                Expect.equal
                    "trace.IsErrorKnown, trace.Stand…"
                    (false, infinity)
                    (trace.IsErrorKnown, trace.StandardError)

                Expect.equal "interval.Low, interval.High" (-infinity, infinity) (interval.Low, interval.High)
                Expect.stringContains "string trace" "± unknown" (string trace)
                let diagonal = Hutchinson.diagonal (StoppingRule.matvecs ofEntries) key operator
                Expect.isFalse "diagonal.IsErrorKnown" diagonal.IsErrorKnown
                Expect.equal "diagonal.StandardError" (Array.create 12 infinity) (diagonal.StandardError.ToArray())

                Expect.equal
                    "(diagonal.Interval 0.95).High"
                    (Array.create 12 infinity)
                    ((diagonal.Interval 0.95).High.ToArray())

            Expect.isTrue
                "(Hutchinson.trace (StoppingRule…"
                (Hutchinson.trace (StoppingRule.matvecs 3) key operator).IsErrorKnown

            Expect.isTrue
                "(Hutchinson.diagonal (StoppingR…"
                (Hutchinson.diagonal (StoppingRule.matvecs 5) key operator).IsErrorKnown
        }

        test "standard errors are those of means, and intervals of entries, symmetric for signs, are Student's" {
            let z = Probe.draw Probe.rademacher key 12 (0, 5) DType.Float64
            let weighted = z * operator.Apply z
            let forms = (Tensor.sumAxes [ 1 ] weighted).ToArray()
            let entries = Array.init 5 (fun row -> (Tensor.item 0 row weighted).ToArray()[0])
            let trace = Hutchinson.trace (StoppingRule.matvecs 5) key operator
            let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 5) key operator
            let spread values = Array.sumBy (fun t -> (t - Array.average values) ** 2.0) values
            let error values = sqrt (spread values / 4.0 / 5.0)
            let mean = Array.average entries
            Expect.within "trace.Value" 1e-12 (Array.average forms) trace.Value
            Expect.within "trace.StandardError" 1e-12 (error forms) trace.StandardError
            let high, low = (diagonal.Interval 0.95).High.ToArray()[0], (diagonal.Interval 0.95).Low.ToArray()[0]
            // The 97.5 % quantile of t with 4 degrees of freedom, from a table.
            Expect.within "high - mean" 1e-7 (2.776445105 * error entries) (high - mean)
            Expect.within "mean - low" 1e-7 (2.776445105 * error entries) (mean - low)
            Expect.error<ArgumentRangeException> [ "95" ] (fun () -> trace.Interval 95.0 |> ignore)
        }

        test "combined measurements equal separate ones, to the bit" {
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

            Expect.equal "trace.Value" (run Measurement.trace).Value trace.Value
            Expect.equal "trace.StandardError" (run Measurement.trace).StandardError trace.StandardError
            Expect.sameBits (run Measurement.diagonal).Value diagonal.Value
            Expect.sameBits (run Measurement.diagonal).StandardError diagonal.StandardError
            Expect.equal "frobenius.Value" (run Measurement.frobenius).Value frobenius.Value
            Expect.sameBits (run Measurement.rowNorms).Value rows.Value

            Array.iter2
                (fun (a: BlockTrace) (b: BlockTrace) -> Expect.equal "a.Trace.Value" b.Trace.Value a.Trace.Value)
                (run (Measurement.blockTraces blocks))
                traces

            Expect.equal "trace.Matvecs" 40 trace.Matvecs
        }

        test "the trace is the sum of the diagonal and of the block traces" {
            let measurement =
                Measurement.both
                    Measurement.trace
                    (Measurement.both Measurement.diagonal (Measurement.blockTraces blocks))

            let trace, (diagonal, traces) =
                Hutchinson.estimate Probe.sphere measurement (StoppingRule.matvecs 9) key operator

            Expect.within "Tensor.sum diagonal.Value" 1e-12 trace.Value ((Tensor.sum diagonal.Value).ToScalar())
            Expect.within "traces |> Array.sumBy _.Trace.V…" 1e-12 trace.Value (traces |> Array.sumBy _.Trace.Value)
        }

        test "every measurement lies within 5 standard errors of the truth" {
            let all =
                Measurement.all [
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
        }

        test "vector measurements lie within 6 standard errors of the truth" {
            let rows = matrix.ToArray() |> Array.chunkBySize 12 |> Array.map (Array.sumBy (fun x -> x * x))
            let diagonal = Matrices.diagonal matrix

            let check (truth: float[]) (estimate: Estimate<Tensor>) =
                let value, error = estimate.Value.ToArray(), estimate.StandardError.ToArray()

                truth
                |> Array.iteri (fun i t ->
                    Expect.isLessThanOrEqual $"entry {i}, {key}" (abs (value[i] - t), 6.0 * error[i]))

            let run measurement = Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 400) key operator
            check diagonal (run Measurement.diagonal)
            check diagonal (run Measurement.diagonalRatio)
            check rows (run Measurement.squaredRowNorms)
            check (rows |> Array.map sqrt) (run Measurement.rowNorms)
        }

        test "with signs both diagonals are the same" {
            let run measurement =
                Hutchinson.estimate Probe.rademacher measurement (StoppingRule.matvecs 20) key operator

            Expect.tensorsClose 1e-13 (run Measurement.diagonal).Value (run Measurement.diagonalRatio).Value

            Expect.tensorsClose
                1e-12
                (run Measurement.diagonal).StandardError
                (run Measurement.diagonalRatio).StandardError
        }

        test "the ratio form of the diagonal has less variance than the plain one under normal probes" {
            let large = LinearOperator.ofMatrix (matrix + 10.0 * Tensor.eye DType.Float64 12)

            let error measurement =
                Hutchinson.estimate Probe.gaussian measurement (StoppingRule.matvecs 100) key large
                |> fun (e: Estimate<Tensor>) -> (Tensor.norm e.StandardError).ToScalar()

            Expect.isLessThan
                "error Measurement.diagonalRatio"
                (error Measurement.diagonalRatio, 0.5 * error Measurement.diagonal)
        }

        test "an entry that no sparse probe touched is an error in the ratio form" {
            let run () =
                Hutchinson.estimate Probe.basis Measurement.diagonalRatio (StoppingRule.matvecs 3) key operator
                |> ignore

            Expect.error<OperatorException> [ "of 12 entries"; "3 probes" ] run
        }

        test "standard errors of the diagonal are those of the formula" {
            for probe in [ Probe.rademacher; Probe.gaussian; Probe.fixedSparse 6 ] do
                let m = 2000

                let errors =
                    (Hutchinson.estimate probe Measurement.diagonal (StoppingRule.matvecs m) key operator)
                        .StandardError.ToArray()

                let expected = Probe.varianceOfDiagonal probe matrix |> Array.map (fun v -> sqrt (v / float m))

                Array.iter2 (fun (e: float) a -> Expect.inRange $"{probe}, {key}" 0.7 1.4 (a / e)) expected errors
        }
    ]
