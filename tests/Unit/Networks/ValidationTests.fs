module Curvature.Tests.Unit.ValidationTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Numbers that the training loss pulls to 1, and the validation loss likes at 0.5.
let private training = Risk.ofFunction (fun theta -> Tensor.sum (Tensor.square (theta - 1.0)))
let private validation = Risk.ofFunction (fun theta -> Tensor.sum (Tensor.square (theta - 0.5)))
let private start = Tensor.zeros DType.Float64 [ 2 ]

let private options =
    TrainingOptions.Default.WithEpochs(20).WithOptimizer(Optimizer.gradientDescent 0.1).WithValidation validation

/// θ after so many passes: 1 − 0.8^passes.
let private after passes = 1.0 - 0.8 ** float passes

let private lossAfter passes = 2.0 * (after passes - 0.5) ** 2.0

[<Tests>]
let tests =
    testList "Unit.ValidationTests" [
        test "the parameters are those of the least validation loss, and all passes are made without patience" {
            let result = Training.minimize options training start
            let history = [| for pass in 1..20 -> lossAfter pass |]
            Expect.close 1e-14 history (Seq.toArray result.ValidationLosses)
            // 1 − 0.8³ = 0.488 is nearest to a half.
            Expect.equal "best" 3 result.BestEpoch
            Expect.tensor 1e-14 [ 2 ] [ after 3; after 3 ] result.Theta
            Expect.isTrue $"{result}" (result.Losses.Count = 20 && result.End = TrainingEnd.Completed)
        }

        test "patience ends the training so many passes after the best" {
            for patience in [ 1; 4 ] do
                let result = Training.minimize (options.WithPatience patience) training start
                Expect.equal "passes" (3 + patience) result.Losses.Count
                Expect.equal "validations" (3 + patience) result.ValidationLosses.Count
                Expect.equal "why" TrainingEnd.Patience result.End
                Expect.tensor 1e-14 [ 2 ] [ after 3; after 3 ] result.Theta

            let endless = Training.minimize (options.WithEpochs(3).WithPatience 4) training start
            Expect.equal "no end of patience" TrainingEnd.Completed endless.End
        }

        test "without validation the last parameters count" {
            let plain = TrainingOptions.Default.WithEpochs(5).WithOptimizer(Optimizer.gradientDescent 0.1)
            let result = Training.minimize plain training start
            Expect.tensor 1e-14 [ 2 ] [ after 5; after 5 ] result.Theta
            Expect.isTrue "nothing" (result.ValidationLosses.Count = 0 && result.BestEpoch = 0)
        }

        test "a held-out risk over batches stops an overfitting network" {
            let network = Network.mlp Layer.tanh [ 2; 20; 2 ]
            let x = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 40; 2 ]
            // Labels that are chance.
            let y = Tensor.ofIndices [ 40 ] (Array.init 40 (fun row -> row * row % 7 % 2))
            let train, test = Split.trainTest 0.5 (Key.OfSeed 2L) 40
            let part rows = Batches.split 8 (Batches.rows rows x) (Batches.rows rows y)
            let risk rows = network |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) (part rows)

            let options =
                TrainingOptions.Default
                    .WithEpochs(400)
                    .WithOptimizer(Optimizer.adam 0.02)
                    .WithValidation(risk test)
                    .WithPatience
                    10

            let result =
                Network.initialize (Key.OfSeed 3L) DType.Float64 network |> Training.minimize options (risk train)

            Expect.equal "why" TrainingEnd.Patience result.End
            let best = Seq.min result.ValidationLosses
            Expect.within "best" 1e-12 best (Risk.value (risk test) result.Theta)
            Expect.within "its place" 0.0 best result.ValidationLosses[result.BestEpoch - 1]
            Expect.equal "passes" (result.BestEpoch + 10) result.Losses.Count
        }

        test "patience without validation is refused" {
            Expect.error<ArgumentRangeException> [ "patience"; "WithValidation" ] (fun () ->
                Training.minimize (TrainingOptions.Default.WithPatience 2) training start |> ignore)

            Expect.error<ArgumentRangeException> [ "patience"; "0" ] (fun () -> options.WithPatience 0 |> ignore)
        }
    ]
