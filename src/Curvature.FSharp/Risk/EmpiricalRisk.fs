namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// The tensors that a loss is over: inputs and targets of a batch, or none for a function of θ alone.
type internal RiskData = Tensor list

/// Where the data of a risk come from.
[<NoEquality; NoComparison>]
type internal RiskSource =
    /// The loss is a function of θ alone.
    | NoData
    /// The batches of a pass over the data, by the number of the pass.
    | EachPass of (int -> Batch seq)
    /// So many groups of batches, each read by its number: the groups of the sum over batches.
    | InGroups of int * (int -> Batch seq)

/// What a risk is made of. Models and criteria are kept apart where a Gauss–Newton or Fisher matrix needs them so.
[<NoEquality; NoComparison>]
type internal RiskDefinition =
    {
        Source: RiskSource
        /// How the losses of the samples of a batch become one number, and those of batches the whole.
        Reduction: Reduction
        /// The loss of one batch, a scalar function of θ.
        Loss: RiskData -> Tensor -> Tensor
        /// θ ↦ outputs.
        Model: (RiskData -> Tensor -> Tensor) voption
        /// Outputs ↦ scalar, the loss of one batch.
        Criterion: (RiskData -> Tensor -> Tensor) voption
        /// What is added once, whatever the data.
        Term: (Tensor -> Tensor) voption
        /// Who answers for the batches, where others do. It knows the data, the loss, the model and the criterion as
        /// they are here; whoever changes one of these takes it away.
        Remote: RemoteBatches voption
    }

/// What is minimised: L(θ) = term(θ) + the mean or the sum of ℓ(batch, θ) over batches. A plain function of θ is a
/// risk without data. A risk is a value: nothing is read or computed before somebody asks for a number, and then one
/// batch is in memory at a time. Made by the functions of the module Risk.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type EmpiricalRisk internal (definition: RiskDefinition) =
    member internal _.Definition = definition

    /// Whether the loss is over batches; otherwise it is a function of θ alone.
    member _.HasData =
        match definition.Source with
        | NoData -> false
        | EachPass _
        | InGroups _ -> true

    /// How the losses of samples become one number.
    member _.Reduction = definition.Reduction

    /// Whether model and criterion are known apart, as Gauss–Newton and Fisher matrices need it.
    member _.HasModel = definition.Model.IsSome

    /// Whether something is added that does not depend on the data.
    member _.HasTerm = definition.Term.IsSome

    override risk.ToString() =
        let data =
            if risk.HasData then
                $"the {string(definition.Reduction).ToLowerInvariant()} over batches of "
            else
                ""

        let what = if risk.HasModel then "a criterion of a model's outputs" else "a loss"
        let term = if risk.HasTerm then ", and a term without data" else ""
        $"{data}{what}{term}"

    member internal this.Text = this.ToString()
