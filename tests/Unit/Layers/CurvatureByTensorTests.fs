module Curvature.Tests.Unit.CurvatureByTensorTests

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private digits = ParameterLayout.ofShapes [ "W1", [ 32; 64 ]; "b1", [ 32 ]; "W2", [ 10; 32 ]; "b2", [ 10 ] ]
let private loss = lazy (DigitsNetwork.loss DType.Float64)
let private theta = lazy (DigitsNetwork.theta DType.Float64)
let private key = Key.OfSeed 21L

let private column f (found: CurvatureByTensor) = found.Tensors |> Seq.map f |> Seq.toArray

[<Tests>]
let tests =
    testList "Unit.CurvatureByTensorTests" [
        test "traces and diagonals of blocks of a network on real digits, exactly" {
            let found = Hessian.at loss.Value theta.Value |> CurvatureByTensor.exact digits
            Expect.equal "column _.Name found" [| "W1"; "b1"; "W2"; "b2" |] (column _.Name found)
            Expect.equal "column _.Size found" [| 2048; 32; 320; 10 |] (column _.Size found)
            let traces = DigitsNetwork.numbers "hessian_block_traces"
            Expect.close 1e-9 traces (column _.Trace.Value found)

            Expect.close
                1e-9
                (Array.map2 (/) traces [| 2048.0; 32.0; 320.0; 10.0 |])
                (column _.MeanDiagonal.Value found)

            DigitsNetwork.close 1e-9 "hessian_trace" found.Trace.Value
            Expect.equal "found[\"W1\"].Diagonal.Value.Shape" [| 32; 64 |] found["W1"].Diagonal.Value.Shape
            let first = (Tensor.flatten found["W1"].Diagonal.Value |> Tensor.slice 0 0 5).ToArray()
            Expect.close 1e-9 (DigitsNetwork.numbers "hessian_diagonal_first5") first
            let rounding = found["b2"].Trace.StandardError
            Expect.isTrue $"{rounding}" (rounding > 0.0 && rounding < 1e-13 * abs found.Trace.Value)
            Expect.close 1e-15 [| rounding / 10.0 |] [| found["b2"].MeanDiagonal.StandardError |]
            Expect.isTrue "exact" found.Ledger.IsExact
        }

        test "one pass estimates all blocks of Hessian, Gauss–Newton and Fisher matrix within 5 standard errors" {
            let model, criterion = DigitsNetwork.logits DType.Float64, DigitsNetwork.crossEntropy DType.Float64

            let operators =
                [
                    Hessian.at loss.Value theta.Value
                    GaussNewton.at model criterion theta.Value
                    Fisher.empirical (DigitsNetwork.losses DType.Float64) model theta.Value
                ]

            for operator in operators do
                let exact = CurvatureByTensor.exact digits operator
                let found = CurvatureByTensor.estimate digits (StoppingRule.matvecs 64) key operator
                Expect.equal "found.Ledger.Matvecs" 64 found.Ledger.Matvecs

                Seq.iter2
                    (fun (row: TensorCurvature) (truth: TensorCurvature) ->
                        let off = abs (row.Trace.Value - truth.Trace.Value) / row.Trace.StandardError
                        Expect.isTrue $"{operator.Name}, {row} against {truth.Trace} with {key}" (off < 5.0)
                        let size = float row.Size
                        Expect.close 1e-14 [| row.Trace.Value / size |] [| row.MeanDiagonal.Value |]
                        Expect.close 1e-14 [| row.Trace.StandardError / size |] [| row.MeanDiagonal.StandardError |]
                        let own = row.Diagonal.Value.ToArray()
                        Expect.close 1e-12 [| row.Trace.Value |] [| Array.sum own |]

                        Array.zip3 own (truth.Diagonal.Value.ToArray()) (row.Diagonal.StandardError.ToArray())
                        |> Array.iter (fun (value, expected, error) ->
                            Expect.isTrue
                                $"{operator.Name}, {row.Name}: {value} ± {error} against {expected} with {key}"
                                (abs (value - expected) <= 7.0 * error + 1e-12)))
                    found.Tensors
                    exact.Tensors

                let total = found.Trace.Value - exact.Trace.Value
                Expect.isTrue $"{found.Trace} with {key}" (abs total < 5.0 * found.Trace.StandardError)
        }

        test "the same products give the traces that block traces give" {
            let hessian = Hessian.at loss.Value theta.Value
            let stop = StoppingRule.matvecs 8
            let found = CurvatureByTensor.estimate digits stop key hessian

            let blocks =
                Hutchinson.estimate Probe.rademacher (Measurement.blockTraces DigitsNetwork.blocks) stop key hessian

            Expect.close 1e-14 (blocks |> Array.map _.Trace.Value) (column _.Trace.Value found)
            Expect.close 1e-14 (blocks |> Array.map _.Trace.StandardError) (column _.Trace.StandardError found)
        }

        test "an operator of another size, or an unknown name, is an error" {
            let operator = LinearOperator.identity DType.Float64 3
            let wrong = raises<ShapeException>(fun () -> CurvatureByTensor.exact digits operator)
            Expect.isTrue wrong.Message (wrong.Message.Contains "3 columns" && wrong.Message.Contains "2410")

            raises<ShapeException>(fun () -> CurvatureByTensor.estimate digits (StoppingRule.matvecs 2) key operator)
            |> ignore

            let small = CurvatureByTensor.exact (ParameterLayout.ofShapes [ "a", [ 1; 2 ]; "b", [ 1 ] ]) operator
            Expect.close 0.0 [| 2.0; 1.0 |] (column _.Trace.Value small)
            let unknown = raises<ParameterException>(fun () -> small["c"])
            Expect.isTrue unknown.Message (unknown.Message.Contains "a, b")
        }

        test "a resumed run has kept what each vector said of the traces" {
            let layout = ParameterLayout.ofShapes [ "a", [ 40 ]; "b", [ 20 ] ]
            let operator = LinearOperator.ofMatrix (Matrices.symmetric 22 60)
            let estimator = Hutchinson.estimator Probe.rademacher (CurvatureByTensor.measurement layout)
            let run options = Estimate.runWith options estimator (StoppingRule.matvecs 48) key operator
            let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.run")
            use source = new CancellationTokenSource()

            let listener =
                { new IProgress<SamplingProgress> with
                    member _.Report report = if report.Samples >= 16 then source.Cancel()
                }

            try
                let options = RunOptions.Default.WithCheckpoint path
                let begun = run (options.WithCancellation(source.Token).WithProgress(listener, 0.0))
                Expect.isLessThan "begun.Ledger.Samples" (begun.Ledger.Samples, 48)
                let expected = run RunOptions.Default |> column _.Samples
                Expect.equal "expected[0].Length" 48 expected[0].Length
                Expect.equal "run options |> column _.Samples" expected (run options |> column _.Samples)
            finally
                File.Delete path
        }
    ]
