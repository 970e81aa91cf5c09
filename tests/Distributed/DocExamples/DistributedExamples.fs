/// The F# of docs/distributed.md.
module DocExamples.DistributedExamples

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let network = Network.mlp Layer.tanh [ 8; 6; 3 ]
let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network

/// Twelve groups of four batches, drawn from a key.
let batchesOf group =
    seq {
        for number in 4 * group .. 4 * group + 3 do
            let inputs = Tensor.normal (Key.OfSeed(int64 number)) DType.Float32 [ 20; 8 ]
            Batch(inputs, Tensor.ofIndices [ 20 ] (Array.init 20 (fun row -> (row + number) % 3)))
    }

let loss (batch: Batch) theta =
    Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

let shards = Shards.empty |> Shards.register "flowers" 12 batchesOf loss

[<Tests>]
let tests =
    testList "DocExamples.DistributedExamples" [
        test "a risk over shards is a risk like any other" {
            use cluster = LocalCluster.start 3 shards
            let driver = Driver.connect shards cluster
            let hessian = Hessian.ofRisk (Driver.risk "flowers" driver) theta

            let trace = Hutchinson.trace (StoppingRule.matvecs 40) (Key.OfSeed 2L) hessian
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 2 hessian
            printfn $"{trace}, {pairs}"

            let here = Hessian.ofRisk (Shards.local "flowers" shards) theta
            let same = Hutchinson.trace (StoppingRule.matvecs 40) (Key.OfSeed 2L) here
            printfn $"the same bits: {same.Value = trace.Value}"

            Expect.equal "bits" same.Value trace.Value
        }

        test "a model, a term, a sum" {
            let model inputs theta = Network.forward network theta inputs

            let risk =
                Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean) Seq.empty
                |> Risk.withGroups 12 batchesOf
                |> Risk.withTerm (fun theta -> 0.01 * Tensor.dot theta theta)

            let shards = Shards.empty |> Shards.registerRisk "decayed" risk

            use cluster = LocalCluster.start 2 shards
            let there = GaussNewton.ofRisk (Driver.connect shards cluster |> Driver.risk "decayed") theta
            let here = GaussNewton.ofRisk (Shards.local "decayed" shards) theta
            let v = Tensor.normal (Key.OfSeed 3L) DType.Float32 [ theta.Size ]
            Expect.sameBits (here.Apply v) (there.Apply v)
        }

        test "progress, and a checkpoint" {
            use cluster = LocalCluster.start 3 shards
            let file = Path.Combine(TemporaryFolder.create "curvature-docs", "trace.checkpoint")

            let show =
                { new IProgress<ClusterProgress> with
                    member _.Report progress = printfn $"{progress}"
                }

            let driver = Driver.connectWith (ClusterOptions.Default.WithProgress show) shards cluster
            let hessian = Hessian.ofRisk (Driver.risk "flowers" driver) theta
            let options = RunOptions.Default.WithCheckpoint(file, 60.0) // every minute
            let signs = Hutchinson.estimator Probe.rademacher Measurement.trace
            let trace = Estimate.runWith options signs (StoppingRule.relativeError 0.05) (Key.OfSeed 2L) hessian
            Expect.isTrue "found" (trace.Samples > 1)
        }

        test "what more machines gain" {
            let link = ClusterCost.link 50e-6 1.25e9 // 50 µs, 10 Gbit/s
            let work = ClusterCost.work 270_000 DType.Float32 4000 100.0 // a product with all data takes 100 s

            for workers in [ 10; 100; 1000 ] do
                let trace = ClusterCost.trace 100 8 workers link work
                let eigenpairs = ClusterCost.products 60 1 workers link work

                printfn
                    $"{workers} machines: a trace {trace.Speedup:F0} times as fast, eigenpairs {eigenpairs.Speedup:F0}"

            Expect.isTrue "nearly 10" ((ClusterCost.trace 100 8 10 link work).Speedup > 9.5)
        }
    ]
