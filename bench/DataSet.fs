namespace Curvature.Bench

open System.Diagnostics
open System.IO
open Curvature
open Curvature.FSharp

/// The trace of a trained residual network's Hessian over a whole data set, with one batch in memory at a time: how
/// long it takes, and how much memory.
module DataSet =

    let run (folder: string) =
        let tensors = Safetensors.read (Path.Combine(folder, "resnet20_cifar10.safetensors"))
        let theta, network = Network.load DType.Float32 tensors ResNet.resNet20
        let images = Cifar.images10 (Path.Combine(folder, "cifar10_test_1000.bin"))

        let options =
            BatchOptions.Default
                .WithSize(50)
                .WithTransform(Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ])

        let loss (batch: Batch) theta =
            Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

        let clock = Stopwatch.StartNew()

        let hessian =
            Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss (Batches.ofImages options DType.Float32 images)) theta

        let trace = Hutchinson.trace (StoppingRule.matvecs 8) (Key.OfSeed 1L) hessian
        let seconds = clock.Elapsed.TotalSeconds
        let peak = float (Process.GetCurrentProcess().PeakWorkingSet64) / float (1 <<< 30)
        printfn $"trace of {images.Count} images, float32, batches of 50, 8 probes: {trace}"
        printfn $"{seconds:F1} s, {peak:F2} GiB of memory at the most"
