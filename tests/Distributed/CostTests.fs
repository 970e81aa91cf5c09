module Curvature.Tests.CostTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private link = ClusterCost.link 50e-6 1.25e9

[<Tests>]
let tests =
    testList "the model of cost" [
        test "says the bytes that are moved, for traces, block traces and products" {
            let groups = 12
            let shards = Digits.shards DType.Float64 groups -1
            let theta = Digits.theta DType.Float64
            let work = ClusterCost.work theta.Size DType.Float64 groups 0.0
            let options = RunOptions.Default.WithBlockSize 6

            for workers in 1..4 do
                use cluster = LocalCluster.start workers shards
                let hessian = Hessian.ofRisk (Driver.connect shards cluster |> Driver.risk "mean") theta
                hessian.Apply theta |> ignore

                let measure (name: string) (predicted: ClusterCost) (action: unit -> unit) =
                    let before = cluster.BytesMoved
                    action ()
                    let moved = float (cluster.BytesMoved - before)
                    Expect.withinPercent $"{name} on {workers}" 12.0 moved predicted.Bytes

                let estimate (estimator: Estimator<'T>) () =
                    Estimate.runWith options estimator (StoppingRule.matvecs 24) (Key.OfSeed 2L) hessian |> ignore

                let blocks = ParameterLayout.blocks Digits.network.Layout
                let trace = Hutchinson.estimator Probe.rademacher Measurement.trace
                let layers = Hutchinson.estimator Probe.rademacher (Measurement.blockTraces blocks)
                let diagonal = Hutchinson.estimator Probe.rademacher Measurement.diagonal
                measure "a trace" (ClusterCost.trace 24 6 workers link work) (estimate trace)
                let predicted = ClusterCost.blockTraces blocks.Length (24, 6) workers link work
                measure "block traces" predicted (estimate layers)
                measure "a diagonal" (ClusterCost.drawnProducts 24 6 workers link work) (estimate diagonal)

                measure "products" (ClusterCost.products 5 1 workers link work) (fun () ->
                    for i in 1..5 do
                        hessian.Apply(Tensor.normal (Key.OfSeed(int64 i)) DType.Float64 [ theta.Size ]) |> ignore)
        }

        test "one machine gains nothing, and more never more than their number" {
            let work = ClusterCost.work 100_000 DType.Float32 4096 1.0

            for workers in [ 1; 2; 10; 100; 1000 ] do
                for cost in [ ClusterCost.trace 64 8 workers link work; ClusterCost.products 64 1 workers link work ] do
                    Expect.isTrue $"{workers}: {cost}" (cost.Speedup <= float workers + 1e-9)

            Expect.equal "one" 1.0 (ClusterCost.products 10 1 1 link work).Speedup
        }

        test "numbers that are no link and no work are refused" {
            Expect.error<ArgumentRangeException> [ "not a link" ] (fun () -> ClusterCost.link 0.0 1e9 |> ignore)

            Expect.error<ArgumentRangeException> [ "no work" ] (fun () ->
                ClusterCost.work 0 DType.Float32 1 1.0 |> ignore)

            let work = ClusterCost.work 10 DType.Float32 1 1.0

            Expect.error<ArgumentRangeException> [ "0 workers" ] (fun () ->
                ClusterCost.trace 10 1 0 link work |> ignore)
        }
    ]
