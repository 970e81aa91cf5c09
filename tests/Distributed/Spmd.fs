namespace Curvature.Tests

open System
open System.Diagnostics
open System.IO
open Curvature
open Curvature.FSharp

/// The program that every rank runs: this assembly, started as `spmd WHAT ARGUMENTS`.
[<RequireQualifiedAccess>]
module Spmd =

    let private theta = lazy (Digits.theta DType.Float32)

    /// The numbers of several risks, in groups that go into the ranks unevenly, or not into all.
    let numbersOf (risk: string -> int -> EmpiricalRisk) : string list =
        let all name groups =
            Numbers.ofRisk Digits.network.Layout theta.Value (risk name groups)
            |> Numbers.lines
            |> List.map (fun line -> $"{name} in {groups} groups, {line}")

        all "model" 5 @ all "mean" 2

    let private shards groups = Digits.shards DType.Float32 groups (if groups = 5 then 3 else -1)

    let numbersHere () : string list = numbersOf (fun name groups -> Shards.local name (shards groups))

    /// Both sets of shards under one program: names have the number of groups.
    let private bothShards () =
        let add groups (all: Shards) =
            (all, [ "mean"; "model" ])
            ||> List.fold (fun all name ->
                Shards.registerRisk $"{name} {groups}" (Shards.local name (shards groups)) all)

        Shards.empty |> add 5 |> add 2

    let private numbers () =
        let shards = bothShards ()

        Mpi.run shards (fun cluster ->
            let driver = Driver.connect shards cluster
            printfn $"{cluster.Name}"
            numbersOf (fun name groups -> Driver.risk $"{name} {groups}" driver) |> List.iter (printfn "%s"))

    let private stop, key = StoppingRule.matvecs 120, Key.OfSeed 31L

    let private text (trace: Estimate<float>) = $"trace {trace.Value:R} {trace.StandardError:R} {trace.Samples}"

    let traceHere () : string =
        Hutchinson.trace stop key (Hessian.ofRisk (Shards.local "mean" (shards 5)) theta.Value) |> text

    /// A trace with a checkpoint. A rank can kill itself when it has read so many groups.
    let private trace (file: string) (rank: int) (reads: int) =
        let own =
            [ "OMPI_COMM_WORLD_RANK"; "PMI_RANK" ]
            |> List.tryPick (fun name -> Environment.GetEnvironmentVariable name |> Option.ofObj)

        let mutable seen = 0

        let batchesOf group =
            seen <- seen + 1

            if own = Some(string rank) && seen = reads then
                Process.GetCurrentProcess().Kill()

            Digits.batchesOf DType.Float32 3 group

        let shards = Digits.shardsWith 5 batchesOf

        Mpi.run shards (fun cluster ->
            let hessian = Hessian.ofRisk (Driver.connect shards cluster |> Driver.risk "mean") theta.Value
            let options = RunOptions.Default.WithBlockSize(4).WithCheckpoint(file, 0.0)
            let estimator = Hutchinson.estimator Probe.rademacher Measurement.trace
            let resumed = File.Exists file
            Estimate.runWith options estimator stop key hessian |> text |> printfn "%s"
            printfn $"resumed {resumed}")

    /// An error of the user's program on rank 0.
    let private fail () =
        let shards = shards 5
        Mpi.run shards (fun _ -> raise (DataException "the program has an error"))

    /// Garbage from the driver: every rank answers with an error, and goes on.
    let private garbage () =
        let shards = shards 5

        Mpi.run shards (fun cluster ->
            for answer in cluster.Broadcast [| 1uy; 2uy; 3uy |] do
                printfn $"{ShardAnswers.decode (ReadOnlyMemory answer)}"

            let risk = Driver.connect shards cluster |> Driver.risk "mean"
            printfn $"then {Risk.value risk theta.Value:R}")

    /// A product that costs next to nothing, of a vector of n Float32 numbers; a group for each rank.
    let private bench (n: int) (times: int) =
        let batch = Batch(Tensor.ones DType.Float32 [ 1; 1 ], Tensor.ones DType.Float32 [ 1; 1 ])
        let loss (batch: Batch) (theta: Tensor) = Tensor.sum batch.Inputs * (0.5 * Tensor.dot theta theta)
        let groups = max 1 (int (Environment.GetEnvironmentVariable "CURVATURE_BENCH_GROUPS"))
        let shards = Shards.empty |> Shards.register "cheap" groups (fun _ -> [ batch ]) loss
        let theta = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ n ]

        let time (risk: EmpiricalRisk) =
            let hessian = Hessian.ofRisk risk theta
            let vector i = Tensor.normal (Key.OfSeed(int64 i)) DType.Float32 [ n ]
            hessian.Apply(vector 0) |> ignore

            [|
                for i in 1..times do
                    let v = vector i
                    let clock = Stopwatch.StartNew()
                    hessian.Apply v |> ignore
                    clock.Elapsed.TotalMilliseconds
            |]
            |> Array.sort

        Mpi.run shards (fun cluster ->
            let driver = Driver.connect shards cluster
            let there = time (Driver.risk "cheap" driver)
            let here = time (Shards.local "cheap" shards) |> Array.map (fun all -> all / float groups)
            let middle (times: float[]) = times[times.Length / 2]

            let overhead = $"min {there[0] - here[0]:F2} ms, median {middle there - middle here:F2} ms"
            printfn $"{cluster.Name}, {n} numbers, {groups} groups, {cluster.BytesMoved} bytes moved"
            printfn $"a product: min {there[0]:F2} ms, median {middle there:F2} ms"
            printfn $"one group here: min {here[0]:F2} ms, median {middle here:F2} ms"
            printfn $"overhead: {overhead}")

    let run (arguments: string list) : int =
        match arguments with
        | [ "numbers" ] -> numbers ()
        | [ "trace"; file; rank; reads ] -> trace file (int rank) (int reads)
        | [ "fail" ] -> fail ()
        | [ "garbage" ] -> garbage ()
        | [ "bench"; n; times ] -> bench (int n) (int times)
        | other -> eprintfn $"""spmd: not known: {String.concat " " other}"""

        0
