namespace Curvature.TorchSharp

open Curvature

/// A batch, or the whole of a loss without batches, to be evaluated where the random state and the parameters are set.
[<NoEquality; NoComparison>]
type internal TorchPart =
    {
        Size: int
        /// What messages add to the name of what reads it, such as ", batch 3".
        Suffix: string
        Loss: unit -> TorchTensor | null
        /// The model's outputs, where there is a model.
        Outputs: (unit -> TorchTensor | null) voption
        /// The loss of outputs, where there is a model.
        Criterion: (TorchTensor -> TorchTensor | null) voption
    }

/// What a risk is made of.
[<NoEquality; NoComparison>]
type internal TorchRiskDefinition =
    {
        Set: ParameterSet
        Reduction: Reduction
        /// Whether the loss is over batches; otherwise there is one part.
        HasBatches: bool
        HasModel: bool
        /// A pass over the data.
        Parts: unit -> TorchPart seq
        IsStrict: bool
        Buffers: Buffers
    }
