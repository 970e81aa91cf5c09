namespace Curvature.Tests.Unit

open Curvature
open Curvature.FSharp

/// Regressions whose posteriors are known, in Float64.
module SmallModels =

    /// y = Xw + noise, with inputs [N; n].
    let inputs (seed: int64) samples parameters = Tensor.normal (Key.OfSeed seed) DType.Float64 [ samples; parameters ]

    let linear (inputs: Tensor) (theta: Tensor) : Tensor = Tensor.matmul inputs theta

    /// Minimises a risk by Newton's method.
    let newton (risk: EmpiricalRisk) (start: Tensor) : Tensor =
        let family = Hessian.family risk

        let step (theta: Tensor) =
            let point = family theta
            use hessian = point.Hessian
            theta - Tensor.solve (LinearOperator.dense hessian) point.Gradient

        Seq.fold (fun theta _ -> step theta) start (seq { 1..12 })

    /// A logistic regression of 40 samples on 3 inputs: the risk is the sum of cross-entropies.
    let logisticInputs = inputs 51L 40 3

    let logisticTargets =
        let truth = Tensor.ofArray [ 3 ] [| 1.0; -0.5; 0.25 |]
        let p = Tensor.sigmoid (linear logisticInputs truth)
        Tensor.greater p (Tensor.uniform (Key.OfSeed 52L) DType.Float64 [ 40 ])

    let logistic reduction size : EmpiricalRisk =
        Batches.split size logisticInputs logisticTargets
        |> Risk.ofModel reduction linear (Likelihood.loss Likelihood.bernoulli reduction)

    // ---- classes

    /// A network for three classes of points in a plane.
    let network = Network.mlp Layer.tanh [ 2; 4; 3 ]

    let networkInputs samples = inputs 43L samples 2
    let labels samples = Tensor.ofIndices [ samples ] (Array.init samples (fun row -> row % 3))
    let networkTheta = Network.initialize (Key.OfSeed 44L) DType.Float64 network

    /// The mean cross-entropy of the network's classes of such points.
    let classes (inputs: Tensor) size : EmpiricalRisk =
        Batches.split size inputs (labels inputs.Shape[0])
        |> Risk.ofModel
            Reduction.Mean
            (fun inputs theta -> Network.forward network theta inputs)
            (Loss.softmaxCrossEntropy Reduction.Mean)

    /// The mode for a prior precision.
    let logisticMode (precision: float) : Tensor =
        logistic Reduction.Sum 40
        |> Risk.withTerm (fun theta -> 0.5 * precision * Tensor.dot theta theta)
        |> fun risk -> newton risk (Tensor.zeros DType.Float64 [ 3 ])
