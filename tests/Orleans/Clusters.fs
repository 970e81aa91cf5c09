/// Local clusters of this program.
module Curvature.Tests.Orleans.Clusters

open System
open System.Collections.Concurrent
open Curvature
open Curvature.FSharp

/// What clusters have logged.
[<Sealed>]
type Log() =
    let lines = ConcurrentQueue<string>()
    member _.Write(line: string) = lines.Enqueue line
    member _.Lines = lines.ToArray()
    member log.Text = String.concat "\n" log.Lines
    member log.Has(text: string) = log.Lines |> Array.exists _.Contains(text)

/// Workers are this assembly as a program. Machines of tests are busy, so that silence is long.
let options (log: Log) =
    OrleansOptions.Default
        .WithProgram("dotnet", Processes.self)
        .WithSilenceTimeout(TimeSpan.FromMinutes(3.0))
        .WithLog(fun line -> log.Write line)
        .WithWorkers(1, TimeSpan.FromMinutes(5.0))

let start workers =
    let log = Log()
    OrleansCluster.Local(workers, options log), log

let connect cluster = Driver.connect Workload.shards cluster

/// What one process gives, which clusters must give to the bit.
let expected =
    dict [
        for name, dtype in [ "even", DType.Float64; "uneven", DType.Float32 ] ->
            name, lazy (Workload.quantities dtype (Shards.local name Workload.shards))
    ]

let expectedLongTrace = lazy (Workload.longTrace RunOptions.Default (Shards.local "even" Workload.shards))
