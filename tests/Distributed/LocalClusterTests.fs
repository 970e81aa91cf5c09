module Curvature.Tests.LocalClusterTests

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private layout = Digits.network.Layout

let private requireSame name (expected: (string * float[]) list) (found: (string * float[]) list) =
    for (what, here), (_, there) in List.zip expected found do
        if Numbers.hash here <> Numbers.hash there then
            failtest $"{name}, {what}: expected %A{here}, got %A{there}"

let private cluster workers shards = LocalCluster.start workers shards

let private sameNumbers name dtype groups empty workers =
    let shards = Digits.shards dtype groups empty
    let theta = Digits.theta dtype
    let expected = Numbers.ofRisk layout theta (Shards.local name shards)

    for workers in workers do
        use cluster = cluster workers shards
        let risk = Driver.connect shards cluster |> Driver.risk name
        Numbers.ofRisk layout theta risk |> requireSame $"{name}, {workers} workers" expected

/// A sum that keeps what it is told.
type private Listener<'T>() =
    let told = ResizeArray<'T>()
    member _.Told = told

    interface IProgress<'T> with
        member _.Report x = told.Add x

[<Tests>]
let tests =
    testList "a cluster in this process" [
        test "uneven groups over 1, 2 and 3 workers give the bits of one process" {
            sameNumbers "mean" DType.Float64 5 -1 [ 1; 2; 3 ]
        }

        test "so do a model with a term, in Float32, with an empty group" {
            sameNumbers "model" DType.Float32 5 3 [ 1; 3 ]
        }

        test "so does a sum where a worker has no group" { sameNumbers "sum" DType.Float64 2 -1 [ 3 ] }

        test "groups of eight batches have the bits of the same batches without groups" {
            let theta = Digits.theta DType.Float64

            let batches =
                [
                    for group in 0..8 do
                        yield! Digits.batchesOf DType.Float64 -1 group
                ]

            Expect.isTrue "more than two groups" (batches.Length > 16)
            let groups = (batches.Length + 7) / 8
            let ofGroup group = batches |> List.chunkBySize 8 |> List.item group |> Seq.ofList
            let shards = Shards.empty |> Shards.register "mean" groups ofGroup (Digits.loss Reduction.Mean)
            use cluster = cluster 2 shards
            let risk = Driver.connect shards cluster |> Driver.risk "mean"
            let plain = Risk.ofBatches Reduction.Mean (Digits.loss Reduction.Mean) batches
            let stop, key = StoppingRule.matvecs 8, Key.OfSeed 1L
            let trace risk = (Hutchinson.trace stop key (Hessian.ofRisk risk theta)).Value
            Expect.equal "the trace" (trace plain) (trace risk)
            Expect.equal "the value" (Risk.value plain theta) (Risk.value risk theta)
        }

        test "traces and block traces by keys move less than a KiB for each block of probes and worker" {
            let shards = Digits.shards DType.Float64 6 -1
            let theta = Digits.theta DType.Float64
            use cluster = cluster 3 shards
            let listener = Listener<ClusterProgress>()
            let options = ClusterOptions.Default.WithProgress listener
            let hessian = Hessian.ofRisk (Driver.connectWith options shards cluster |> Driver.risk "mean") theta
            let run = RunOptions.Default.WithBlockSize 8
            let stop, key = StoppingRule.matvecs 40, Key.OfSeed 1L

            let moved (estimator: Estimator<'T>) =
                let before = cluster.BytesMoved
                let told = listener.Told.Count
                Estimate.runWith run estimator stop key hessian |> ignore
                let blocks = listener.Told.Count - told
                let each = float (cluster.BytesMoved - before) / float (3 * blocks)
                Expect.isTrue $"{blocks} blocks" (blocks >= 5)
                each

            let ofTrace = moved (Hutchinson.estimator Probe.rademacher Measurement.trace)
            let blocks = ParameterLayout.blocks layout
            let ofBlocks = moved (Hutchinson.estimator Probe.rademacher (Measurement.blockTraces blocks))
            Expect.isTrue $"{ofTrace} bytes a block and worker" (ofTrace < 1024.0)
            Expect.isTrue $"{ofBlocks} bytes a block and worker" (ofBlocks < 1024.0)

            let last = listener.Told[listener.Told.Count - 1]
            Expect.equal "workers" 3 last.Workers
            Expect.equal "shards" 6 last.Shards
            Expect.equal "bytes" cluster.BytesMoved last.BytesMoved
            Expect.stringContains "text" "3 workers, 6 shards" (string last)
        }

        test "traces of blocks of a risk in groups are those of products, and add up to the trace" {
            let shards = Digits.shards DType.Float64 5 2
            let theta = Digits.theta DType.Float64
            let blocks = ParameterLayout.blocks layout
            let stop, key = StoppingRule.matvecs 16, Key.OfSeed 6L
            let served = Hessian.ofRisk (Shards.local "mean" shards) theta
            let layers = Hutchinson.estimate Probe.rademacher (Measurement.blockTraces blocks) stop key

            // An operator that knows nothing of groups.
            let plain =
                LinearOperator.ofBlockFunction DType.Float64 theta.Size theta.Size served.Apply
                |> LinearOperator.claim OperatorProperties.Symmetric

            for byForms, byProducts in Array.zip (layers served) (layers plain) do
                Expect.within byForms.Block.Name 1e-12 byProducts.Trace.Value byForms.Trace.Value
                let error = byProducts.Trace.StandardError
                Expect.within $"{byForms.Block.Name}: its error" 1e-12 error byForms.Trace.StandardError

            let total = layers served |> Array.sumBy _.Trace.Value
            Expect.within "the trace" 1e-12 (Hutchinson.trace stop key served).Value total
        }

        test "Diagnose finds a served Hessian in order, and the same as here" {
            let shards = Digits.shards DType.Float64 5 -1
            let theta = Digits.theta DType.Float64
            use cluster = cluster 2 shards

            let diagnose risk =
                let found = Diagnose.againstRisk DiagnoseOptions.Default risk theta (Hessian.ofRisk risk theta)
                string found

            let served = Driver.connect shards cluster |> Driver.risk "mean"
            let without (text: string) = text.Split '\n' |> Array.filter (fun line -> not (line.Contains " s"))
            Expect.equal "the diagnosis" (without (diagnose (Shards.local "mean" shards))) (without (diagnose served))
        }

        test "a run that was interrupted goes on with another number of workers to the same bits" {
            let shards = Digits.shards DType.Float64 5 -1
            let theta = Digits.theta DType.Float64
            let file = Path.Combine(TemporaryFolder.create "curvature-resume", "trace.checkpoint")
            let options = RunOptions.Default.WithBlockSize(4).WithCheckpoint(file, 0.0)
            let estimator = Hutchinson.estimator Probe.rademacher Measurement.trace
            let stop, key = StoppingRule.matvecs 40, Key.OfSeed 1L
            let whole = Hutchinson.trace stop key (Hessian.ofRisk (Shards.local "mean" shards) theta)

            let mutable left = 6

            let failing =
                { new IProgress<ClusterProgress> with
                    member _.Report _ =
                        left <- left - 1
                        if left = 0 then raise (ClusterException "all workers are gone")
                }

            let on workers (options': ClusterOptions) =
                use cluster = cluster workers shards
                let risk = Driver.connectWith options' shards cluster |> Driver.risk "mean"
                Estimate.runWith options estimator stop key (Hessian.ofRisk risk theta)

            Expect.error<ClusterException> [ "gone" ] (fun () ->
                on 3 (ClusterOptions.Default.WithProgress failing) |> ignore)

            Expect.isTrue "there is a checkpoint" (File.Exists file)
            let counter = Listener<ClusterProgress>()
            let resumed = on 2 (ClusterOptions.Default.WithProgress counter)
            Expect.equal "the trace" whole.Value resumed.Value
            Expect.equal "its error" whole.StandardError resumed.StandardError
            Expect.isTrue $"{counter.Told.Count} questions" (counter.Told.Count < 10)
        }
    ]
