namespace Curvature.FSharp

open Curvature

/// Losses: what to compare with, then the outputs of a network, so that `Loss.softmaxCrossEntropy Reduction.Mean
/// labels` is a function of outputs. All are twice differentiable in the outputs, L1 and Huber but for their kinks, and
/// stable for outputs of any size. Where a loss is the negative logarithm of a likelihood that `Fisher` knows, it says
/// so.
[<RequireQualifiedAccess>]
module Loss =

    let private reduce (reduction: Reduction) (losses: Tensor) : Tensor =
        if losses.Size = 0 then
            Fail.shape $"loss: there are no elements to take the loss of, in shape {Shape.show losses.Shape}"

        match reduction with
        | Reduction.Mean -> Tensor.mean losses
        | Reduction.Sum -> Tensor.sum losses
        | other -> Fail.range $"loss: the reduction is Mean or Sum, and this one is {int other}"

    let private checkSameShape name (targets: Tensor) (outputs: Tensor) =
        if targets.Shape <> outputs.Shape then
            Fail.shape $"{name}: targets have shape {Shape.show targets.Shape}, and outputs {Shape.show outputs.Shape}"

    let private checkSameType name (targets: Tensor) (outputs: Tensor) =
        if targets.DType <> outputs.DType then
            Fail.dtype $"{name}: targets are {targets.DType} and outputs {outputs.DType}; convert one of them"

    /// (y − t)² for each element; the mean is over all elements, as in torch.nn.MSELoss. Targets have the shape of
    /// the outputs. Its likelihood is `Likelihood.gaussian`.
    let meanSquaredError (reduction: Reduction) (targets: Tensor) (outputs: Tensor) : Tensor =
        checkSameShape "meanSquaredError" targets outputs
        checkSameType "meanSquaredError" targets outputs
        reduce reduction (Tensor.square (outputs - targets))

    /// |y − t| for each element, as torch.nn.L1Loss; the derivative at 0 is 0, and the second derivative is 0
    /// everywhere, so that Gauss–Newton matrices of it are 0. Targets have the shape of the outputs. `Fisher` knows no
    /// likelihood of it but the empirical kind.
    let l1 (reduction: Reduction) (targets: Tensor) (outputs: Tensor) : Tensor =
        checkSameShape "l1" targets outputs
        checkSameType "l1" targets outputs
        reduce reduction (Tensor.abs (outputs - targets))

    /// r²/2 for each residual r = y − t with |r| ≤ δ, and δ·(|r| − δ/2) beyond (Huber 1964), as torch.nn.HuberLoss,
    /// whose δ is 1 where nothing is said. The second derivative is 1 within δ and 0 beyond. Targets have the shape of
    /// the outputs. `Fisher` knows no likelihood of it but the empirical kind.
    /// Raises ArgumentRangeException unless δ is positive and finite.
    let huber (delta: float) (reduction: Reduction) (targets: Tensor) (outputs: Tensor) : Tensor =
        if not (delta > 0.0 && delta < infinity) then
            Fail.range $"huber: delta must be positive and finite, and is {delta}"

        checkSameShape "huber" targets outputs
        checkSameType "huber" targets outputs
        let residuals = outputs - targets
        let bound = Tensor.fullLike residuals delta
        // With c = r within δ and ±δ beyond, both cases are c·(r − c/2).
        let clipped = Tensor.maximum -bound (Tensor.minimum bound residuals)
        reduce reduction (clipped * (residuals - 0.5 * clipped))

    /// Int32 labels [batch …] as distributions over the last axis of outputs [batch …; classes]. What messages call
    /// the outputs is `what`.
    let private distributions name what (labels: Tensor) (outputs: Tensor) : Tensor =
        let shape = outputs.Shape

        if shape.Length = 0 then
            Fail.shape $"{name}: {what} need an axis of classes, and these are a scalar"

        if labels.DType <> DType.Int32 then
            Fail.dtype $"{name}: the targets are Int32 labels, and these are {labels.DType}"

        if labels.Shape <> shape[.. shape.Length - 2] then
            Fail.shape (
                $"{name}: {what} of shape {Shape.show shape} need labels of shape "
                + $"{Shape.show shape[.. shape.Length - 2]}, and these have shape {Shape.show labels.Shape}"
            )

        Tensor.oneHot outputs.DType (Array.last shape) labels

    /// −Σ q·ln softmax(y) for each row of logits y [batch; classes]. Targets are either Int32 labels [batch], or
    /// distributions q [batch; classes]. Raises DataException for a label outside 0 … classes − 1, naming its row. Its
    /// likelihood is `Likelihood.categorical`.
    let softmaxCrossEntropy (reduction: Reduction) (targets: Tensor) (logits: Tensor) : Tensor =
        let name = "softmaxCrossEntropy"
        let shape = logits.Shape

        if shape.Length = 0 then
            Fail.shape $"{name}: logits need an axis of classes, and these are a scalar"

        if targets.DType = DType.Int32 then
            reduce reduction (Tensor.softmaxCrossEntropy logits (distributions name "logits" targets logits))
        else
            if targets.Shape <> shape then
                Fail.shape (
                    $"{name}: targets are Int32 labels of shape {Shape.show shape[.. shape.Length - 2]} or "
                    + $"distributions of shape {Shape.show shape}, "
                    + $"and these are {targets.DType} of shape {Shape.show targets.Shape}"
                )

            checkSameType name targets logits
            reduce reduction (Tensor.softmaxCrossEntropy logits targets)

    /// −y at the label of each row of log-probabilities y [batch; classes], as torch.nn.NLLLoss: after
    /// `Tensor.logSoftmax` the cross-entropy. Targets are Int32 labels [batch]. Raises DataException for a label
    /// outside 0 … classes − 1, naming its row. With logits as the model's outputs, and log-softmax in the criterion,
    /// its likelihood is `Likelihood.categorical`.
    let negativeLogLikelihood (reduction: Reduction) (labels: Tensor) (logProbabilities: Tensor) : Tensor =
        let chosen = distributions "negativeLogLikelihood" "log-probabilities" labels logProbabilities
        // Other classes may have the log-probability −∞.
        let atLabel = Tensor.where chosen logProbabilities (Tensor.zerosLike logProbabilities)
        reduce reduction -(Tensor.sumAxes [ -1 ] atLabel)

    /// (1 − p)^γ·(−ln p) for each row of logits [batch; classes], with p = softmax at the Int32 label [batch] (Lin et
    /// al. 2017, eq. 4): with γ = 0 the cross-entropy; the paper uses γ = 2. Raises DataException for a label outside 0
    /// … classes − 1, naming its row, and ArgumentRangeException unless γ is at least 0 and finite. Except for γ = 0 it
    /// is no logarithm of a likelihood.
    let focal (gamma: float) (reduction: Reduction) (labels: Tensor) (logits: Tensor) : Tensor =
        if not (gamma >= 0.0 && gamma < infinity) then
            Fail.range $"focal: gamma must be at least 0 and finite, and is {gamma}"

        let label = distributions "focal" "logits" labels logits
        // 1 − p is the share of the other classes, which is exact where p is close to 1. The label's exponential is 0
        // in every element type. Its logarithm is finite, because 0·∞ is not a number.
        let others = Tensor.where label (Tensor.fullLike logits -1e30) logits
        let logOfRest = Tensor.logSumExp others - Tensor.logSumExp logits
        reduce reduction (Tensor.exp (gamma * logOfRest) * Tensor.softmaxCrossEntropy logits label)

    /// Checks that targets are probabilities where their values are known; inside a transformation they are not.
    let private checkProbabilities name (targets: Tensor) =
        if isNull targets.Owner then
            targets.ToArray()
            |> Array.iteri (fun element target ->
                if not (target >= 0.0 && target <= 1.0) then
                    Fail.data $"{name}: target {target} of element {element} is not between 0 and 1")

    /// Σ t·(ln t − y) for each row of log-probabilities y [batch; classes] and of probabilities t: the Kullback–Leibler
    /// divergence of the targets from the outputs, as torch.nn.KLDivLoss with reduction `batchmean` or `sum`. The mean
    /// is over rows. A probability 0 adds nothing. Raises DataException for a target outside 0 … 1, naming it. With
    /// logits as the model's outputs, and log-softmax in the criterion, its likelihood is `Likelihood.categorical`.
    let kullbackLeibler (reduction: Reduction) (targets: Tensor) (logProbabilities: Tensor) : Tensor =
        let name = "kullbackLeibler"
        checkSameShape name targets logProbabilities
        checkSameType name targets logProbabilities
        checkProbabilities name targets

        if targets.Rank = 0 then
            Fail.shape $"{name}: log-probabilities need an axis of classes, and these are a scalar"

        let zeros = Tensor.zerosLike targets
        let isPossible = Tensor.greater targets zeros
        let logTargets = Tensor.log (Tensor.where isPossible targets (Tensor.onesLike targets))
        // What is impossible may have the log-probability −∞, and 0·∞ is not a number.
        let possible = Tensor.where isPossible logProbabilities zeros
        reduce reduction (Tensor.sumAxes [ -1 ] (targets * (logTargets - possible)))

    /// Probabilities, or Int32 labels 0 and 1, in the shape and element type of logits.
    let private probabilities name (targets: Tensor) (logits: Tensor) : Tensor =
        checkSameShape name targets logits
        checkProbabilities name targets

        let targets =
            if targets.DType = DType.Int32 then
                Tensor.convert logits.DType targets
            else
                targets

        checkSameType name targets logits
        targets

    /// −t·ln σ(y) − (1 − t)·ln(1 − σ(y)) for each logit y, computed as t·softplus(−y) + (1 − t)·softplus(y). Targets
    /// t are probabilities, or Int32 labels 0 and 1, in the shape of the logits. Raises DataException for one outside
    /// 0 … 1, naming it. Its likelihood is `Likelihood.bernoulli`.
    let binaryCrossEntropy (reduction: Reduction) (targets: Tensor) (logits: Tensor) : Tensor =
        let targets = probabilities "binaryCrossEntropy" targets logits
        reduce reduction (targets * Tensor.softplus -logits + (1.0 - targets) * Tensor.softplus logits)

    /// −t·(1 − σ(y))^γ·ln σ(y) − (1 − t)·σ(y)^γ·ln(1 − σ(y)) for each logit y (Lin et al. 2017, eq. 4): with γ = 0 the
    /// binary cross-entropy. Targets and errors are those of `binaryCrossEntropy`, and ArgumentRangeException is raised
    /// unless γ is at least 0 and finite. Except for γ = 0 it is no logarithm of a likelihood.
    let binaryFocal (gamma: float) (reduction: Reduction) (targets: Tensor) (logits: Tensor) : Tensor =
        if not (gamma >= 0.0 && gamma < infinity) then
            Fail.range $"binaryFocal: gamma must be at least 0 and finite, and is {gamma}"

        let targets = probabilities "binaryFocal" targets logits
        let ofYes, ofNo = Tensor.softplus -logits, Tensor.softplus logits
        let weighted (loss: Tensor) (lossOfOther: Tensor) = Tensor.exp (-gamma * lossOfOther) * loss
        reduce reduction (targets * weighted ofYes ofNo + (1.0 - targets) * weighted ofNo ofYes)

    /// The share of rows of logits [batch; classes] whose largest element is at the Int32 label [batch]. It has no
    /// derivative.
    let accuracy (labels: Tensor) (logits: Tensor) : float =
        let chosen = Tensor.argMax logits
        checkSameShape "accuracy" labels chosen

        if labels.Size = 0 then Fail.shape "accuracy: there are no rows"

        Array.map2
            (fun label choice -> if label = choice then 1.0 else 0.0)
            (labels.ToInt32Array())
            (chosen.ToInt32Array())
        |> Array.average
