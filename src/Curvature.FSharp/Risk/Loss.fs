namespace Curvature.FSharp

open Curvature

/// Losses: what to compare with, then the outputs of a network, so that `Loss.softmaxCrossEntropy Reduction.Mean
/// labels` is a function of outputs. All are twice differentiable in the outputs, and stable for outputs of any size.
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
    /// the outputs.
    let meanSquaredError (reduction: Reduction) (targets: Tensor) (outputs: Tensor) : Tensor =
        checkSameShape "meanSquaredError" targets outputs
        checkSameType "meanSquaredError" targets outputs
        reduce reduction (Tensor.square (outputs - targets))

    /// −Σ q·ln softmax(y) for each row of logits y [batch; classes]. Targets are either Int32 labels [batch], or
    /// distributions q [batch; classes]. Raises DataException for a label outside 0 … classes − 1, naming its row.
    let softmaxCrossEntropy (reduction: Reduction) (targets: Tensor) (logits: Tensor) : Tensor =
        let name = "softmaxCrossEntropy"
        let shape = logits.Shape

        if shape.Length = 0 then
            Fail.shape $"{name}: logits need an axis of classes, and these are a scalar"

        if targets.DType = DType.Int32 then
            if targets.Shape <> shape[.. shape.Length - 2] then
                Fail.shape (
                    $"{name}: logits of shape {Shape.show shape} need labels of shape "
                    + $"{Shape.show shape[.. shape.Length - 2]}, and these have shape {Shape.show targets.Shape}"
                )

            let distributions = Tensor.oneHot logits.DType (Array.last shape) targets
            reduce reduction (Tensor.softmaxCrossEntropy logits distributions)
        else
            if targets.Shape <> shape then
                Fail.shape (
                    $"{name}: targets are Int32 labels of shape {Shape.show shape[.. shape.Length - 2]} or "
                    + $"distributions of shape {Shape.show shape}, "
                    + $"and these are {targets.DType} of shape {Shape.show targets.Shape}"
                )

            checkSameType name targets logits
            reduce reduction (Tensor.softmaxCrossEntropy logits targets)

    /// Checks that targets are probabilities where their values are known; inside a transformation they are not.
    let private checkProbabilities name (targets: Tensor) =
        if isNull targets.Owner then
            targets.ToArray()
            |> Array.iteri (fun element target ->
                if not (target >= 0.0 && target <= 1.0) then
                    Fail.data $"{name}: target {target} of element {element} is not between 0 and 1")

    /// −t·ln σ(y) − (1 − t)·ln(1 − σ(y)) for each logit y, computed as t·softplus(−y) + (1 − t)·softplus(y). Targets
    /// t are probabilities, or Int32 labels 0 and 1, in the shape of the logits. Raises DataException for one outside
    /// 0 … 1, naming it.
    let binaryCrossEntropy (reduction: Reduction) (targets: Tensor) (logits: Tensor) : Tensor =
        let name = "binaryCrossEntropy"
        checkSameShape name targets logits
        checkProbabilities name targets

        let targets =
            if targets.DType = DType.Int32 then
                Tensor.convert logits.DType targets
            else
                targets

        checkSameType name targets logits
        reduce reduction (targets * Tensor.softplus -logits + (1.0 - targets) * Tensor.softplus logits)

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
