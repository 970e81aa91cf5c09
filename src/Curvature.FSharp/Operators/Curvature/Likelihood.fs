namespace Curvature

/// What a model's outputs say about its targets: the distribution whose natural parameters they are. Rows of outputs
/// are samples.
[<RequireQualifiedAccess; NoComparison; StructuredFormatDisplay("{Text}")>]
type Likelihood =
    internal
    | Categorical
    | Bernoulli
    | Gaussian of variance: float

    override likelihood.ToString() =
        match likelihood with
        | Categorical -> "categorical"
        | Bernoulli -> "Bernoulli"
        | Gaussian variance -> $"Gaussian of variance {FSharp.Numbers.show variance}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// The distribution of targets, given a model's outputs.
[<RequireQualifiedAccess>]
module Likelihood =

    /// One class of several, with the outputs [batch; classes] as logits: softmax cross-entropy.
    let categorical = Likelihood.Categorical

    /// Independent yes-or-no targets, with the outputs [batch; …] as logits: binary cross-entropy, summed over a row.
    let bernoulli = Likelihood.Bernoulli

    /// Independent normal targets of the given variance around the outputs [batch; …]: squared error over twice the
    /// variance, summed over a row. Raises ArgumentRangeException for a variance that is not above 0.
    let gaussian (variance: float) : Likelihood =
        if not (variance > 0.0 && Double.IsFinite variance) then
            Fail.range $"Likelihood.gaussian: a variance above 0 is needed, and it is {variance}"

        Likelihood.Gaussian variance

    let internal rows (outputs: Tensor) =
        match outputs.Signature.Shape with
        | [||] -> Fail.shape "Fisher: a model's outputs need a leading axis of samples, and these are a scalar"
        | shape when outputs.Size = 0 -> Fail.shape $"Fisher: there are no outputs; their shape is {Shape.show shape}"
        | shape -> shape[0]

    /// −ln p(targets | outputs) with all of its constants, as a criterion of a model's outputs: the mean over samples,
    /// or their sum. Targets are those of `Loss.softmaxCrossEntropy`, `Loss.binaryCrossEntropy` and
    /// `Loss.meanSquaredError`, with the same errors. Raises ArgumentRangeException for a reduction that is neither.
    let loss (likelihood: Likelihood) (reduction: Reduction) (targets: Tensor) (outputs: Tensor) : Tensor =
        let samples = rows outputs

        let total =
            match likelihood with
            | Likelihood.Categorical -> Loss.softmaxCrossEntropy Reduction.Sum targets outputs
            | Likelihood.Bernoulli -> Loss.binaryCrossEntropy Reduction.Sum targets outputs
            | Likelihood.Gaussian variance ->
                let squares = Loss.meanSquaredError Reduction.Sum targets outputs
                squares / (2.0 * variance) + 0.5 * float outputs.Size * Math.Log(2.0 * Math.PI * variance)

        match reduction with
        | Reduction.Sum -> total
        | Reduction.Mean -> total / float samples
        | other -> Fail.range $"Likelihood.loss: the reduction is Mean or Sum, and this one is {int other}"

    /// The means of targets, given the outputs: probabilities for classes.
    let internal means (likelihood: Likelihood) (outputs: Tensor) : Tensor =
        match likelihood with
        | Likelihood.Categorical -> Tensor.softmax outputs
        | Likelihood.Bernoulli -> Tensor.sigmoid outputs
        | Likelihood.Gaussian _ -> outputs

    /// The mean over samples of the log-partition function: its second derivative is that of every loss of this
    /// likelihood, whatever the targets.
    let internal logPartition (likelihood: Likelihood) (outputs: Tensor) : Tensor =
        let total =
            match likelihood with
            | Likelihood.Categorical -> Tensor.sum (Tensor.logSumExp outputs)
            | Likelihood.Bernoulli -> Tensor.sum (Tensor.softplus outputs)
            | Likelihood.Gaussian variance -> Tensor.sum (Tensor.square outputs) / (2.0 * variance)

        total / float (rows outputs)

    /// The randomness of targets drawn from a likelihood, [draws; N; …] for outputs [N; …].
    let internal noise (likelihood: Likelihood) (draws: int) (key: Key) (outputs: Signature) : Tensor =
        let shape = draws :: List.ofArray outputs.Shape

        match likelihood with
        | Likelihood.Categorical ->
            // The place of the largest logit with Gumbel noise is distributed as the class (Gumbel 1954).
            -Tensor.log(-Tensor.log(1.0 - Tensor.uniform key DType.Float64 shape)) |> Tensor.convert outputs.DType
        | Likelihood.Bernoulli -> Tensor.uniform key outputs.DType shape
        | Likelihood.Gaussian _ -> Tensor.normal key outputs.DType shape

    /// The derivatives of each sample's loss by its outputs, for targets drawn from the likelihood itself with that
    /// noise, [draws; N; …].
    let internal drawnResiduals (likelihood: Likelihood) (noise: Tensor) (outputs: Tensor) : Tensor =
        match likelihood with
        | Likelihood.Categorical ->
            let chosen = Tensor.argMax (outputs + noise)
            Tensor.softmax outputs - Tensor.oneHot outputs.DType (Array.last outputs.Signature.Shape) chosen
        | Likelihood.Bernoulli ->
            let p = Tensor.sigmoid outputs
            p - Tensor.greater p noise
        | Likelihood.Gaussian variance -> noise / Math.Sqrt variance
