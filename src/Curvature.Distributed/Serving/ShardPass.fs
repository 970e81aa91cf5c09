namespace Curvature.FSharp

open System
open System.Security.Cryptography
open System.Text
open Curvature

/// Reading groups of batches, and summing over them: what a worker does.
module internal ShardPass =

    /// The groups of a risk.
    let groups (risk: RiskDefinition) : struct (int * (int -> Batch seq)) =
        match risk.Source with
        | InGroups(count, source) -> struct (count, source)
        | _ -> ClusterFail.cluster "a risk without groups cannot be served"

    let checkRange (count: int) (struct (low, high): GroupRange) =
        if low < 0 || high > count || low > high then
            ClusterFail.cluster $"groups {low} to {high - 1} were asked for, and there are {count}"

    let private device: Kernels.Device = Kernels.CpuDevice.Shared

    let private fingerprint (batches: Fingerprint seq) =
        let text = batches |> Seq.map (fun f -> $"{f.Size} {f.Hash}") |> String.concat "\n"
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes text))

    let private nothing groups : Partial =
        {
            Groups = groups
            Shapes = []
            Nodes = []
            Rows = []
            Samples = 0
            Warnings = []
        }

    /// A row for each group of a range: its samples, its number of batches, and its fingerprint.
    let describe (name: string) (risk: RiskDefinition) (range: GroupRange) : Partial =
        let struct (count, source) = groups risk
        checkRange count range
        let struct (low, high) = range

        let row group : PartialRow =
            let batches =
                RiskPass.ofGroups name device risk source (group, 1) 0 |> Seq.map Fingerprint.ofBatch |> Seq.toArray

            {
                Number = group
                Size = batches |> Array.sumBy _.Size
                Values = [| float batches.Length |]
                Text = fingerprint batches
            }

        { nothing count with Rows = [ for group in low .. high - 1 -> row group ] }

    /// The batches of groups of a point, each of which must be what it was.
    let private batches name (risk: RiskDefinition) (point: ShardPoint) (struct (low, high): GroupRange) =
        let struct (_, source) = groups risk

        seq {
            for group in low .. high - 1 do
                let seen = ResizeArray<Fingerprint>()

                for batch in RiskPass.ofGroups name device risk source (group, 1) point.FirstBatches[group] do
                    seen.Add(Fingerprint.ofBatch batch)
                    yield batch

                if fingerprint seen <> point.Fingerprints[group] then
                    Fail.data (
                        $"{name}: group {group} of {point.Risk} is not what it was when it was first read; every "
                        + "worker must read the same data, in the same order, at every pass"
                    )
        }

    /// The sum over one node of the tree.
    let private node (parts: RiskBatch -> Tensor list) (range: GroupRange) (batches: RiskBatch seq) =
        let struct (low, _) = range
        let trees = ResizeArray<TreeSum>()

        for batch in batches do
            parts batch
            |> List.iteri (fun i part ->
                if trees.Count = i then trees.Add(TreeSum())
                trees[i].Add(batch.Group - low, RiskPass.weighted batch part))

        let sums = [ for tree in trees -> tree.Total.Value ]

        struct ([ for sum in sums -> List.ofArray sum.Signature.Shape ],
                {
                    Range = range
                    Sum =
                        match sums with
                        | [ one ] -> one.ToArray()
                        | several -> several |> List.map _.ToArray() |> Array.concat
                })

    /// Sums over the nodes that a range of groups covers. `inspect` sees every batch first, and gives warnings with the
    /// number of the batch, and rows.
    let sums
        (name: string)
        (risk: RiskDefinition)
        (point: ShardPoint)
        (range: GroupRange)
        (inspect: RiskBatch -> (int * string) list)
        (parts: RiskBatch -> struct (Tensor list * PartialRow list))
        : Partial =
        let struct (count, _) = groups risk
        checkRange count range
        let warnings, rows = ResizeArray<int * string>(), ResizeArray<PartialRow>()
        let mutable samples = 0

        let counted (batch: RiskBatch) =
            warnings.AddRange(inspect batch)
            samples <- samples + batch.Size
            let struct (sums, ofBatch) = parts batch
            rows.AddRange ofBatch
            sums

        let nodes = [ for range in FixedTree.cover count range -> batches name risk point range |> node counted range ]

        {
            Groups = count
            Shapes =
                nodes
                |> List.tryPick (fun (struct (shapes, _)) -> if shapes.IsEmpty then None else Some shapes)
                |> Option.defaultValue []
            Nodes = nodes |> List.map (fun (struct (_, node)) -> node)
            Rows = List.ofSeq rows
            Samples = samples
            Warnings = List.ofSeq warnings
        }
