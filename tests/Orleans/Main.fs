/// Runs the tests as a program, and is the program of their workers:
///     dotnet run --project tests/Orleans -c Release -- kills 20      kills of random workers, at random moments
///     dotnet run --project tests/Orleans -c Release -- overhead 200  the time of products beside what is computed
module Curvature.Tests.Orleans.Main

open System
open System.IO
open System.Reflection
open Expecto
open Curvature
open Curvature.FSharp

// One test after the other: each has processes of its own, on all processors.
[<assembly: AssemblyMetadata("Expecto.Sequenced", "true")>]
do ()

/// Serves as a silo of a cluster that finds itself by Redis.
let private serve shards arguments =
    OrleansWorker.Serve(shards, Machines.options (Machines.Place.Parse arguments) (printfn "%s"))
    0

/// A long trace on a local cluster, with a checkpoint at every block.
let private drive (workers: string) (checkpoint: string) name =
    let resumes = File.Exists checkpoint
    use cluster = OrleansCluster.Local(int workers, Clusters.options (Clusters.Log()))
    let pids = cluster.ProcessIds |> Seq.map string |> String.concat " "
    printfn $"worker processes {pids}"
    let risk = Clusters.connect cluster |> Driver.risk name
    let word = if resumes then "resumes" else "begins"
    printfn $"it {word}"
    let options = RunOptions.Default.WithCheckpoint(checkpoint, 0.0)
    printfn $"found {Workload.longTrace options risk}"
    0

let private kills (count: string) =
    let seed = Random.Shared.Next()
    let expected = Clusters.expectedLongTrace.Value
    let mutable right = 0
    let mutable number = 0
    printfn $"seed {seed}; expected {expected}"

    Kills.many seed (int count) (fun outcome ->
        number <- number + 1
        if outcome.Result = expected then right <- right + 1

        printfn
            $"{number}: killed after {outcome.Delay} ms, done in {outcome.Seconds:f1} s: {outcome.Result = expected}")

    printfn $"{right} of {count} results are right"
    if right = int count then 0 else 1

let private overhead (count: string) =
    let cluster, _ = Clusters.start 3
    use cluster = cluster
    let struct (least, median, used, usedHere) = Overhead.products (int count) cluster
    let load = (File.ReadAllText "/proc/loadavg").Trim()
    printfn $"a product of 1 MB over 3 workers: least {least:f1} ms, median {median:f1} ms"
    printfn $"processors used {used:f1} ms for each; one process alone {usedHere:f1} ms"
    printfn $"load {load}; {Overhead.bytesOfBlocks 8 cluster:f0} bytes for a block of probes and a worker"
    0

[<EntryPoint>]
let main arguments =
    OrleansWorker.ServeIfStarted Workload.shards

    match List.ofArray arguments with
    | "serve" :: place -> serve Workload.shards place
    | "serve-other" :: place -> serve Workload.otherShards place
    | [ "drive"; workers; checkpoint; name ] -> drive workers checkpoint name
    | [ "kills"; count ] -> kills count
    | [ "overhead"; count ] -> overhead count
    | _ -> Tests.runTestsInAssemblyWithCLIArgs [ CLIArguments.Sequenced ] arguments
