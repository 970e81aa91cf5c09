namespace Curvature.FSharp

open Curvature

/// Making risks: a loss, the data it is over, and how it is reduced.
[<RequireQualifiedAccess>]
module Risk =

    let private checkReduction name (reduction: Reduction) =
        if reduction <> Reduction.Mean && reduction <> Reduction.Sum then
            Fail.range $"{name}: the reduction is Mean or Sum, and this one is {int reduction}"

    let private batchOf (data: RiskData) =
        match data with
        | [ inputs; targets ] -> Batch(inputs, targets)
        | _ -> invalidOp "a risk over batches is given inputs and targets"

    let private define loss : RiskDefinition =
        {
            Source = NoData
            Reduction = Reduction.Sum
            Loss = loss
            Model = ValueNone
            Criterion = ValueNone
            Term = ValueNone
            Remote = ValueNone
        }

    // ---- without data

    /// A scalar function of θ.
    let ofFunction (loss: Tensor -> Tensor) : EmpiricalRisk = EmpiricalRisk(define (fun _ -> loss))

    /// A scalar criterion of the outputs of a model, without data: θ ↦ criterion (model θ). Gauss–Newton and Fisher
    /// matrices need the two apart.
    let ofOutputs (model: Tensor -> Tensor) (criterion: Tensor -> Tensor) : EmpiricalRisk =
        EmpiricalRisk
            { define (fun _ -> model >> criterion) with
                Model = ValueSome(fun _ -> model)
                Criterion = ValueSome(fun _ -> criterion)
            }

    // ---- over batches

    /// A loss over batches: for one of them it is the mean over its samples (Reduction.Mean: batches then count by
    /// their size) or the sum (Reduction.Sum). The loss may depend on the batch that it is given alone. Batches are
    /// read one after the other, and read anew by whatever needs another pass; a source that gives other data at a
    /// later pass is refused there. Sums are in Float64, along a tree that depends on the number of batches alone.
    /// Raises ArgumentRangeException for a reduction that is neither Mean nor Sum.
    let ofBatches (reduction: Reduction) (loss: Batch -> Tensor -> Tensor) (batches: Batch seq) : EmpiricalRisk =
        checkReduction "Risk.ofBatches" reduction
        System.ArgumentNullException.ThrowIfNull(batches, nameof batches)

        EmpiricalRisk
            { define (batchOf >> loss) with
                Source = EachPass(fun _ -> batches)
                Reduction = reduction
            }

    /// A risk over batches whose model inputs ↦ θ ↦ outputs and criterion targets ↦ outputs ↦ scalar are known apart,
    /// as Gauss–Newton and Fisher matrices need them. The criterion is the mean over a batch (Reduction.Mean) or the
    /// sum. Otherwise as `ofBatches`.
    let ofModel
        (reduction: Reduction)
        (model: Tensor -> Tensor -> Tensor)
        (criterion: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        : EmpiricalRisk =
        checkReduction "Risk.ofModel" reduction
        System.ArgumentNullException.ThrowIfNull(batches, nameof batches)
        let model (data: RiskData) = model data.Head
        let criterion (data: RiskData) = criterion data[1]

        EmpiricalRisk
            {
                Source = EachPass(fun _ -> batches)
                Reduction = reduction
                Loss = fun data -> model data >> criterion data
                Model = ValueSome model
                Criterion = ValueSome criterion
                Term = ValueNone
                Remote = ValueNone
            }

    // ---- of other risks

    /// The same loss over `groups` groups of batches, each of which is read by its number from 0 when it is needed.
    /// Sums over batches run along the tree over these groups, so that any of them can be summed elsewhere. A group
    /// may be empty. Groups of eight batches, of which the last may have fewer, give the bits of the same batches
    /// without groups. Raises DataException for a risk without data, and ArgumentRangeException for no groups.
    let withGroups (groups: int) (batchesOf: int -> Batch seq) (risk: EmpiricalRisk) : EmpiricalRisk =
        if not risk.HasData then
            Fail.data "Risk.withGroups: the risk is a function of θ alone, which has no batches"

        if groups < 1 then
            Fail.range $"Risk.withGroups: one group at least is needed, and the number is {groups}"

        EmpiricalRisk
            { risk.Definition with
                Source = InGroups(groups, batchesOf)
                Remote = ValueNone
            }

    /// The same loss over the batches that each pass, numbered from 0, takes from a source. So training can take
    /// another order at every pass (`Batches.shuffledEachPass`). Whatever needs the same data at every pass takes
    /// pass 0. Raises DataException for a risk without data.
    let withPasses (batches: int -> Batch seq) (risk: EmpiricalRisk) : EmpiricalRisk =
        if not risk.HasData then
            Fail.data "Risk.withPasses: the risk is a function of θ alone, which has no batches"

        EmpiricalRisk { risk.Definition with Source = EachPass batches; Remote = ValueNone }

    /// The same risk and a scalar function of θ, such as weight decay or the negative logarithm of a prior, which is
    /// added once, whatever the data and the reduction. Terms add up.
    let withTerm (term: Tensor -> Tensor) (risk: EmpiricalRisk) : EmpiricalRisk =
        let d = risk.Definition

        let both =
            match d.Term with
            | ValueSome other -> fun theta -> other theta + term theta
            | ValueNone -> term

        EmpiricalRisk { d with Term = ValueSome both }

    /// The risk of φ ↦ θ(φ): other parameters of the same loss.
    let compose (parameters: Tensor -> Tensor) (risk: EmpiricalRisk) : EmpiricalRisk =
        let d = risk.Definition
        let inner (f: RiskData -> Tensor -> Tensor) data = parameters >> f data

        EmpiricalRisk
            { d with
                Loss = inner d.Loss
                Model = d.Model |> ValueOption.map inner
                Term = d.Term |> ValueOption.map (fun term -> parameters >> term)
                Remote = ValueNone
            }

    /// The risk as a function of some of the tensors of θ by name, in the order of the layout, with the others held
    /// at their values in a point θ. Its points have the layout `ParameterLayout.restrict names layout`, and its
    /// products cost only those tensors.
    /// Raises ParameterException for a name that is not in the layout, or no name, and ShapeException for a θ that
    /// does not fit it.
    let restrictTo (names: string seq) (layout: ParameterLayout) (theta: Tensor) (risk: EmpiricalRisk) : EmpiricalRisk =
        let chosen = layout.Restrict names
        let frozen = layout.Pieces theta

        let embed (phi: Tensor) =
            let free = chosen.Pieces phi

            [
                for tensor in layout.Tensors ->
                    match free.TryGetValue tensor.Name with
                    | true, piece -> Tensor.flatten piece
                    | _ -> Tensor.flatten frozen[tensor.Name]
            ]
            |> Tensor.concat 0

        compose embed risk

    // ---- numbers

    /// The value at θ, in Float64 over batches: one pass. Raises DataException for no batches, and NonFiniteException
    /// for a value that is NaN or infinite.
    let value (risk: EmpiricalRisk) (theta: Tensor) : float =
        let name = "Risk.value"

        let loss (batch: RiskBatch) =
            let loss = batch.Loss theta
            Finite.check $"{name}{batch.Suffix}: the loss" loss
            [ loss ]

        (RiskPass.totalsAsked name theta risk.Definition RiskQuestion.Loss loss).Head.ToScalar()

    /// How many batches make a group: the groups of a sum over batches are added in pairs, then pairs of pairs, and
    /// so on.
    let groupSize = TreeSum.GroupSize

    /// Σ weight·part over the batches of one group, in Float64: the batches number group·groupSize and on. The weight
    /// of a batch is the number of its samples for a mean, and 1 for a sum. Adding these along the tree over groups,
    /// and dividing by the number of all samples for a mean, gives the bits that a pass over all batches gives.
    /// Raises DataException for a group without batches, and ArgumentRangeException for a negative number.
    let partialSum (group: int) (part: Batch -> Tensor) (device: Kernels.Device) (risk: EmpiricalRisk) : Tensor =
        if group < 0 then
            Fail.range $"Risk.partialSum: groups are numbered from 0, and this one is {group}"

        if not risk.HasData then
            Fail.data "Risk.partialSum: the risk is a function of θ alone, which has no batches"

        let batches =
            RiskPass.batches "Risk.partialSum" device 0 risk.Definition
            |> Seq.filter (fun batch -> batch.Group >= group)
            |> Seq.takeWhile (fun batch -> batch.Group = group)

        match batches |> RiskPass.sums (fun batch -> [ part (batchOf batch.Data) ]) with
        | [ sum ] -> sum
        | _ -> Fail.data $"Risk.partialSum: there is no group {group} of batches"
