/// The bits of results do not depend on the workers.
module Curvature.Tests.Orleans.AgreementTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Tests>]
let tests =
    testList "Orleans.AgreementTests" [
        for workers in 1..3 do
            test $"{workers} workers give the bits of one process" {
                Processes.requireQuiet ()
                let cluster, log = Clusters.start workers
                use cluster = cluster
                let driver = Clusters.connect cluster

                for name, dtype in [ "even", DType.Float64; "uneven", DType.Float32 ] do
                    let found = Workload.quantities dtype (Driver.risk name driver)
                    Expect.equal $"{name} on {workers} workers; {log.Text}" Clusters.expected[name].Value found

                if workers = 3 then
                    let bytes = Overhead.bytesOfBlocks 4 cluster
                    Expect.inRange "bytes for a block of probes and a worker" 1.0 1023.0 bytes

                    for pid in cluster.ProcessIds do
                        let addresses = Processes.listening pid
                        Expect.isNonEmpty "it listens" addresses

                        for address in addresses do
                            Expect.stringStarts "loopback alone" "0100007F:" address

                    Expect.error<ClusterException> [ "the disk is full" ] (fun () ->
                        let risk = Driver.risk "failing" driver
                        Hessian.ofRisk risk (Workload.theta DType.Float64) |> ignore)
            }
    ]
