module Curvature.Tests.Unit.QuantizationSensitivityTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 71L
let private layout = ParameterLayout.ofShapes [ "a", [ 2; 2 ]; "bias", [ 2 ]; "b", [ 1; 3 ] ]
let private theta = tensor [ 7.0; 0.4; -2.6; 1.0; 9.0; 9.0; 1.0; 2.0; 7.0 ]
let private diagonal = tensor [ 1.0; 2.0; 3.0; 2.0; 50.0; 50.0; 10.0; 20.0; 30.0 ]
let private exact = LinearOperator.ofDiagonal diagonal |> CurvatureByTensor.exact layout
let private digits = ParameterLayout.ofShapes [ "W1", [ 32; 64 ]; "b1", [ 32 ]; "W2", [ 10; 32 ]; "b2", [ 10 ] ]

let private sampled =
    lazy
        (Hessian.at (DigitsNetwork.loss DType.Float64) (DigitsNetwork.theta DType.Float64)
         |> CurvatureByTensor.estimate digits (StoppingRule.matvecs 40) key)

[<Tests>]
let tests =
    testList "Unit.QuantizationSensitivityTests" [
        test "a score is the mean of the diagonal times the squared error of rounding" {
            let scores = QuantizationSensitivity.scores [ 4; 2 ] theta exact
            Expect.equal "scores.Bits" [| 2; 4 |] scores.Bits
            Expect.equal "[ for row in scores.Tensors ->…" [ "a"; "b" ] [ for row in scores.Tensors -> row.Name ]
            // 4 bits: steps of 1. 2 bits: −7, 0 and 7.
            Expect.close 1e-14 [| 0.16 + 0.16 |] [| scores["a"].SquaredError 4 |]
            Expect.close 1e-14 [| 2.0 * 0.32 |] [| (scores["a"].Score 4).Value |]
            Expect.close 1e-14 [| 0.4 ** 2.0 + 2.6 ** 2.0 + 1.0 |] [| scores["a"].SquaredError 2 |]
            Expect.close 1e-14 [| 0.0; 20.0 * 5.0 |] [| (scores["b"].Score 4).Value; (scores["b"].Score 2).Value |]
            Expect.close 1e-13 [| 0.0 |] [| (scores["a"].Score 2).StandardError |]

            let whole (bits: int) (w: Tensor) = Tensor.floor (w / float bits) * float bits
            let own = QuantizationSensitivity.scoresWith whole (fun tensor -> tensor.Name = "bias") [ 2 ] theta exact
            Expect.close 1e-14 [| 50.0 * 2.0 |] [| (own["bias"].Score 2).Value |]
        }

        test "half a score is the change of a quadratic loss to be expected from an error of that size" {
            // The mean of ½ eᵀHe over all signs of an error e of equal entries is half the score, for any symmetric
            // block.
            let h = Matrices.symmetric 3 4
            let error = 0.3

            let mean =
                Probe.outcomes Probe.rademacher 4
                |> Seq.sumBy (fun (p, signs) ->
                    let e = tensor [ for s in signs -> error * s ]
                    p * 0.5 * (Tensor.dot e (Tensor.matmul h e)).ToScalar())

            Expect.close 1e-14 [| 0.5 * (Matrices.trace h / 4.0) * (4.0 * error * error) |] [| mean |]
        }

        test "scores carry the errors of the traces" {
            let scores = QuantizationSensitivity.scores [ 2; 4; 8 ] (DigitsNetwork.theta DType.Float64) sampled.Value

            for row in scores.Tensors do
                for bits in scores.Bits do
                    let score = row.Score bits
                    let factor = row.SquaredError bits / float row.Size
                    Expect.close 1e-13 [| factor * sampled.Value[row.Name].Trace.Value |] [| score.Value |]

                    Expect.close 1e-13 [| factor * sampled.Value[row.Name].Trace.StandardError |] [|
                        score.StandardError
                    |]

                Expect.isTrue
                    "more bits, less error"
                    (row.SquaredError 8 < row.SquaredError 4 && row.SquaredError 4 < row.SquaredError 2)
        }

        test "an exact ranking is certain, and a sampled one as certain as its samples" {
            let scores = QuantizationSensitivity.scores [ 2; 4 ] theta exact
            let certain = QuantizationSensitivity.stability key 50 2 scores
            Expect.close 0.0 [| 1.0; 1.0 |] [| certain.MeanTau; certain.ProbabilityThatFirstIsLarger(1, 0) |]

            // With the same factors for both, the probability is that of Student's t at the difference of the samples
            // over its standard error.
            let everything (_: int) (w: Tensor) = Tensor.zerosLike w
            let one = DigitsNetwork.theta DType.Float64 |> Tensor.onesLike

            let scores =
                QuantizationSensitivity.scoresWith
                    everything
                    (fun tensor -> tensor.Name.StartsWith "W")
                    [ 2 ]
                    one
                    sampled.Value

            let found = QuantizationSensitivity.stability key 20000 2 scores
            // ‖0 − 1‖² is the number of weights, so that the scores are the traces.
            let first, second = sampled.Value["W1"], sampled.Value["W2"]
            Expect.close 1e-12 [| first.Trace.Value |] [| (scores["W1"].Score 2).Value |]
            let differences = Array.map2 (-) first.Samples second.Samples
            let moments = RunningMoments()
            differences |> Array.iter moments.Add

            let expected =
                MathNet.Numerics.Distributions.StudentT.CDF(0.0, 1.0, 39.0, moments.Mean / moments.StandardError)

            let actual = found.ProbabilityThatFirstIsLarger(0, 1)
            let error = sqrt (expected * (1.0 - expected) / 20000.0)
            Expect.isTrue $"{actual} against {expected} with {key}" (abs (actual - expected) <= 5.0 * error + 1e-4)
        }

        test "bits within a budget are the best there are" {
            let scores = QuantizationSensitivity.scores [ 2; 4; 8 ] theta exact
            let assign budget = QuantizationSensitivity.assign key 20 budget scores
            // 7 weights. With 2 bits for all, scores are 2·7.92 and 100; 4 bits for b remove all of its score.
            let smallest = assign 14L
            Expect.equal "List.ofSeq smallest.Bits" [ 2; 2 ] (List.ofSeq smallest.Bits)
            let middle = assign 20L
            Expect.equal "middle[\"a\"], middle[\"b\"]" (2, 4) (middle["a"], middle["b"])
            Expect.equal "middle.TotalBits, middle.Budget" (20L, 20L) (middle.TotalBits, middle.Budget)
            Expect.close 1e-13 [| 2.0 * 7.92 |] [| middle.Score.Value |]
            Expect.close 0.0 [| 0.0; 1.0; 1.0 |] [| middle.Score.StandardError; yield! middle.Agreement |]
            // More than 4 bits do nothing for b, whose weights are whole numbers of steps.
            let enough = assign 1000L
            Expect.equal "enough[\"a\"]" 8 enough["a"]
            let little = raises<ArgumentRangeException>(fun () -> assign 13L)
            Expect.isTrue little.Message (little.Message.Contains "14 bits" && little.Message.Contains "13")
        }

        test "the error of an assignment's score counts that tensors share their vectors" {
            let scores = QuantizationSensitivity.scores [ 2; 4; 8 ] (DigitsNetwork.theta DType.Float64) sampled.Value
            let found = QuantizationSensitivity.assign key 200 (4L * 2368L) scores
            Expect.isTrue $"{found}" (found.TotalBits <= 4L * 2368L)
            let factors = [| for row in scores.Tensors -> row.SquaredError found[row.Name] / float row.Size |]
            let moments = RunningMoments()

            for j in 0..39 do
                moments.Add(factors[0] * sampled.Value["W1"].Samples[j] + factors[1] * sampled.Value["W2"].Samples[j])

            Expect.close 1e-13 [| moments.Mean; moments.StandardError |] [|
                found.Score.Value
                found.Score.StandardError
            |]

            Expect.isTrue "shares" (found.Agreement |> Seq.forall (fun share -> share > 0.0 && share <= 1.0))
        }

        test "a tensor of negative trace counts as one without curvature" {
            let table = LinearOperator.ofDiagonal (-diagonal) |> CurvatureByTensor.exact layout
            let found = QuantizationSensitivity.scores [ 2; 8 ] theta table |> QuantizationSensitivity.assign key 1 100L
            Expect.equal "List.ofSeq found.Bits" [ 2; 2 ] (List.ofSeq found.Bits)
        }

        test "wrong use is an error that says what was expected" {
            let scores () = QuantizationSensitivity.scores [ 2; 4 ] theta exact
            raises<ArgumentRangeException>(fun () -> QuantizationSensitivity.scores [] theta exact) |> ignore
            raises<ArgumentRangeException>(fun () -> QuantizationSensitivity.scores [ 1 ] theta exact) |> ignore
            raises<ShapeException>(fun () -> QuantizationSensitivity.scores [ 2 ] (tensor [ 1.0 ]) exact) |> ignore
            let bits = raises<ArgumentRangeException>(fun () -> (scores ()).Tensors[0].Score 3)
            Expect.isTrue bits.Message (bits.Message.Contains "2, 4")
            let name = raises<ParameterException>(fun () -> (scores ())["bias"])
            Expect.isTrue name.Message (name.Message.Contains "a, b")
            let none _ = false

            raises<ParameterException>(fun () ->
                QuantizationSensitivity.scoresWith Quantization.perRow none [ 2 ] theta exact)
            |> ignore

            raises<ShapeException>(fun () ->
                QuantizationSensitivity.scoresWith (fun _ w -> Tensor.flatten w) (fun _ -> true) [ 2 ] theta exact)
            |> ignore

            raises<ArgumentRangeException>(fun () -> QuantizationSensitivity.stability key 0 2 (scores ())) |> ignore
            raises<ArgumentRangeException>(fun () -> QuantizationSensitivity.assign key 0 100L (scores ())) |> ignore
            let found = QuantizationSensitivity.assign key 1 100L (scores ())
            raises<ParameterException>(fun () -> found["bias"] |> box) |> ignore

            let single =
                LinearOperator.ofSymmetricMatrix (Matrices.symmetric 1 9)
                |> CurvatureByTensor.estimate layout (StoppingRule.matvecs 1) key
                |> QuantizationSensitivity.scores [ 2 ] theta

            raises<ArgumentRangeException>(fun () -> QuantizationSensitivity.stability key 10 2 single) |> ignore
        }
    ]
