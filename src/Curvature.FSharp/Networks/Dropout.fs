namespace Curvature.FSharp

open Curvature

/// Setting numbers to 0 by chance (Srivastava et al. 2014). The key is an argument and freezes the mask: the function
/// is the same at every call, so that it has derivatives. Another key gives another mask.
[<RequireQualifiedAccess>]
module Dropout =

    let private checkProbability (probability: float) =
        if not (probability >= 0.0 && probability < 1.0) then
            Fail.range $"dropout: the probability must be at least 0 and less than 1, and is {probability}"

    /// Each element is 0 with the probability p, and else x/(1 − p), so that its mean is x; as
    /// torch.nn.functional.dropout in training. The mask depends on the key and on the shape, not on the element type.
    /// Raises ArgumentRangeException unless 0 ≤ p < 1.
    let apply (probability: float) (key: Key) (x: Tensor) : Tensor =
        checkProbability probability

        if probability = 0.0 then
            x
        else
            let drawn = Tensor.uniform key DType.Float64 (List.ofArray x.Shape)
            let kept = Tensor.greaterOrEqual drawn (Tensor.fullLike drawn probability) / (1.0 - probability)
            x * (kept |> Tensor.convert x.DType |> Tensor.toDevice x.Device)

    /// The layer of `apply`, as torch.nn.Dropout: it acts in training (`Network.forTraining`) and lets everything pass
    /// in evaluation. Each row of a batch has its own mask, by its place in the batch: derivatives in training depend
    /// on how data is cut into batches. Give each dropout layer of a network its own key, and each pass of a training
    /// new ones by `Training.minimizeEachPass`.
    let layer (probability: float) (key: Key) : Layer =
        checkProbability probability

        Layer.create $"dropout {probability}" [] (fun parameters x ->
            if parameters.InTraining then apply probability key x else x)
