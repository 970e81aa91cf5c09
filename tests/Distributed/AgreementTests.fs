module Curvature.Tests.AgreementTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

/// A cluster whose workers are not all what the driver is.
type private Mixed(servers: ShardServer[], change: byte[] -> byte[]) =
    interface ICluster with
        member _.Name = "a mixed cluster"
        member _.Workers = servers.Length
        member _.BytesMoved = 0L

        member _.Broadcast message = servers |> Array.map (fun server -> change (server.Answer(ReadOnlyMemory message)))

        member _.Sum(point, question, groups) =
            servers
            |> Seq.mapi (fun worker server -> struct (FixedTree.range worker servers.Length groups, server))
            |> Seq.filter (fun (struct (struct (low, high), _)) -> low < high)
            |> Seq.map (fun (struct (range, server)) ->
                let send (message: byte[]) = server.Answer(ReadOnlyMemory message)
                ShardAnswers.ask send point (ShardMessage.withRange range question))
            |> Seq.reduce ShardAnswers.merge

        member _.Dispose() = ()

let private mixed (all: Shards list) : ICluster = new Mixed([| for shards in all -> ShardServer shards |], id)

let private small = lazy (Digits.shards DType.Float64 3 -1)

let private withBatches (batchesOf: int -> Batch seq) = Digits.shardsWith 3 batchesOf

[<Tests>]
let tests =
    testList "what workers must agree on" [
        test "a name that a worker does not have, and another number of groups" {
            Expect.error<ClusterException> [ "worker 1"; "no risk named mean" ] (fun () ->
                Driver.connect small.Value (mixed [ small.Value; Shards.empty ]) |> ignore)

            let other = Digits.shards DType.Float64 4 -1

            Expect.error<ClusterException> [ "worker 1"; "4 groups"; "driver's 3" ] (fun () ->
                Driver.connect small.Value (mixed [ small.Value; other ]) |> ignore)

            Expect.error<ClusterException> [ "nothing"; "mean" ] (fun () ->
                Driver.connect small.Value (mixed [ small.Value ]) |> Driver.risk "nothing" |> ignore)
        }

        test "another version, instruction set or result of a trial computation" {
            let change (name: string) (answer: byte[]) =
                match ShardAnswers.decode (ReadOnlyMemory answer) with
                | ShardAnswer.Identity(facts, risks) ->
                    let changed =
                        facts |> List.map (fun (fact, value) -> fact, (if fact = name then "other" else value))

                    ShardAnswers.encode (ShardAnswer.Identity(changed, risks))
                | _ -> answer

            for fact, _ in Machine.facts.Value do
                let cluster = new Mixed([| ShardServer small.Value |], change fact)

                Expect.error<ClusterException> [ "worker 0"; fact; "other" ] (fun () ->
                    Driver.connect small.Value cluster |> ignore)
        }

        test "other data in the first group, and in a group that moves to another worker" {
            let batchesOf = Digits.batchesOf DType.Float64 -1
            let different group = batchesOf (if group = 0 then 7 else group)
            let cluster = mixed [ small.Value; withBatches different ]

            Expect.error<ClusterException> [ "worker 1"; "first group of mean" ] (fun () ->
                Driver.connect small.Value cluster |> Driver.risk "mean" |> ignore)

            // The data of group 2 change after they were described.
            let mutable swap = false
            let changing group = batchesOf (if swap && group = 2 then 7 else group)
            let cluster = mixed [ withBatches changing; withBatches changing ]
            let risk = Driver.connect small.Value cluster |> Driver.risk "mean"
            let theta = Digits.theta DType.Float64
            Risk.value risk theta |> ignore
            swap <- true

            Expect.error<DataException> [ "group 2"; "not what it was" ] (fun () -> Risk.value risk theta |> ignore)
        }

        test "errors of a worker are those of one process" {
            let batchesOf = Digits.batchesOf DType.Float64 -1

            let wrong (batch: Batch) (theta: Tensor) =
                Digits.loss Reduction.Mean batch theta * Tensor.log (Tensor.sum theta - Tensor.sum theta)

            let shards = Shards.empty |> Shards.register "wrong" 3 batchesOf wrong
            use cluster = LocalCluster.start 2 shards
            let risk = Driver.connect shards cluster |> Driver.risk "wrong"
            let theta = Digits.theta DType.Float64
            Expect.error<NonFiniteException> [ "loss" ] (fun () -> Risk.value risk theta |> ignore)
            Expect.error<NonFiniteException> [ "loss" ] (fun () -> Hessian.ofRisk risk theta |> ignore)

            // A sum that is registered as a mean.
            let shards = Shards.empty |> Shards.register "wrong" 3 batchesOf (Digits.loss Reduction.Sum)
            use cluster = LocalCluster.start 2 shards
            let risk = Driver.connect shards cluster |> Driver.risk "wrong"
            Expect.error<ArgumentRangeException> [ "Mean" ] (fun () -> Hessian.ofRisk risk theta |> ignore)
        }

        test "no data at all, a bad name, data without groups" {
            let none = Shards.empty |> Shards.register "none" 2 (fun _ -> Seq.empty) (Digits.loss Reduction.Mean)
            use cluster = LocalCluster.start 1 none

            Expect.error<DataException> [ "none"; "no batches" ] (fun () ->
                Driver.connect none cluster |> Driver.risk "none" |> ignore)

            let plain = Risk.ofBatches Reduction.Mean (Digits.loss Reduction.Mean) Seq.empty

            Expect.error<DataException> [ "withGroups" ] (fun () ->
                Shards.registerRisk "a" plain Shards.empty |> ignore)

            Expect.error<ArgumentRangeException> [ "named none already" ] (fun () ->
                Shards.register "none" 2 (fun _ -> Seq.empty) (Digits.loss Reduction.Mean) none |> ignore)

            Expect.error<ArgumentRangeException> [ "the number is 0" ] (fun () ->
                Risk.withGroups 0 (fun _ -> Seq.empty) plain |> ignore)

            Expect.error<ArgumentRangeException> [ "the number is 0" ] (fun () -> LocalCluster.start 0 none |> ignore)
        }

        test "more points than a server keeps are set again when they are asked" {
            let shards = small.Value
            use cluster = LocalCluster.start 2 shards
            let risk = Driver.connect shards cluster |> Driver.risk "mean"
            let theta = Digits.theta DType.Float64
            let points = [ for i in 1..12 -> theta + 0.01 * float i ]
            let first = [ for point in points -> Risk.value risk point ]
            Expect.equal "again" first [ for point in points -> Risk.value risk point ]
        }
    ]
