/// Clusters that find each other by Redis, with TLS, and across networks that break.
module Curvature.Tests.Orleans.MachineTests

open System
open System.Threading
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private secret = "a secret of the tests of this library"

let private place redis certificates : Machines.Place =
    {
        Address = "127.0.0.1"
        Redis = redis
        Cluster = $"test-{Guid.NewGuid():N}"
        Secret = secret
        Certificates = certificates
        Silence = 30.0
    }

/// A network namespace whose only way to this one can be cut: a pair of devices.
[<Sealed>]
type private Network() =
    let name = $"cv{Environment.ProcessId % 100000}"
    let outer, inner = $"{name}o", $"{name}i"
    let third = Environment.ProcessId % 250
    let address host = $"10.213.{third}.{host}"

    let ip (arguments: string) =
        if not (Processes.succeeds "ip" (List.ofArray (arguments.Split ' '))) then
            skiptest $"this machine does not let tests make network namespaces (ip {arguments})"

    do
        ip $"netns add {name}"
        ip $"link add {outer} type veth peer name {inner}"
        ip $"link set {inner} netns {name}"
        ip $"addr add {address 1}/24 dev {outer}"
        ip $"link set {outer} up"
        ip $"netns exec {name} ip addr add {address 2}/24 dev {inner}"
        ip $"netns exec {name} ip link set {inner} up"
        ip $"netns exec {name} ip link set lo up"

    member _.Here = address 1
    member _.There = address 2
    member _.Inside = [ "ip"; "netns"; "exec"; name ]
    /// From the other end, so that addresses here stay.
    member _.Cut() = ip $"netns exec {name} ip link set {inner} down"

    interface IDisposable with
        member _.Dispose() =
            Processes.succeeds "ip" [ "netns"; "del"; name ] |> ignore
            Processes.succeeds "ip" [ "link"; "del"; outer ] |> ignore

let private connect place least (timeout: float) (log: Clusters.Log) =
    OrleansCluster.Connect(
        (Machines.options place (fun line -> log.Write line)).WithWorkers(least, TimeSpan.FromSeconds(timeout))
    )

[<Tests>]
let tests =
    testList "Orleans.MachineTests" [
        test "workers found by Redis, over TLS, give the bits of one process; others are refused" {
            Processes.requireQuiet ()

            Machines.inFolder (fun folder ->
                Machines.writeCertificates folder

                Machines.withRedis "127.0.0.1" (fun redis ->
                    let place = place redis folder
                    use first = Machines.worker [] place
                    use second = Machines.worker [] place
                    let log = Clusters.Log()
                    use cluster = connect place 2 300.0 log
                    let risk = Clusters.connect cluster |> Driver.risk "slow"
                    let run = Task.Run(fun () -> Workload.longTrace RunOptions.Default risk)
                    use stranger = Machines.worker [] { place with Secret = secret + "!" }
                    use other = Machines.otherWorker place
                    Thread.Sleep 3000
                    second.Kill()
                    Expect.equal log.Text Clusters.expectedLongTrace.Value run.Result

                    Processes.eventually $"the stranger is refused: {stranger.Text}" 60.0 (fun () ->
                        [ first.Text; log.Text; stranger.Text ] |> List.exists _.Contains("secret"))

                    Processes.eventually $"the other is not used: {other.Text}" 60.0 (fun () ->
                        cluster.Workers |> ignore
                        log.Has "does not give the answers of the other workers")

                    Expect.equal $"only the first is left: {log.Text}" 1 cluster.Workers))
        }

        test "a silo whose certificate another authority signed is refused" {
            Processes.requireQuiet ()

            Machines.inFolder (fun folder ->
                Machines.inFolder (fun other ->
                    Machines.writeCertificates folder
                    Machines.writeCertificates other

                    Machines.withRedis "127.0.0.1" (fun redis ->
                        let place = place redis folder
                        use worker = Machines.worker [] place
                        worker.WaitFor("serves at", 300.0)

                        try
                            use cluster = connect { place with Certificates = other } 1 20.0 (Clusters.Log())
                            failtest $"it joined: {cluster}"
                        with :? ClusterException ->
                            ())))
        }

        test "a worker behind a network that breaks is replaced, and no sum is wrong" {
            Processes.requireQuiet ()
            use network = new Network()

            Machines.withRedis network.Here (fun redis ->
                let place = { place redis "-" with Address = network.Here; Silence = 15.0 }
                use near = Machines.worker [] place
                use far = Machines.worker network.Inside { place with Address = network.There }
                let log = Clusters.Log()
                use cluster = connect place 2 300.0 log
                let risk = Clusters.connect cluster |> Driver.risk "slow"
                let run = Task.Run(fun () -> Workload.longTrace RunOptions.Default risk)
                Thread.Sleep 1000
                network.Cut()
                Expect.equal $"{log.Text}\n{near.Text}" Clusters.expectedLongTrace.Value run.Result)
        }

        test "where the network to all workers breaks, the run ends with an error that says so" {
            Processes.requireQuiet ()
            use network = new Network()

            Machines.withRedis network.Here (fun redis ->
                let place = { place redis "-" with Address = network.Here; Silence = 15.0 }
                use far = Machines.worker network.Inside { place with Address = network.There }
                let log = Clusters.Log()
                use cluster = connect place 1 300.0 log
                let risk = Clusters.connect cluster |> Driver.risk "slow"

                let run =
                    Task.Run(fun () ->
                        try
                            Ok(Workload.longTrace RunOptions.Default risk)
                        with error ->
                            Error error)

                Thread.Sleep 1000
                network.Cut()

                match run.Result with
                | Error(:? ClusterException as error) ->
                    Expect.stringContains "what happened" "0 workers are there, and 1 are needed" error.Message
                | other -> failtest $"a ClusterException was expected, and there was {other}: {log.Text}")
        }
    ]
