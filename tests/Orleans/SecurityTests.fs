/// Strangers at the port.
module Curvature.Tests.Orleans.SecurityTests

open System
open System.Globalization
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The ports of the workers of a local cluster.
let private ports (cluster: OrleansCluster) =
    [
        for pid in cluster.ProcessIds do
            for address in Processes.listening pid do
                Int32.Parse(address.Split(':')[1], NumberStyles.HexNumber)
    ]

/// Sends bytes to a port, and reads until the other side closes or is silent for long.
let private send (port: int) (bytes: byte[]) =
    use client = new TcpClient()
    client.Connect(IPAddress.Loopback, port)
    let stream = client.GetStream()
    stream.ReadTimeout <- 60000

    try
        stream.Write bytes
        let buffer = Array.zeroCreate 4096
        let mutable read = 1

        while read > 0 do
            read <- stream.Read(buffer, 0, buffer.Length)
    with :? IOException ->
        ()

let private fails word (start: unit -> OrleansCluster) =
    Expect.error<ClusterException> [ word ] (fun () -> start().Dispose())

[<Tests>]
let tests =
    testList "Orleans.SecurityTests" [
        test "garbage at the port of a worker is refused and logged, and the run goes on" {
            Processes.requireQuiet ()
            let cluster, log = Clusters.start 2
            use cluster = cluster
            let risk = Clusters.connect cluster |> Driver.risk "slow"
            let run = Task.Run(fun () -> Workload.longTrace RunOptions.Default risk)
            let random = Random 1

            let garbage =
                [
                    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"B
                    Array.init 100000 (fun _ -> byte (random.Next 256))
                    Array.append "CURVSILO"B (Array.create 64 0uy)
                    // A frame of Orleans that announces 2 GiB.
                    [| 255uy; 255uy; 255uy; 127uy; 255uy; 255uy; 255uy; 127uy; 0uy; 0uy; 0uy; 0uy |]
                ]

            for port in ports cluster do
                for bytes in garbage do
                    send port bytes

            Expect.equal "the bits" Clusters.expectedLongTrace.Value run.Result
            let refusals = log.Lines |> Array.filter _.Contains("refused a connection from")
            Expect.isGreaterThanOrEqual log.Text (refusals.Length, 2 * garbage.Length)
            Expect.isTrue log.Text (log.Has "it does not know the secret of this cluster")
            Expect.isTrue log.Text (log.Has "is not the beginning of a connection between silos")
        }

        test "a message over the limit is refused with words" {
            Processes.requireQuiet ()
            let log = Clusters.Log()
            use cluster = OrleansCluster.Local(1, (Clusters.options log).WithLargestMessage(1 <<< 16))
            let driver = Clusters.connect cluster
            // The trace moves keys; the product moves vectors of 1 MB.
            let risk = Driver.risk "wide" driver

            Expect.error<ClusterException> [ "WithLargestMessage" ] (fun () ->
                use hessian = Hessian.ofRisk risk (Tensor.zeros DType.Float32 [ Workload.wide ])
                hessian.Apply(Tensor.ones DType.Float32 [ Workload.wide ]) |> ignore)
        }

        test "beyond loopback nothing starts without a secret and TLS" {
            let beyond = OrleansOptions.Default.WithEndpoint(IPAddress.Parse "192.0.2.1", 5000).WithClustering ignore
            fails "WithSecret and WithTls" (fun () -> OrleansCluster.Connect beyond)
            let secret = beyond.WithSecret "0123456789abcdef"
            fails "WithSecret and WithTls" (fun () -> OrleansCluster.Connect secret)
        }

        test "options refuse what they cannot mean" {
            let options = OrleansOptions.Default
            let refused (f: unit -> OrleansOptions) = Expect.error<ArgumentRangeException> [] (f >> ignore)
            refused (fun () -> options.WithSecret "short")
            refused (fun () -> options.WithEndpoint(IPAddress.Any, 1))
            refused (fun () -> options.WithEndpoint(IPAddress.Loopback, 65536))
            refused (fun () -> options.WithLargestMessage 1)
            refused (fun () -> options.WithWorkers(0, TimeSpan.FromSeconds(1.0)))
            refused (fun () -> options.WithWorkers(1, TimeSpan.Zero))
            refused (fun () -> options.WithTakeover(0.5, TimeSpan.FromSeconds(1.0)))
            refused (fun () -> options.WithTakeover(nan, TimeSpan.FromSeconds(1.0)))
            refused (fun () -> options.WithSilenceTimeout(TimeSpan.FromSeconds(-1.0)))
            Expect.error<ArgumentRangeException> [] (fun () -> (OrleansCluster.Local 0).Dispose())
            fails "WithClustering" (fun () -> OrleansCluster.Connect options)
        }
    ]
