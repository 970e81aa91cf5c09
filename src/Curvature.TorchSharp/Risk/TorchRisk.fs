namespace Curvature.TorchSharp

open System
open System.Diagnostics
open global.TorchSharp
open Curvature
open Curvature.FSharp

/// The loss of a TorchSharp model as a function of its parameters: one that a call gives, or the mean or the sum over
/// batches of a sequence or a DataLoader. It is the counterpart of `EmpiricalRisk`. Nothing is read or computed before
/// somebody asks for a number, and then one graph is in memory at a time.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TorchRisk internal (definition: TorchRiskDefinition) =
    member internal _.Definition = definition

    static member private Check(name: string, reduction: Reduction) =
        if reduction <> Reduction.Mean && reduction <> Reduction.Sum then
            Fail.range $"{name}: the reduction is Mean or Sum, and this one is {int reduction}"

    static member private Define(parameters, reduction, parts) : TorchRiskDefinition =
        {
            Set = ParameterSet.Of("TorchRisk", parameters)
            Reduction = reduction
            HasBatches = true
            HasModel = false
            Parts = parts
            IsStrict = false
            Buffers = Buffers.None
        }

    static member private Single(loss, outputs, criterion) : TorchPart seq =
        Seq.singleton { Size = 1; Suffix = ""; Loss = loss; Outputs = outputs; Criterion = criterion }

    /// The loss that a call gives, one number. Parameters on which it does not depend have zero derivatives; see
    /// `strict`.
    static member ofLoss
        (loss: unit -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchRisk =
        let parts () = TorchRisk.Single(loss, ValueNone, ValueNone)
        TorchRisk { TorchRisk.Define(parameters, Reduction.Sum, parts) with HasBatches = false }

    /// A criterion of the outputs that a call of a model gives, as Gauss–Newton and Fisher matrices need the two.
    static member ofOutputs
        (model: unit -> torch.Tensor)
        (criterion: torch.Tensor -> torch.Tensor)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchRisk =
        let parts () = TorchRisk.Single((model >> criterion), ValueSome model, ValueSome criterion)

        TorchRisk
            { TorchRisk.Define(parameters, Reduction.Sum, parts) with
                HasBatches = false
                HasModel = true
            }

    /// A loss over batches of given sizes: for one of them it is the mean over its samples (Reduction.Mean: batches
    /// then count by their size) or the sum (Reduction.Sum). Batches are read one after the other, and anew by every
    /// block of vectors; tensors that are made while a batch is read or evaluated are disposed of after it. A source
    /// that gives other data at a later pass is refused there. Sums are in Float64, along a tree that depends on the
    /// number of batches alone. Random numbers that the loss draws, for dropout say, are the same at every pass.
    /// Raises ArgumentRangeException for a reduction that is neither Mean nor Sum.
    static member ofSizedBatches
        (reduction: Reduction)
        (size: 'B -> int)
        (loss: 'B -> torch.Tensor)
        (batches: 'B seq)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchRisk =
        TorchRisk.Check("TorchRisk.ofBatches", reduction)
        ArgumentNullException.ThrowIfNull(batches, nameof batches)

        let part i batch =
            {
                Size = size batch
                Suffix = $", batch {i}"
                Loss = fun () -> loss batch
                Outputs = ValueNone
                Criterion = ValueNone
            }

        TorchRisk(TorchRisk.Define(parameters, reduction, (fun () -> Seq.mapi part batches)))

    /// A loss over batches, which are tensors, tuples, lists or dictionaries of tensors with a leading axis of samples;
    /// see `ofSizedBatches`.
    static member ofBatches
        (reduction: Reduction)
        (loss: 'B -> torch.Tensor)
        (batches: 'B seq)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchRisk =
        TorchRisk.ofSizedBatches reduction TorchBatch.size loss batches parameters

    /// A risk over batches whose model and criterion are known apart, as Gauss–Newton and Fisher matrices need it. The
    /// criterion is the mean over a batch (Reduction.Mean) or the sum. Otherwise as `ofBatches`.
    static member ofModel
        (reduction: Reduction)
        (model: 'B -> torch.Tensor)
        (criterion: 'B -> torch.Tensor -> torch.Tensor)
        (batches: 'B seq)
        (parameters: seq<struct (string * Modules.Parameter)>)
        : TorchRisk =
        TorchRisk.Check("TorchRisk.ofModel", reduction)
        ArgumentNullException.ThrowIfNull(batches, nameof batches)

        let part i batch =
            {
                Size = TorchBatch.size batch
                Suffix = $", batch {i}"
                Loss = fun () -> criterion batch (model batch)
                Outputs = ValueSome(fun () -> model batch)
                Criterion = ValueSome(criterion batch)
            }

        TorchRisk
            { TorchRisk.Define(parameters, reduction, (fun () -> Seq.mapi part batches)) with
                HasModel = true
            }

    /// The same risk, where parameters on which the loss does not depend are an error and not zero.
    static member strict(risk: TorchRisk) : TorchRisk = TorchRisk { risk.Definition with IsStrict = true }

    /// The same risk, where the buffers of a module are afterwards what they were: batch normalisation in training
    /// moves its running statistics at every evaluation.
    static member keepingBuffers (m: torch.nn.Module) (risk: TorchRisk) : TorchRisk =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchRisk { risk.Definition with Buffers = Buffers.Of m }

    // ---- the same for C#

    /// The loss that a call gives, one number; see `ofLoss`.
    static member OfLoss(loss: Func<torch.Tensor>, parameters: seq<struct (string * Modules.Parameter)>) : TorchRisk =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        TorchRisk.ofLoss loss.Invoke parameters

    /// The loss that a call gives, as a function of the parameters of a module, whose buffers are kept.
    static member OfLoss(loss: Func<torch.Tensor>, m: torch.nn.Module) : TorchRisk =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchRisk.OfLoss(loss, m.named_parameters ()) |> TorchRisk.keepingBuffers m

    /// A criterion of the outputs that a call of a model gives; see `ofOutputs`.
    static member OfOutputs
        (
            model: Func<torch.Tensor>,
            criterion: Func<torch.Tensor, torch.Tensor>,
            parameters: seq<struct (string * Modules.Parameter)>
        ) : TorchRisk =
        ArgumentNullException.ThrowIfNull(model, nameof model)
        ArgumentNullException.ThrowIfNull(criterion, nameof criterion)
        TorchRisk.ofOutputs model.Invoke criterion.Invoke parameters

    /// A criterion of the outputs that a call gives, as a function of the parameters of a module. Its buffers are kept.
    static member OfOutputs
        (model: Func<torch.Tensor>, criterion: Func<torch.Tensor, torch.Tensor>, m: torch.nn.Module)
        : TorchRisk =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchRisk.OfOutputs(model, criterion, m.named_parameters ()) |> TorchRisk.keepingBuffers m

    /// A loss over batches; see `ofBatches`.
    static member OfBatches
        (
            reduction: Reduction,
            loss: Func<'B, torch.Tensor>,
            batches: 'B seq,
            parameters: seq<struct (string * Modules.Parameter)>
        ) : TorchRisk =
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        TorchRisk.ofBatches reduction loss.Invoke batches parameters

    /// A loss over batches, as a function of the parameters of a module, whose buffers are kept; see `ofBatches`.
    static member OfBatches
        (reduction: Reduction, loss: Func<'B, torch.Tensor>, batches: 'B seq, m: torch.nn.Module)
        : TorchRisk =
        ArgumentNullException.ThrowIfNull(m, nameof m)
        TorchRisk.OfBatches(reduction, loss, batches, m.named_parameters ()) |> TorchRisk.keepingBuffers m

    /// A loss over batches of given sizes; see `ofSizedBatches`.
    static member OfBatches
        (
            reduction: Reduction,
            size: Func<'B, int>,
            loss: Func<'B, torch.Tensor>,
            batches: 'B seq,
            parameters: seq<struct (string * Modules.Parameter)>
        ) : TorchRisk =
        ArgumentNullException.ThrowIfNull(size, nameof size)
        ArgumentNullException.ThrowIfNull(loss, nameof loss)
        TorchRisk.ofSizedBatches reduction size.Invoke loss.Invoke batches parameters

    /// A model and a criterion over batches, as a function of the parameters of a module, whose buffers are kept; see
    /// `ofModel`.
    static member OfModel
        (
            reduction: Reduction,
            model: Func<'B, torch.Tensor>,
            criterion: Func<'B, torch.Tensor, torch.Tensor>,
            batches: 'B seq,
            m: torch.nn.Module
        ) : TorchRisk =
        ArgumentNullException.ThrowIfNull(model, nameof model)
        ArgumentNullException.ThrowIfNull(criterion, nameof criterion)
        ArgumentNullException.ThrowIfNull(m, nameof m)
        let criterion batch outputs = criterion.Invoke(batch, outputs)

        TorchRisk.ofModel reduction model.Invoke criterion batches (m.named_parameters ())
        |> TorchRisk.keepingBuffers m

    /// The same risk, where parameters on which the loss does not depend are an error; see `strict`.
    member risk.Strict() : TorchRisk = TorchRisk.strict risk

    /// The risk as one of the library's, for landscapes, pruning curves and whatever else takes an `EmpiricalRisk`. Its
    /// data stay in torch: it is a function of θ alone. It gives the module the values of θ while it is evaluated, and
    /// puts the old ones back. Values cost a pass without a graph for each θ, gradients and products with the Hessian
    /// one with; third derivatives raise DifferentiationException.
    static member toEmpiricalRisk(risk: TorchRisk) : EmpiricalRisk = RiskOracle.empirical risk.Definition

    /// The risk as one of the library's; see `toEmpiricalRisk`.
    member risk.ToEmpiricalRisk() : EmpiricalRisk = TorchRisk.toEmpiricalRisk risk

    /// The names, shapes and places of the parameters, by PyTorch's names.
    member _.Layout = definition.Set.Layout

    /// The values of the parameters now, θ of shape [n].
    member _.Theta: Tensor = TorchState.exclusively "TorchRisk" definition.Set.Values

    /// Whether the loss is over batches; otherwise it is what one call gives.
    member _.HasBatches = definition.HasBatches

    /// Whether model and criterion are known apart, as Gauss–Newton and Fisher matrices need it.
    member _.HasModel = definition.HasModel

    /// How the losses of samples become one number.
    member _.Reduction = definition.Reduction

    override _.ToString() =
        let data =
            if definition.HasBatches then
                $"the {string(definition.Reduction).ToLowerInvariant()} over batches of "
            else
                ""

        let what = if definition.HasModel then "a criterion of a model's outputs" else "a loss"
        $"{data}{what} in torch, of {definition.Set.Layout.Size} parameters"

    member internal this.Text = this.ToString()
