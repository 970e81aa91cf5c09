module Curvature.Tests.Unit.CalibrationTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Probabilities of three classes, and labels drawn from what a function makes of them.
let private drawn (key: Key) count (truth: Tensor -> Tensor) =
    let logits = 1.5 * Tensor.normal (key.FoldIn 0u) DType.Float64 [ count; 3 ]
    let p = Tensor.softmax logits
    let gumbel = -Tensor.log(-Tensor.log(1.0 - Tensor.uniform (key.FoldIn 1u) DType.Float64 [ count; 3 ]))
    Tensor.argMax (Tensor.log (truth p) + gumbel), p

[<Tests>]
let tests =
    testList "Unit.CalibrationTests" [
        test "the calibration error is the weighted gap of the bins" {
            let p = tensor [ [ 0.9; 0.1 ]; [ 0.8; 0.2 ]; [ 0.3; 0.7 ]; [ 0.4; 0.6 ]; [ 0.95; 0.05 ] ]
            let labels = Tensor.ofIndices [ 5 ] [| 0; 1; 1; 0; 0 |]
            let found = Calibration.classes 2 labels p
            // All confidences are above a half: mean 0.79, and 3 of 5 right.
            Expect.within "error" 1e-14 (0.79 - 0.6) found.Error
            Expect.within "accuracy" 1e-15 0.6 found.Accuracy
            Expect.equal "counts" [ 0; 5 ] [ for bin in found.Bins -> bin.Count ]
            let losses = [| 0.9; 0.2; 0.7; 0.4; 0.95 |] |> Array.map (fun p -> -log p)
            Expect.within "loss" 1e-14 (Array.average losses) found.NegativeLogLikelihood
            // In ten bins: 0.9 and 0.95 share one, others are alone.
            let fine = Calibration.classes 10 labels p
            Expect.within "error" 1e-14 ((abs (1.85 - 2.0) + 0.8 + 0.3 + 0.6) / 5.0) fine.Error
        }

        test "one column is the probability of the second class" {
            let labels = Tensor.ofIndices [ 3 ] [| 1; 0; 1 |]
            let one, two = tensor [ 0.8; 0.4; 0.3 ], tensor [ [ 0.2; 0.8 ]; [ 0.6; 0.4 ]; [ 0.7; 0.3 ] ]
            let found, expected = Calibration.classes 15 labels one, Calibration.classes 15 labels two
            Expect.within "error" 1e-15 expected.Error found.Error
            Expect.within "loss" 1e-15 expected.NegativeLogLikelihood found.NegativeLogLikelihood

            Expect.within
                "column"
                1e-15
                expected.Error
                (Calibration.classes 15 labels (Tensor.reshape [ 3; 1 ] one)).Error
        }

        test "the error of true probabilities is about what is expected of them" {
            let key = Key.OfSeed 71L

            let errors =
                [|
                    for run in 0u .. 199u do
                        let labels, p = drawn (key.FoldIn run) 500 id
                        let found = Calibration.classes 15 labels p
                        found.Error, found.ErrorIfCalibrated
                |]

            let differences = errors |> Array.map (fun (error, expected) -> error - expected)
            let mean = Array.average differences
            let deviation = sqrt ((differences |> Array.averageBy (fun d -> (d - mean) ** 2.0)) / 199.0)
            // Bins with few samples are not normal, which the expectation leaves out.
            Expect.within $"mean, {key}" (5.0 * deviation + 0.002) 0.0 mean
        }

        test "the standard errors cover where probabilities are too sure" {
            let key = Key.OfSeed 72L
            let flat (p: Tensor) = 0.5 * p + 0.5 / 3.0
            let tooSure run count = drawn (key.FoldIn run) count flat ||> Calibration.classes 10
            let truth = (tooSure 1000u 400_000).Error
            let runs = [ for run in 0u .. 199u -> tooSure run 1000 ]

            let covered =
                runs
                |> List.filter (fun found -> abs (found.Error - truth) <= 1.96 * found.StandardError)
                |> List.length

            // Of 200 at 95 %, 190 ± 3.1 are expected.
            Expect.inRange $"covered, {key}" 174 200 covered
        }

        test "coverage and loss of normal laws" {
            let key = Key.OfSeed 73L
            let means = Tensor.normal (key.FoldIn 0u) DType.Float64 [ 4000 ]
            let variances = 0.5 + Tensor.uniform (key.FoldIn 1u) DType.Float64 [ 4000 ]
            let targets = means + Tensor.sqrt variances * Tensor.normal (key.FoldIn 2u) DType.Float64 [ 4000 ]
            let found = Calibration.numbers targets means variances

            Array.map3 (fun p c e -> p, c, e) found.Confidences found.Coverages found.CoverageErrors
            |> Array.iter (fun (p, c, e) -> Expect.within $"coverage {p}, {key}" (5.0 * e) p c)

            Expect.within "mean square" (5.0 * sqrt (2.0 / 4000.0)) 1.0 found.MeanSquaredResidual

            let expected =
                Array.map3
                    (fun t m v -> 0.5 * (log (2.0 * Math.PI * v) + (t - m) ** 2.0 / v))
                    (targets.ToArray())
                    (means.ToArray())
                    (variances.ToArray())

            Expect.within "loss" 1e-12 (Array.average expected) found.NegativeLogLikelihood
            let narrow = Calibration.numbers targets means (0.25 * variances)
            Expect.isTrue "too narrow" (narrow.Coverages[2] < 0.8 && narrow.MeanSquaredResidual > 3.0)
        }

        test "bad input is refused" {
            let labels, p = Tensor.ofIndices [ 2 ] [| 0; 1 |], tensor [ [ 0.5; 0.5 ]; [ 0.1; 0.9 ] ]
            let classes bins labels p () = Calibration.classes bins labels p |> ignore
            Expect.error<ArgumentRangeException> [ "bins" ] (classes 0 labels p)
            Expect.error<ShapeException> [ "2 Int32 labels" ] (classes 5 (tensor [ 0.0; 1.0 ]) p)
            Expect.error<DataException> [ "label 2" ] (classes 5 (Tensor.ofIndices [ 2 ] [| 0; 2 |]) p)
            Expect.error<DataException> [ "sum up" ] (classes 5 labels (p + 0.05))
            Expect.error<DataException> [ "no probability" ] (classes 5 labels (tensor [ [ 1.5; -0.5 ]; [ 0.1; 0.9 ] ]))
            let numbers t m v () = Calibration.numbers t m v |> ignore
            let three = tensor [ 1.0; 2.0; 3.0 ]
            Expect.error<ShapeException> [ "one shape" ] (numbers three three (tensor [ 1.0 ]))
            Expect.error<ArgumentRangeException> [ "above 0" ] (numbers three three (three - 1.0))
        }
    ]
