namespace Curvature.FSharp

open System
open System.Runtime.CompilerServices
open System.Security.Cryptography
open Curvature

/// What is known of a risk's groups.
[<NoEquality; NoComparison>]
type internal GroupTable = { Name: string; FirstBatches: int[]; Fingerprints: string[]; Samples: int }

/// The batches of a risk on the workers of a cluster.
[<Sealed>]
type internal RemoteRisk(table: GroupTable, cluster: ICluster, options: ClusterOptions) =
    let asking = obj ()
    let points = ConditionalWeakTable<Tensor, int64 * byte[]>()
    let mutable questions = 0L

    /// The message that sets a point, and its number: a hash of the rest.
    let point (theta: Tensor) =
        let withId id =
            ShardMessage.encode (
                ShardRequest.SetPoint
                    {
                        Id = id
                        Risk = table.Name
                        Theta = theta
                        FirstBatches = table.FirstBatches
                        Fingerprints = table.Fingerprints
                    }
            )

        let id = BitConverter.ToInt64(SHA256.HashData(withId 0L), 0)
        id, withId id

    let report () =
        questions <- questions + 1L

        match options.Progress with
        | null -> ()
        | progress ->
            ClusterProgress(cluster.Name, cluster.Workers, table.FirstBatches.Length, questions, cluster.BytesMoved)
            |> progress.Report

    interface RemoteBatches with
        member _.Ask(name, theta, question) =
            let id, setPoint = points.GetValue(theta, point)
            let message = ShardMessage.encode (ShardRequest.Ask(id, name, question))

            let sums = lock asking (fun () -> Agreement.ask cluster setPoint message table.FirstBatches.Length)

            report ()
            let onDevice (t: Tensor) = Tensor.toDevice theta.Device t

            {
                Sums = Partial.total sums |> List.map onDevice
                Samples = sums.Samples
                // Here, the first batch of two samples or more tells.
                Warnings =
                    sums.Warnings |> List.filter (fun (number, _) -> number = fst sums.Warnings.Head) |> List.map snd
                Rows = [ for row in sums.Rows -> row.Size, onDevice (Tensor.ofArray [ row.Values.Length ] row.Values) ]
            }
