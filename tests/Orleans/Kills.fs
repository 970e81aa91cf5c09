/// Runs in which workers are killed.
module Curvature.Tests.Orleans.Kills

open System
open System.Diagnostics
open System.Threading
open System.Threading.Tasks
open Curvature
open Curvature.FSharp

/// What became of a run.
type Outcome = { Delay: int; Seconds: float; Result: string }

/// One run, in which a random worker is killed at a random moment.
let private run (random: Random) (cluster: OrleansCluster) (risk: EmpiricalRisk) milliseconds =
    let delay = random.Next milliseconds
    let victims = Seq.toArray cluster.ProcessIds
    let victim = victims[random.Next victims.Length]

    let killing =
        Task.Run(fun () ->
            Thread.Sleep delay
            Process.GetProcessById(victim).Kill())

    let clock = Stopwatch.StartNew()
    let result = Workload.longTrace RunOptions.Default risk
    killing.Wait()

    { Delay = delay; Seconds = clock.Elapsed.TotalSeconds; Result = result }

/// So many kills, in clusters of four workers of which three are killed, one in each run. `report` sees every outcome.
let many seed count (report: Outcome -> unit) =
    let random = Random(seed: int)
    let mutable left = count

    while left > 0 do
        let cluster, _ = Clusters.start 4
        use cluster = cluster
        let risk = Clusters.connect cluster |> Driver.risk "slow"
        let clock = Stopwatch.StartNew()
        Workload.longTrace RunOptions.Default risk |> ignore
        let undisturbed = int clock.ElapsedMilliseconds

        for _ in 1 .. min 3 left do
            run random cluster risk undisturbed |> report
            left <- left - 1
