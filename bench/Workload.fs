namespace Curvature.Bench

open Curvature
open Curvature.FSharp

/// A network at a point, with data.
[<NoEquality; NoComparison>]
type NetworkWithData =
    {
        Theta: Tensor
        /// θ ↦ logits [samples; classes]
        Model: Tensor -> Tensor
        /// The class of each sample.
        Targets: Tensor
    }

/// A network with data, made when it is needed, whose loss the benchmark differentiates.
[<NoEquality; NoComparison>]
type Workload =
    {
        Name: string
        DType: DType
        /// Multiplications and additions of one forward pass.
        ForwardFlops: float
        Network: Lazy<NetworkWithData>
    }

    member workload.Theta = workload.Network.Value.Theta
    member workload.Model = workload.Network.Value.Model
    member workload.Targets = workload.Network.Value.Targets

    /// logits ↦ mean cross-entropy
    member workload.Criterion = Loss.softmaxCrossEntropy Reduction.Mean workload.Targets

    /// θ ↦ mean cross-entropy
    member workload.Loss = workload.Model >> workload.Criterion

    /// The element type as baselines write it.
    member workload.TypeName = workload.DType.ToString().ToLowerInvariant()
