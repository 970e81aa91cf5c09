namespace Curvature.Tests

open Curvature
open Curvature.FSharp

/// What the tests of clusters are about: a small classifier of points that every process draws from a key, in groups
/// of different numbers of batches of different sizes.
[<RequireQualifiedAccess>]
module Digits =

    let network = Network.mlp Layer.tanh [ 6; 5; 3 ]

    let theta (dtype: DType) : Tensor = Network.initialize (Key.OfSeed 11L) dtype network

    let private batch (dtype: DType) (number: int) : Batch =
        let size = 2 + number % 4
        let inputs = Tensor.normal (Key.OfSeed(int64 (100 + number))) dtype [ size; 6 ]
        Batch(inputs, Tensor.ofIndices [ size ] (Array.init size (fun row -> (row * 7 + number) % 3)))

    /// Groups 0, 1, 2, … of 2, 3, 1, 2, … batches; one of the groups can be empty.
    let batchesOf (dtype: DType) (empty: int) (group: int) : Batch seq =
        let count = if group = empty then 0 else 1 + (group + 1) % 3
        Seq.init count (fun i -> batch dtype (10 * group + i))

    let loss (reduction: Reduction) (batch: Batch) (theta: Tensor) : Tensor =
        Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy reduction batch.Targets

    let model (inputs: Tensor) (theta: Tensor) : Tensor = Network.forward network theta inputs

    /// Everything that the tests ask about, in so many groups.
    let shardsWith (groups: int) (batchesOf: int -> Batch seq) : Shards =
        let grouped risk = Risk.withGroups groups batchesOf risk

        let model =
            Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean) Seq.empty
            |> grouped
            |> Risk.withTerm (fun theta -> 0.01 * Tensor.dot theta theta)

        Shards.empty
        |> Shards.register "mean" groups batchesOf (loss Reduction.Mean)
        |> Shards.registerRisk "sum" (Risk.ofBatches Reduction.Sum (loss Reduction.Sum) Seq.empty |> grouped)
        |> Shards.registerRisk "model" model

    let shards (dtype: DType) (groups: int) (empty: int) : Shards = shardsWith groups (batchesOf dtype empty)
