/// Training a network of convolutions on handwritten digits of 8 × 8 pixels.
module Curvature.Tests.Unit.ImageTrainingTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network =
    Layer.sequential [
        ImageLayer.conv2dWithoutBias 1 8 (3, 3) (Sliding.Default.WithPadding 1)
        Normalization.batch 8
        Layer.relu
        ImageLayer.conv2d 8 16 (3, 3) (Sliding.Default.WithPadding(1).WithStride 2)
        Layer.relu
        ImageLayer.flatten
        Layer.dense 256 10
    ]
    |> ImageLayer.onImages
    |> Network.ofLayer

let private digits () =
    let data = Csv.read (SharedData.path "data/digits.csv.gz")
    let pixels = data.Inputs.ToArray() |> Array.map (fun value -> byte (15.0 * value))
    ImageSet.create (1, 8, 8) (data.Labels.ToInt32Array()) pixels

let private accuracy (network: Network) theta (images: ImageSet) =
    Network.forward network theta (images.ToTensor DType.Float32) |> Loss.accuracy images.Labels

[<Tests>]
let tests =
    testList "Unit.ImageTrainingTests" [
        test "a convolutional network learns digits from shuffled batches, and reads those that it has not seen" {
            let all = digits ()
            let known, unknown = all.Slice(0, 1500), all.Slice(1500, 297)
            let training = Network.forTraining network

            let loss (batch: Batch) theta =
                Network.forward training theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

            let batches pass =
                Batches.ofImages
                    (BatchOptions.Default.WithShuffling((Key.OfSeed 1L).FoldIn(uint32 pass)))
                    DType.Float32
                    known

            let options = TrainingOptions.Default.WithEpochs(6).WithOptimizer(Optimizer.adam 0.02)
            let start = Network.initialize (Key.OfSeed 2L) DType.Float32 network

            let result =
                Training.minimize options (Risk.ofBatches Reduction.Mean loss [] |> Risk.withPasses batches) start

            Expect.equal "result.Steps" 90 result.Steps

            let trained = network |> Network.measureStatistics result.Theta (batches 0 |> Seq.map _.Inputs)

            let share = accuracy trained result.Theta unknown
            stdout.WriteLine $"{share:P1} of unseen digits, {result.Seconds:F1} s"
            Expect.isTrue $"{share:P1} of unseen digits" (share > 0.85)
        }

        test "a residual network in training comes to know a few images" {
            let pixels = Array.zeroCreate<byte> 2304
            System.Random(1).NextBytes pixels
            let images = ImageSet.create (3, 8, 8) (Array.init 12 (fun i -> i % 3)) pixels
            let network = ResNet.cifar 8 3
            let training = Network.forTraining network

            let loss (batch: Batch) theta =
                Network.forward training theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

            let batches _ = Batches.ofImages (BatchOptions.Default.WithSize 12) DType.Float32 images
            let start = Network.initialize (Key.OfSeed 1L) DType.Float32 network
            let options = TrainingOptions.Default.WithEpochs(25).WithOptimizer(Optimizer.momentum 0.05 0.9)

            let result =
                Training.minimize options (Risk.ofBatches Reduction.Mean loss [] |> Risk.withPasses batches) start

            let trained = network |> Network.measureStatistics result.Theta [ images.ToTensor DType.Float32 ]
            stdout.WriteLine $"{result.Losses[0]} to {result.Losses[24]}"
            Expect.close 1e-9 [| 1.0 |] [| accuracy trained result.Theta images |]
        }
    ]
