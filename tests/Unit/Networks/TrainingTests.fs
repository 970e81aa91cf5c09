module Curvature.Tests.Unit.TrainingTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network = Network.mlp Layer.tanh [ 2; 8; 2 ]
let private loss theta x y = Network.forward network theta x |> Loss.softmaxCrossEntropy Reduction.Mean y
let private theta = network.Initialize(Key.OfSeed 1L, DType.Float64)
let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 50; 2 ]

/// Whether the two coordinates have the same sign.
let private labels =
    inputs.ToArray()
    |> Array.chunkBySize 2
    |> Array.map (fun row -> if row[0] * row[1] > 0.0 then 1 else 0)
    |> Tensor.ofIndices [ 50 ]

let private options = TrainingOptions.Default.WithEpochs(40).WithOptimizer(Optimizer.adam 0.02)

let private lossOf (batch: Batch) theta = loss theta batch.Inputs batch.Targets

/// The risk over batches of so many rows, in another order at every pass.
let private riskOf loss size key inputs labels =
    let lossOf (batch: Batch) theta = loss theta batch.Inputs batch.Targets

    Risk.ofBatches Reduction.Mean lossOf [ Batch(inputs, labels) ]
    |> Risk.withPasses (Batches.shuffledEachPass size key inputs labels)

let private trainOn size options key = Training.minimize options (riskOf loss size key inputs labels) theta
let private train options key = trainOn 16 options key

[<Tests>]
let tests =
    testList "Unit.TrainingTests" [
        test "the loss falls, and the same key gives the same bits" {
            let first = train options (Key.OfSeed 3L)
            Expect.isTrue $"%A{first.Losses}" (first.Losses.Count = 40 && first.Steps = 160 && not first.Cancelled)
            Expect.isTrue $"{first.Losses[0]}, {first.Losses[39]}" (first.Losses[39] < 0.6 * first.Losses[0])
            let second = train options (Key.OfSeed 3L)
            Expect.sameBits first.Theta second.Theta
            Expect.isTrue "losses" (Seq.toList first.Losses = Seq.toList second.Losses)
            let other = train options (Key.OfSeed 4L)
            Expect.isTrue "another key, another order" (other.Theta.ToArray() <> first.Theta.ToArray())
        }

        test "one step on all rows is one step of the optimizer" {
            let result = trainOn 50 (TrainingOptions.Default.WithEpochs 1) (Key.OfSeed 5L)
            let value, gradient = fgrad (fun theta -> loss theta inputs labels) theta
            let next, _ = Optimizer.step (Optimizer.adam 1e-3) theta gradient
            Expect.tensorsClose 1e-14 next result.Theta
            Expect.scalar 1e-14 result.Losses[0] value
        }

        test "each pass takes every row once, in an order of its own" {
            let seen = ResizeArray<float>()
            let numbered = Tensor.linspace DType.Float64 0.0 49.0 50 |> Tensor.reshape [ 50; 1 ]

            // Labels are checked, so this loss is not compiled and sees the numbers of each batch.
            let watching theta (x: Tensor) (y: Tensor) =
                let outputs = Network.forward network theta (Tensor.concat 1 [ x; x ])
                let result = Loss.softmaxCrossEntropy Reduction.Mean y outputs
                seen.AddRange(x.ToArray())
                result

            let twoPasses = (options.WithEpochs 2).WithOptimizer(Optimizer.gradientDescent 1e-300)
            Training.minimize twoPasses (riskOf watching 16 (Key.OfSeed 13L) numbered labels) theta |> ignore
            let first, second = seen.ToArray() |> Array.splitAt 50
            let all = [| 0.0 .. 49.0 |]
            Expect.isTrue $"%A{seen}" (seen.Count = 100 && Array.sort first = all && Array.sort second = all)
            Expect.isTrue "orders" (first <> all && second <> all && first <> second)
        }

        test "labels and their distributions train alike" {
            let certain = Tensor.oneHot DType.Float64 2 labels
            let compiled = Training.minimize options (riskOf loss 16 (Key.OfSeed 12L) inputs certain) theta
            Expect.tensorsClose 1e-9 (train options (Key.OfSeed 12L)).Theta compiled.Theta
            let again = Training.minimize options (riskOf loss 16 (Key.OfSeed 12L) inputs certain) theta
            Expect.sameBits compiled.Theta again.Theta
        }

        test "the loss of a pass weighs batches by their rows" {
            // A learning rate this small leaves the parameters where they are, so every batch is measured at the same
            // place.
            let still = TrainingOptions.Default.WithEpochs(1).WithOptimizer(Optimizer.gradientDescent 1e-300)
            let whole = trainOn 50 still (Key.OfSeed 6L)
            let parts = train still (Key.OfSeed 6L)
            Expect.close 1e-13 [| whole.Losses[0] |] [| parts.Losses[0] |]
        }

        test "progress within a pass is reported too, if asked for" {
            let seen = ResizeArray<int * int>()

            let listener =
                { new IProgress<TrainingProgress> with
                    member _.Report value = seen.Add((value.Epoch, value.Step))
                }

            // Passes of four steps: after the third and the sixth, and at the end of each.
            train ((options.WithEpochs 2).WithProgress(listener, 3).WithProgressInterval 0.0) (Key.OfSeed 3L) |> ignore
            Expect.equal "List.ofSeq seen" [ (0, 3); (1, 4); (1, 6); (2, 8) ] (List.ofSeq seen)
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> options.WithProgress(listener, 0) |> ignore)
        }

        testCase "cancelling within a pass reads no further batches" (fun () ->
            use source = new CancellationTokenSource()
            let mutable read = 0

            let batches _ =
                Batches.split 5 inputs labels
                |> Seq.map (fun batch ->
                    read <- read + 1
                    if read = 3 then source.Cancel()
                    batch)

            let result =
                Training.minimize
                    (options.WithCancellation source.Token)
                    (Risk.ofBatches Reduction.Mean lossOf [] |> Risk.withPasses batches)
                    theta

            Expect.isTrue $"{read} read, {result.Steps} steps" (read = 3 && result.Steps = 2 && result.Cancelled))

        test "every pass is reported" {
            let seen = ResizeArray<TrainingProgress>()

            let progress =
                { new IProgress<TrainingProgress> with
                    member _.Report p = seen.Add p
                }

            let result = train ((options.WithEpochs 3).WithProgress(progress).WithProgressInterval 0.0) (Key.OfSeed 7L)
            let steps = [ for p in seen -> p.Epoch, p.Epochs, p.Step, p.Loss ]
            Expect.isTrue $"{steps}" (steps = [ for i in 0..2 -> i + 1, 3, 4 * (i + 1), result.Losses[i] ])
        }

        test "cancelling keeps what was found" {
            use source = new CancellationTokenSource()

            let progress =
                { new IProgress<TrainingProgress> with
                    member _.Report p = if p.Epoch = 2 then source.Cancel()
                }

            let watched = options.WithProgress(progress).WithProgressInterval 0.0
            let cancelled = train (watched.WithCancellation source.Token) (Key.OfSeed 8L)
            Expect.isTrue $"{cancelled.Losses.Count}" (cancelled.Cancelled && cancelled.Losses.Count = 2)
            let short = train (options.WithEpochs 2) (Key.OfSeed 8L)
            Expect.sameBits short.Theta cancelled.Theta
        }

        test "no passes leave the parameters as they are" {
            let result = train (options.WithEpochs 0) (Key.OfSeed 9L)
            Expect.sameBits theta result.Theta
            Expect.isTrue "no losses" (result.Losses.Count = 0 && not result.Cancelled)
        }

        test "a loss that is not finite stops the training with its step" {
            let diverging = options.WithOptimizer(Optimizer.gradientDescent 1e200)
            let squared theta x y = Tensor.sum (Tensor.square theta) + loss theta x y

            Expect.error<NonFiniteException> [ "training"; "step" ] (fun () ->
                Training.minimize diverging (riskOf squared 16 (Key.OfSeed 10L) inputs labels) theta |> ignore)

            let broken = inputs + Tensor.full DType.Float64 [ 1 ] nan

            Expect.error<NonFiniteException> [ "loss"; "NaN"; "step 1" ] (fun () ->
                Training.minimize options (riskOf loss 16 (Key.OfSeed 10L) broken labels) theta |> ignore)
        }

        test "inputs and targets of different lengths are refused" {
            Expect.error<ShapeException> [ "[50; 2]"; "[49]" ] (fun () ->
                riskOf loss 16 (Key.OfSeed 11L) inputs (Tensor.slice 0 0 49 labels) |> ignore)
        }

        test "a source of batches trains like the tensors that it cuts" {
            let key = Key.OfSeed 8L
            let cut = BatchOptions.Default.WithSize 16
            let batches pass = Batches.ofTensors (cut.WithShuffling(key.FoldIn(uint32 pass))) inputs labels

            let fromSource =
                Training.minimize options (Risk.ofBatches Reduction.Mean lossOf [] |> Risk.withPasses batches) theta

            let fromTensors = train options key
            Expect.sameBits fromTensors.Theta fromSource.Theta
            Expect.equal "List.ofSeq fromSource.Losses" (List.ofSeq fromTensors.Losses) (List.ofSeq fromSource.Losses)

            Expect.error<DataException> [ "pass 0"; "no batches" ] (fun () ->
                Training.minimize
                    options
                    (Risk.ofBatches Reduction.Mean lossOf [] |> Risk.withPasses (fun _ -> Seq.empty))
                    theta
                |> ignore)
        }

        test "a term without data is part of the loss of every batch" {
            let decay (theta: Tensor) = 0.1 * Tensor.sum (Tensor.square theta)
            let risk = riskOf loss 16 (Key.OfSeed 14L) inputs labels
            let decayed theta x y = loss theta x y + decay theta
            let expected = Training.minimize options (riskOf decayed 16 (Key.OfSeed 14L) inputs labels) theta
            let result = Training.minimize options (Risk.withTerm decay risk) theta
            Expect.tensorsClose 1e-12 expected.Theta result.Theta

            Expect.error<ArgumentRangeException> [ "training"; "term without data" ] (fun () ->
                let sum = Risk.ofBatches Reduction.Sum lossOf [ Batch(inputs, labels) ] |> Risk.withTerm decay
                Training.minimize options sum theta |> ignore)
        }

        test "a function of the parameters alone is minimised as one batch" {
            let bowl (theta: Tensor) = Tensor.sum (Tensor.square (theta - 1.0))
            let descent = TrainingOptions.Default.WithEpochs(200).WithOptimizer(Optimizer.gradientDescent 0.1)
            let result = Training.minimize descent (Risk.ofFunction bowl) theta
            Expect.tensorsClose 1e-12 (Tensor.onesLike theta) result.Theta
        }

        test "a label that is out of range is found in the first pass" {
            let wrong = Array.init 50 (fun row -> if row = 49 then 2 else 0) |> Tensor.ofIndices [ 50 ]

            Expect.error<DataException> [ "label 2"; "0 … 1" ] (fun () ->
                Training.minimize options (riskOf loss 16 (Key.OfSeed 1L) inputs wrong) theta |> ignore)
        }

        test "counts out of range are refused" {
            Expect.error<ArgumentRangeException> [ "-1" ] (fun () -> options.WithEpochs -1 |> ignore)

            Expect.error<ArgumentRangeException> [ "0" ] (fun () ->
                Batches.shuffledEachPass 0 (Key.OfSeed 1L) inputs labels |> ignore)

            Expect.error<ArgumentRangeException> [ "-2" ] (fun () -> Batches.shuffled (Key.OfSeed 1L) -2 |> ignore)
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> Batches.cut 0 [| 1 |] |> ignore)
        }
    ]
