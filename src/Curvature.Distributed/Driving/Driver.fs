namespace Curvature

open System.Collections.Generic
open System.Diagnostics

/// A cluster whose workers agree with this process. Made by the functions of the module Driver.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Driver internal (shards: Shards, cluster: ICluster, options: ClusterOptions) =
    member internal _.Shards = shards
    member internal _.Cluster = cluster
    member internal _.Options = options
    /// The risks that were asked for.
    member val internal Risks = Dictionary<string, EmpiricalRisk>()

    override _.ToString() = $"driver of {cluster.Name}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Risks over the shards of a cluster.
[<RequireQualifiedAccess>]
module Driver =

    /// Makes sure that all workers give the bits that this process would give: the versions, the instruction sets, the
    /// runtimes, a trial computation, and the registered risks with their numbers of groups are the same. Raises
    /// ClusterException where they are not, saying what differs, and for no workers.
    let connectWith (options: ClusterOptions) (shards: Shards) (cluster: ICluster) : Driver =
        ArgumentNullException.ThrowIfNull(cluster, nameof cluster)
        Agreement.requireWorkers shards cluster
        Driver(shards, cluster, options)

    /// The same, where nobody is told of progress.
    let connect (shards: Shards) (cluster: ICluster) : Driver = connectWith ClusterOptions.Default shards cluster

    let private table name (driver: Driver) : GroupTable =
        let groups = driver.Shards.Groups name
        let question = ShardMessage.encode (ShardRequest.Describe name)
        let found = driver.Cluster.Sum([||], question, groups) |> Agreement.sums
        let rows = List.toArray found.Rows

        if rows |> Array.map _.Number <> [| 0 .. groups - 1 |] then
            ClusterFail.cluster $"{driver.Cluster.Name}: not every group of {name} was described exactly once"

        let samples = rows |> Array.sumBy _.Size
        if samples = 0 then Fail.data $"{name}: there are no batches in any group"

        {
            Name = name
            FirstBatches = rows |> Array.scan (fun number row -> number + int row.Values[0]) 0 |> Array.take groups
            Fingerprints = rows |> Array.map _.Text
            Samples = samples
        }

    /// A registered risk whose batches are with the workers. Hessians, Gauss–Newton and Fisher matrices, gradients,
    /// losses, and whatever is made of these give the bits of `Shards.local`, on any number of workers. A term without
    /// data is computed here. What asks for the batches themselves reads them here, as `Shards.local` would. All data
    /// are read once for their fingerprints, and whatever reads them again compares; the first group is read by every
    /// worker and here. Costs one round for each question.
    /// Raises ClusterException for a name that is not registered and for workers with other data, and DataException
    /// for no data.
    let risk (name: string) (driver: Driver) : EmpiricalRisk =
        lock driver.Risks (fun () ->
            match driver.Risks.TryGetValue name with
            | true, risk -> risk
            | _ ->
                Agreement.requireData name driver.Shards driver.Cluster
                let remote = RemoteRisk(table name driver, driver.Cluster, driver.Options)
                let local = Shards.local name driver.Shards
                let risk = EmpiricalRisk { local.Definition with Remote = ValueSome(remote :> RemoteBatches) }
                driver.Risks[name] <- risk
                risk)
