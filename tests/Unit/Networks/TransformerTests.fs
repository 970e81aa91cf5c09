/// A small language model that learns to count, and its curvature over all sequences.
module Curvature.Tests.Unit.TransformerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private places, private numbers = 6, 7
let private network = Transformer.gpt numbers places 1 2 8

/// Sequences that count up from each number, and begin again after the last.
let private sequences first =
    Tensor.ofIndices
        [ numbers; places ]
        (Array.init (numbers * places) (fun i -> (i / places + i % places + first) % numbers))

let private tokens, private next = sequences 0, sequences 1

let private loss (batch: Batch) theta =
    Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

[<Tests>]
let tests =
    testList "Unit.TransformerTests" [
        test "it learns to count" {
            let batches pass =
                Batches.ofTensors
                    (BatchOptions.Default.WithSize(3).WithShuffling((Key.OfSeed 1L).FoldIn(uint32 pass)))
                    tokens
                    next

            let start = Network.initialize (Key.OfSeed 2L) DType.Float32 network
            let options = TrainingOptions.Default.WithEpochs(60).WithOptimizer(Optimizer.adam 0.02)

            let result =
                Training.minimize options (Risk.ofBatches Reduction.Mean loss [] |> Risk.withPasses batches) start

            let right =
                Network.forward network result.Theta tokens
                |> Tensor.reshape [ -1; numbers ]
                |> Loss.accuracy (Tensor.flatten next)

            stdout.WriteLine $"{result.Losses[0]} to {result.Losses[59]}, {right:P1} right, {result.Seconds:F1} s"
            Expect.isTrue $"{right:P1}" (right > 0.95)
        }

        test "curvature over batches of sequences is that of all" {
            let theta = 10.0 * Network.initialize (Key.OfSeed 3L) DType.Float64 network
            let whole = Hessian.at (loss (Batch(tokens, next))) theta
            let parts = Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss (Batches.split 3 tokens next)) theta
            let block = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 3; theta.Size ]
            Expect.tensorsClose 1e-11 (whole.Apply block) (parts.Apply block)
            Expect.tensorsClose 1e-11 (whole.QuadraticForm block) (parts.QuadraticForm block)
            let products = Tensor.sumAxes [ 1 ] (block * whole.Apply block)
            Expect.tensorsClose 1e-11 products (whole.QuadraticForm block)
        }
    ]
