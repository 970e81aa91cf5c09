/// Which residuals plans keep, and which they compute again.
module Curvature.Tests.Unit.Plans.RetentionTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A random network: links with capacities between nodes, of which the last two are source and sink.
let private randomLinks (random: Random) nodes =
    [
        for _ in 1 .. 3 * nodes do
            let a, b = random.Next nodes, random.Next nodes
            if a <> b then a, b, int64 (random.Next 10)
    ]

/// What the links from outside of a set of nodes into it carry at the most.
let private capacity links (side: bool[]) =
    links |> List.sumBy (fun (a, b, capacity) -> if not side[a] && side[b] then capacity else 0L)

let private rows, width = 64, 64

let private hessian activation (theta: Tensor) (v: Tensor) =
    let inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ rows; width ]
    let layer (weight: Tensor) x = activation (Tensor.matmul x weight: Tensor)

    let loss (theta: Tensor) =
        Tensor.split 0 (List.replicate 4 (width * width)) theta
        |> List.fold (fun x weight -> layer (Tensor.reshape [ width; width ] weight) x) inputs
        |> Tensor.square
        |> Tensor.sum

    (snd (Linearized.gradient loss theta)) v

/// The bytes of residuals of a product, all of them and those that are kept, in layers' activations.
let private residuals activation =
    let theta = { Shape = [| 4 * width * width |]; DType = DType.Float64 }

    let all =
        Staging.stage Kernels.CpuDevice.Shared [| theta; theta |] (fun xs -> [| hessian activation xs[0] xs[1] |])
        |> Simplify.run [| false; true |]
        |> Partition.cut 1 0

    let count (parts: Partition) =
        let bytes = parts.Slow.Outputs |> Array.sumBy (fun output -> (parts.Slow.Signature output).Bytes)
        float bytes / float (rows * width * 8)

    count all, count (Retention.reduce Retention.least all)

[<Tests>]
let tests =
    testList "Unit.Plans.RetentionTests" [
        test "the cut is the smallest of all, and of these next to the sink" {
            for seed in 1..400 do
                let random = Random seed
                let nodes = 2 + random.Next 6
                let links = randomLinks random nodes
                let source, sink = nodes - 2, nodes - 1
                let network = FlowNetwork nodes

                for a, b, capacity in links do
                    network.Link(a, b, capacity)

                let found = (network.SinkSide(source, sink, 1_000_000)).Value

                let sides =
                    [
                        for number in 0 .. (1 <<< (nodes - 2)) - 1 ->
                            Array.init nodes (fun i -> i = sink || (i < source && number >>> i &&& 1 = 1))
                    ]

                let least = sides |> List.map (capacity links) |> List.min
                Expect.equal $"capacity, seed {seed}" least (capacity links found)

                for side in sides do
                    if capacity links side = least then
                        let isWithin = Array.forall2 (fun a b -> not a || b) found side
                        Expect.isTrue $"next to the sink, seed {seed}" isWithin
        }

        test "a search that takes too long gives nothing" {
            let network = FlowNetwork 3
            network.Link(0, 1, 1L)
            network.Link(1, 2, 1L)
            Expect.isTrue "nothing" (network.SinkSide(0, 2, 0)).IsNone
        }

        for name, activation in [ "tanh", Tensor.tanh; "relu", Tensor.relu ] do
            test $"derivatives of {name} are computed from its values again" {
                let all, kept = residuals activation
                Expect.isTrue $"{kept} in place of {all}" (kept <= all - 2.0)
            }
    ]
