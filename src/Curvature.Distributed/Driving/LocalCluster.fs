namespace Curvature.FSharp

open System
open System.Threading
open System.Threading.Tasks
open Curvature

/// Workers in this process, each with a server of its own and messages as bytes: for tests, and to try a program before
/// it goes to a cluster. It gains no time, as one worker uses all processors.
[<RequireQualifiedAccess>]
module LocalCluster =

    [<Sealed>]
    type private Engine(servers: ShardServer[]) =
        let mutable bytes = 0L

        let send (server: ShardServer) (message: byte[]) : byte[] =
            let answer = server.Answer(ReadOnlyMemory message)
            Interlocked.Add(&bytes, int64 message.Length + int64 answer.Length) |> ignore
            answer

        interface ICluster with
            member _.Name = $"{servers.Length} workers in this process"
            member _.Workers = servers.Length
            member _.BytesMoved = Interlocked.Read &bytes
            member _.Broadcast message = servers |> Array.map (fun server -> send server message)

            member _.Sum(point, question, groups) =
                let ask worker =
                    let struct (low, high) as range = FixedTree.range worker servers.Length groups

                    if low = high then
                        ValueNone
                    else
                        let message = ShardMessage.withRange range question
                        ValueSome(ShardAnswers.ask (send servers[worker]) point message)

                let answers = Array.init servers.Length (fun worker -> Task.Run(fun () -> ask worker))
                Task.WaitAll(answers |> Array.map (fun task -> task :> Task))

                answers |> Seq.choose (fun task -> ValueOption.toOption task.Result) |> Seq.reduce ShardAnswers.merge

            member _.Dispose() = ()

    /// So many workers of this process. Raises ArgumentRangeException for less than one.
    let start (workers: int) (shards: Shards) : ICluster =
        if workers < 1 then
            Fail.range $"LocalCluster: one worker at least is needed, and the number is {workers}"

        new Engine(Array.init workers (fun _ -> ShardServer shards))
