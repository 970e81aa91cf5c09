/// Workers and drivers that die, or are slow.
module Curvature.Tests.Orleans.LossTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private raised (body: unit -> unit) : exn option =
    try
        body ()
        None
    with error ->
        Some error

[<Tests>]
let tests =
    testList "Orleans.LossTests" [
        test "killed workers change no bit" {
            Processes.requireQuiet ()
            let seed = Random.Shared.Next()

            Kills.many seed 3 (fun outcome ->
                Expect.equal $"seed {seed}: {outcome}" Clusters.expectedLongTrace.Value outcome.Result)
        }

        test "a worker that stands still is taken over, and used again when it goes on" {
            Processes.requireQuiet ()
            let log = Clusters.Log()

            let options = (Clusters.options log).WithTakeover(4.0, TimeSpan.FromSeconds(1.0))

            use cluster = OrleansCluster.Local(3, options)
            let risk = Clusters.connect cluster |> Driver.risk "even"
            // How long a question takes is known from here on.
            Workload.longTrace RunOptions.Default risk |> ignore
            let frozen = cluster.ProcessIds[2]
            Processes.freeze frozen

            try
                let found = Workload.longTrace RunOptions.Default risk
                Expect.equal "the bits" Clusters.expectedLongTrace.Value found
                Expect.isTrue $"it was taken over: {log.Text}" (log.Has "it takes much longer than others")
                Expect.equal "two are asked" 2 cluster.Workers
            finally
                Processes.thaw frozen

            Processes.eventually "the third is asked again" 90.0 (fun () -> cluster.Workers = 3)

            Expect.equal
                "the bits, by all"
                Clusters.expectedLongTrace.Value
                (Workload.longTrace RunOptions.Default risk)
        }

        test "where all workers are dead, the run ends with an error that says so" {
            Processes.requireQuiet ()
            let cluster, _ = Clusters.start 2
            use cluster = cluster
            let risk = Clusters.connect cluster |> Driver.risk "slow"
            let run = Task.Run(fun () -> raised (fun () -> Workload.longTrace RunOptions.Default risk |> ignore))
            Thread.Sleep 500

            for pid in cluster.ProcessIds do
                Process.GetProcessById(pid).Kill()

            Expect.isTrue "it ends soon" (run.Wait(TimeSpan.FromMinutes(1.0)))

            match run.Result with
            | Some(:? ClusterException as error) ->
                Expect.stringContains "what happened" "all 2 processes have ended" error.Message
                Expect.stringContains "what to do" "checkpoint" error.Message
            | other -> failtest $"a ClusterException was expected, and there was {other}"
        }

        test "a driver that died resumes from its checkpoint, on another number of workers" {
            Processes.requireQuiet ()

            Machines.inFolder (fun folder ->
                let checkpoint = Path.Combine(folder, "trace.checkpoint")
                let saved () = File.Exists checkpoint && FileInfo(checkpoint).Length > 0L
                use first = Processes.again [ "drive"; "3"; checkpoint; "slow" ]
                Processes.eventually "a checkpoint" 120.0 (fun () -> saved () || not first.IsRunning)
                Expect.isTrue $"it still runs: {first.Text}" first.IsRunning
                first.WaitFor("worker processes", 5.0)
                let words = first.Lines |> Array.find _.Contains("worker processes")
                let workers = words.Split(' ') |> Array.skip 2 |> Array.map int
                first.Kill()

                Processes.eventually "workers end with their driver" 30.0 (fun () ->
                    workers |> Array.forall (fun pid -> not (Directory.Exists $"/proc/{pid}")))

                use second = Processes.again [ "drive"; "2"; checkpoint; "slow" ]
                Expect.equal second.Text 0 (second.WaitForExit 240.0)
                Expect.contains second.Text $"found {Clusters.expectedLongTrace.Value}" second.Lines
                Expect.contains second.Text "it resumes" second.Lines)
        }

        test "a program that ends before it serves is an error with what it printed" {
            Processes.requireQuiet ()
            let log = Clusters.Log()
            let options = (Clusters.options log).WithProgram("dotnet", "--version")

            Expect.error<ClusterException> [ "ended with code 0"; "10." ] (fun () ->
                OrleansCluster.Local(1, options).Dispose())
        }
    ]
