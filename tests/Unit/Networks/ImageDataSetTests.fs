/// Curvature of image networks over data sets of every odd size.
module Curvature.Tests.Unit.ImageDataSetTests

open System
open System.Diagnostics
open System.Reflection
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

let private network (classes: int) =
    Layer.sequential [
        ImageLayer.conv2dWithoutBias 2 4 (3, 3) (Sliding.Default.WithPadding 1)
        Normalization.batch 4
        Layer.tanh
        ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
        ImageLayer.globalAveragePool
        Layer.dense 4 classes
    ]
    |> ImageLayer.onImages
    |> Network.ofLayer

let private images channels height width count classes =
    let pixels = Array.init (count * channels * height * width) (fun i -> byte (i * i * 31 + 7 * i))
    ImageSet.create (channels, height, width) (Array.init count (fun image -> image % classes)) pixels

let private cross targets logits = Loss.softmaxCrossEntropy Reduction.Mean targets logits
let private lossOf network (batch: Batch) theta = Network.forward network theta batch.Inputs |> cross batch.Targets
let private cut size images = Batches.ofImages (BatchOptions.Default.WithSize size) DType.Float64 images

/// Two operators multiply alike, and have the same quadratic forms.
let private same (expected: LinearOperator) (actual: LinearOperator) =
    let block = random 5L [ 3; expected.Columns ]
    Expect.tensorsClose 1e-11 (expected.Apply block) (actual.Apply block)
    Expect.tensorsClose 1e-11 (expected.QuadraticForm block) (actual.QuadraticForm block)

let private check (network: Network) (images: ImageSet) sizes =
    let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
    let whole = Seq.exactlyOne (cut images.Count images)
    let logits theta = Network.forward network theta whole.Inputs
    let model inputs theta = Network.forward network theta inputs

    for size in sizes do
        let batches = cut size images

        same
            (Hessian.at (lossOf network whole) theta)
            (Hessian.ofRisk (Risk.ofBatches Reduction.Mean (lossOf network) batches) theta)

        same
            (GaussNewton.at logits (cross whole.Targets) theta)
            (GaussNewton.ofRisk (Risk.ofModel Reduction.Mean model cross batches) theta)

        same
            (Fisher.exact Likelihood.categorical logits theta)
            (Fisher.ofRisk
                (FisherKind.exact Likelihood.categorical)
                (Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.sum outputs) batches)
                theta)

let private takesTheMemoryOfOneBatch () =
    let theta, network = TrainedResNet.network DType.Float32
    let images = Cifar.images10 (SharedData.path "data/cifar10_test_1000.bin")
    let normalise = Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]
    let options = BatchOptions.Default.WithSize(50).WithTransform normalise
    let memory () = Process.GetCurrentProcess().WorkingSet64
    let before = memory ()
    let mutable most = before
    use _watch = new Timer((fun _ -> most <- max most (memory ())), null, 0, 20)
    let batches = Batches.ofImages options DType.Float32 images
    let point = Hessian.evaluate (Risk.ofBatches Reduction.Mean (lossOf network) batches) theta
    Expect.close 1e-6 [| 0.384205 |] [| point.Loss |]
    let trace = Hutchinson.trace (StoppingRule.matvecs 2) (Key.OfSeed 1L) point.Hessian
    let mebibytes = (most - before) / (1L <<< 20)
    stdout.WriteLine $"trace {trace}; {mebibytes} MiB more than before"
    Expect.isTrue $"{mebibytes} MiB" (mebibytes < 1024L)

[<Tests>]
let tests =
    testList "Unit.ImageDataSetTests" [
        test "uneven batches of images, and batches of one, have the curvature of the whole" {
            check (network 3) (images 2 5 4 7 3) [ 3; 1 ]
        }

        test "images of one pixel go through a residual network" { check (ResNet.cifar 8 2) (images 3 1 1 3 2) [ 2 ] }

        test "a network of one class has no loss and no curvature" {
            let network = network 1
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network

            let point =
                Hessian.evaluate (Risk.ofBatches Reduction.Mean (lossOf network) (cut 2 (images 2 4 4 3 1))) theta

            Expect.close 0.0 [| 0.0 |] [| point.Loss |]
            let zero = Tensor.zerosLike theta
            Expect.tensorsClose 1e-15 zero point.Gradient
            Expect.tensorsClose 1e-15 zero (point.Hessian.Apply(random 6L [ theta.Size ]))
        }

        test "a label that the network has no class for is refused, and named" {
            let network = network 3
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network

            Expect.error<DataException> [ "label 3 of row 1"; "0 … 2" ] (fun () ->
                Hessian.ofRisk (Risk.ofBatches Reduction.Mean (lossOf network) (cut 2 (images 2 4 4 5 4))) theta
                |> ignore)
        }

        test "a data set without images has no curvature, and that is said" {
            let network = network 3
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network

            Expect.error<DataException> [ "no samples" ] (fun () ->
                let batches = cut 2 ((images 2 4 4 5 3).Slice(5, 0))
                Hessian.ofRisk (Risk.ofBatches Reduction.Mean (lossOf network) batches) theta |> ignore)
        }

        test "a trace over 1000 images of a ResNet-20 takes the memory of one batch" {
            // What earlier tests have left decides when memory is collected, so it is measured where none ran.
            SharedData.path "data/cifar10_test_1000.bin" |> ignore
            let filter = "FullyQualifiedName~ImageDataSetTests&Name~1000&Name~memory"
            ChildRun.alone (Assembly.GetExecutingAssembly()) filter takesTheMemoryOfOneBatch
        }
    ]
