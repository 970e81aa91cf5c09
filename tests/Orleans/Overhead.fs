/// How long a product takes of which the machines compute nothing.
module Curvature.Tests.Orleans.Overhead

open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Milliseconds of processors that this process and its workers have used.
let private processors (cluster: OrleansCluster) =
    Seq.append [ Process.GetCurrentProcess().Id ] cluster.ProcessIds
    |> Seq.sumBy (fun pid -> Process.GetProcessById(pid).TotalProcessorTime.TotalMilliseconds)

let private median (values: float[]) = (Array.sort values)[values.Length / 2]

/// Milliseconds of products of a 1 MB vector: the least, the median, what all processes used of processors for each,
/// and what this process uses where it is alone.
let products count (cluster: OrleansCluster) =
    let theta = Tensor.zeros DType.Float32 [ Workload.wide ]
    let vector = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ Workload.wide ]

    let times (risk: EmpiricalRisk) =
        use hessian = Hessian.ofRisk risk theta

        let time () =
            let clock = Stopwatch.StartNew()
            hessian.Apply vector |> ignore
            clock.Elapsed.TotalMilliseconds

        for _ in 1..5 do
            time () |> ignore

        Array.init count (fun _ -> time ())

    let risk = Clusters.connect cluster |> Driver.risk "wide"
    times risk |> ignore
    let before = processors cluster
    let remote = times risk
    let used = (processors cluster - before) / float (remote.Length + 5)
    let local = Shards.local "wide" Workload.shards
    times local |> ignore
    let before = processors cluster
    let here = times local
    let usedHere = (processors cluster - before) / float (here.Length + 5)
    struct (Array.min remote, median remote, used, usedHere)

/// Bytes that a Hutchinson trace moves for each block of probes and worker.
let bytesOfBlocks blocks (cluster: OrleansCluster) =
    let risk = Clusters.connect cluster |> Driver.risk "even"
    use hessian = Hessian.ofRisk risk (Workload.theta DType.Float64)
    let options = RunOptions.Default.WithBlockSize 16
    let estimator = Hutchinson.estimator Probe.rademacher Measurement.trace

    let run blocks =
        let before = cluster.BytesMoved
        Estimate.runWith options estimator (StoppingRule.matvecs (16 * blocks)) (Key.OfSeed 5L) hessian |> ignore
        cluster.BytesMoved - before

    // The first tells the point.
    run 1 |> ignore
    float (run blocks) / float (blocks * cluster.Workers)
