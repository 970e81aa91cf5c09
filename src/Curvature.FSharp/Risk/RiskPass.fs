namespace Curvature.FSharp

open System
open Curvature

/// A batch of a risk on the device of θ, or another of its parts: a function of θ alone, or the term without data.
[<NoEquality; NoComparison>]
type internal RiskBatch =
    {
        /// Its number within the pass, from 0.
        Number: int
        /// The number of its group in sums over batches.
        Group: int
        /// What messages add to the name of what reads it, such as ", batch 3".
        Suffix: string
        /// How many samples it has; 1 for a function of θ alone.
        Size: int
        /// Its weight in the sum over batches, before that is divided by the sum of the weights of a mean.
        Weight: float
        Data: RiskData
        /// Its loss as a function of θ.
        Loss: Tensor -> Tensor
        /// Whether it is the term without data.
        IsTerm: bool
    }

/// Reading the data of a risk: the only place that does.
module internal RiskPass =

    let private withoutData suffix isTerm loss : RiskBatch =
        {
            Number = 0
            Group = 0
            Suffix = suffix
            Size = 1
            Weight = 1.0
            Data = []
            Loss = loss
            IsTerm = isTerm
        }

    /// A risk without data, as a part like a batch.
    let ofFunction (risk: RiskDefinition) : RiskBatch = withoutData "" false (risk.Loss [])

    let private weight (risk: RiskDefinition) (batch: Batch) =
        match risk.Reduction with
        | Reduction.Sum -> 1.0
        | _ -> float batch.Size

    /// A batch on a device.
    let onDevice name (device: Kernels.Device) (risk: RiskDefinition) group number (batch: Batch) : RiskBatch =
        if isNull (box batch) then Fail.data $"{name}: batch {number} is null"

        let batch = batch.On device
        let data = [ batch.Inputs; batch.Targets ]

        {
            Number = number
            Group = group
            Suffix = $", batch {number}"
            Size = batch.Size
            Weight = weight risk batch
            Data = data
            Loss = risk.Loss data
            IsTerm = false
        }

    /// The batches of groups from `first` on, whose first batch has a number, each read when it is asked for.
    let ofGroups name device (risk: RiskDefinition) (source: int -> Batch seq) (first, count) number : RiskBatch seq =
        seq {
            let mutable number = number

            for group in first .. first + count - 1 do
                for batch in source group do
                    yield onDevice name device risk group number batch
                    number <- number + 1
        }

    /// The batches of a pass, each read when it is asked for. Raises DataException for one that is null.
    let read name device (pass: int) (risk: RiskDefinition) : RiskBatch seq =
        match risk.Source with
        | NoData -> Seq.singleton (ofFunction risk)
        | EachPass source ->
            source pass |> Seq.mapi (fun number -> onDevice name device risk (number / TreeSum.GroupSize) number)
        | InGroups(groups, source) -> ofGroups name device risk source (0, groups) 0

    /// The batches of a pass, of which there must be one at least: raises DataException for none.
    let batches name device (pass: int) (risk: RiskDefinition) : RiskBatch seq =
        seq {
            let mutable count = 0

            for batch in read name device pass risk do
                yield batch
                count <- count + 1

            if count = 0 then Fail.data $"{name}: there are no batches in pass {pass}"
        }

    /// The term without data, as a part like a batch.
    let term (risk: RiskDefinition) : RiskBatch voption =
        risk.Term |> ValueOption.map (withoutData ", the term without data" true)

    /// What sums over batches are divided by, for batches with so many samples in all.
    let divisor (risk: RiskDefinition) (samples: int) =
        match risk.Source, risk.Reduction with
        | NoData, _ -> 1.0
        | _, Reduction.Mean -> float samples
        | _ -> 1.0

    /// A part of a sum over batches, in Float64, which keeps the digits of many batches.
    let weighted (batch: RiskBatch) (part: Tensor) : Tensor =
        let part = Tensor.convert DType.Float64 part
        if batch.Weight = 1.0 then part else batch.Weight * part

    /// The sums Σ weight·part of several parts of each batch, along the tree, undivided.
    let sums (parts: RiskBatch -> Tensor list) (batches: RiskBatch seq) : Tensor list =
        let trees = ResizeArray<TreeSum>()

        for batch in batches do
            parts batch
            |> List.iteri (fun i part ->
                if trees.Count = i then trees.Add(TreeSum())
                trees[i].Add(batch.Group, weighted batch part))

        [ for tree in trees -> tree.Total.Value ]

    /// The means or sums Σ weight·part over the batches of one pass of several parts of each, and those of the term
    /// without data, in Float64.
    let totals name device (risk: RiskDefinition) (parts: RiskBatch -> Tensor list) : Tensor list =
        let mutable samples = 0

        let counted (batch: RiskBatch) =
            samples <- samples + batch.Size
            parts batch

        let ofData = batches name device 0 risk |> sums counted |> List.map (fun sum -> sum / divisor risk samples)

        match term risk with
        | ValueSome term -> List.map2 (fun total ofTerm -> total + weighted term ofTerm) ofData (parts term)
        | ValueNone -> ofData

    /// The same, where a question says to others what the parts are: it is put to whoever answers for the batches.
    let totalsAsked name (theta: Tensor) (risk: RiskDefinition) question (parts: RiskBatch -> Tensor list) =
        match risk.Remote with
        | ValueNone -> totals name theta.Device risk parts
        | ValueSome remote ->
            let found = remote.Ask(name, theta, question)
            let ofData = found.Sums |> List.map (fun sum -> sum / divisor risk found.Samples)

            match term risk with
            | ValueSome term -> List.map2 (fun total ofTerm -> total + weighted term ofTerm) ofData (parts term)
            | ValueNone -> ofData

    /// How many tensors the data of a batch are.
    let private tensors (risk: RiskDefinition) =
        match risk.Source with
        | NoData -> 0
        | EachPass _
        | InGroups _ -> 2

    /// Maps of vectors for one batch after the other at θ: plans are made once for each size of a batch. The function
    /// is given θ, the tensors of a batch, and what else it needs.
    let maps (risk: RiskDefinition) (make: Tensor -> RiskData -> Tensor list -> Tensor list * (Tensor -> Tensor)) =
        let family =
            Compile.familyOf (fun points ->
                let data, extras = List.ofArray points[1..] |> List.splitAt (tensors risk)
                make points[0] data extras)

        fun (theta: Tensor) (batch: RiskBatch) (extras: Tensor list) ->
            family [| theta; yield! batch.Data; yield! extras |> List.map (Tensor.toDevice theta.Device) |]
