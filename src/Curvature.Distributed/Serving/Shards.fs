namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// Risks by name, as every process of a cluster has them: functions and data cannot be sent, so that the same program
/// runs everywhere and registers the same. Made by the functions of the module Shards.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Shards internal (risks: Map<string, EmpiricalRisk>) =
    member internal _.Risks = risks

    /// The names of the risks, in order.
    member _.Names: IReadOnlyList<string> = [| for name in risks.Keys -> name |]

    member internal _.Find(name: string) : EmpiricalRisk =
        ArgumentNullException.ThrowIfNull(name, nameof name)

        match risks.TryFind name with
        | Some risk -> risk
        | None ->
            let there =
                if risks.IsEmpty then
                    "there is none"
                else
                    $"""there are {String.concat ", " risks.Keys}"""

            ClusterFail.cluster $"no risk named {name} is registered; {there}"

    /// The number of groups of a risk. Raises ClusterException for a name that is not registered.
    member shards.Groups(name: string) : int =
        match (shards.Find name).Definition.Source with
        | InGroups(groups, _) -> groups
        | _ -> 0

    override _.ToString() = $"""shards of {String.concat ", " risks.Keys}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Registering risks by name.
[<RequireQualifiedAccess>]
module Shards =

    /// No risk.
    let empty = Shards Map.empty

    /// A risk whose data are in groups (`Risk.withGroups`), under a name. Any risk will do: of a model, or with a term.
    /// Raises DataException for a risk whose data are not in groups, and ArgumentRangeException for a name that is
    /// empty or taken.
    let registerRisk (name: string) (risk: EmpiricalRisk) (shards: Shards) : Shards =
        ArgumentNullException.ThrowIfNull(name, nameof name)

        if name = "" then Fail.range "Shards.register: a name is needed"

        if shards.Risks.ContainsKey name then
            Fail.range $"Shards.register: there is a risk named {name} already"

        match risk.Definition.Source with
        | InGroups _ -> Shards(shards.Risks.Add(name, risk))
        | _ -> Fail.data $"Shards.register: the data of {name} are not in groups; Risk.withGroups puts them there"

    /// The mean of a loss over the samples of all batches, under a name. There are `groups` groups of batches, and
    /// `batchesOf` reads one by its number from 0, when a worker needs it: from files that all machines see, or by
    /// drawing from a key. The loss of a batch is the mean over its samples. For sums, models and terms see
    /// `registerRisk`. Raises ArgumentRangeException for no groups, or a name that is empty or taken.
    let register
        (name: string)
        (groups: int)
        (batchesOf: int -> Batch seq)
        (loss: Batch -> Tensor -> Tensor)
        (shards: Shards)
        : Shards =
        let risk = Risk.ofBatches Reduction.Mean loss Seq.empty |> Risk.withGroups groups batchesOf
        registerRisk name risk shards

    /// The risk of a name, over all of its groups, in this process: what a cluster's results equal to the bit. Raises
    /// ClusterException for a name that is not registered.
    let local (name: string) (shards: Shards) : EmpiricalRisk = shards.Find name
