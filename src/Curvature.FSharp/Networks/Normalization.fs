namespace Curvature.FSharp

open Curvature

/// Layers that normalise numbers to mean 0 and variance 1, and then scale and shift them: `weight` is 1 at first,
/// `bias` 0. RMS normalisation only scales. Names and meaning are PyTorch's.
[<RequireQualifiedAccess>]
module Normalization =

    /// What is added to variances, as in PyTorch.
    let private epsilon = 1e-5

    let private scaleAndShift (features: int) =
        [
            Layer.parameter "weight" [ features ] (Initial.constant 1.0)
            Layer.parameter "bias" [ features ] (Initial.constant 0.0)
        ]

    let private checkFeatures name features (parameters: Parameters) (x: Tensor) =
        let shape = x.Shape

        if shape.Length < 2 || Array.last shape <> features then
            Fail.shape (
                $"layer {parameters.Path} ({name}): an input of two or more axes is needed, the last one of "
                + $"{features} elements, and the shape is {Shape.show shape}"
            )

    let private checkCount name features =
        if features < 1 then
            Fail.range $"{name}: at least one feature is needed, and there are {features}"

    /// Batch normalisation over the last axis (Ioffe & Szegedy 2015), as torch.nn.BatchNorm1d and 2d. In evaluation
    /// with the statistics `running_mean` and `running_var`: (x − mean)/√(variance + 10⁻⁵)·weight + bias, where a
    /// sample's output depends on that sample alone. In training with mean and variance over all axes but the last: it
    /// then depends on the whole batch, and so does every derivative. Inputs [batch; …; features]. In training it
    /// raises ShapeException for a single value a feature.
    let batch (features: int) : Layer =
        checkCount "batch norm" features
        let name = $"batch norm {features}"

        let evaluate (parameters: Parameters) (x: Tensor) : Tensor =
            let scale = parameters["weight"] * Tensor.rsqrt (parameters["running_var"] + epsilon)
            x * scale + (parameters["bias"] - parameters["running_mean"] * scale)

        let train (parameters: Parameters) (x: Tensor) : Tensor =
            let axes = [ 0 .. x.Rank - 2 ]
            let count = x.Size / features

            if count < 2 then
                Fail.shape (
                    $"layer {parameters.Path} ({name}): in training more than one value a feature is needed, and the "
                    + $"shape is {Shape.show x.Shape}"
                )

            let mean = Tensor.meanAxes axes x
            let centered = x - mean
            let variance = Tensor.meanAxes axes (Tensor.square centered)
            parameters.Observe("running_mean", mean)
            // The variance of the population that the batch is a sample of, as in PyTorch.
            parameters.Observe("running_var", variance * (float count / float (count - 1)))
            centered * (parameters["weight"] * Tensor.rsqrt (variance + epsilon)) + parameters["bias"]

        Layer.create
            name
            [
                yield! scaleAndShift features
                Layer.statistic "running_mean" [ features ] 0.0
                Layer.statistic "running_var" [ features ] 1.0
            ]
            (fun parameters x ->
                checkFeatures name features parameters x
                if parameters.InTraining then train parameters x else evaluate parameters x)

    /// (x − mean)/√(variance + 10⁻⁵) over some axes.
    let private standardized (axes: int list) (x: Tensor) : Tensor =
        let kept (t: Tensor) = (t, List.sort axes) ||> List.fold (fun t axis -> Tensor.unsqueeze axis t)
        let centered = x - kept (Tensor.meanAxes axes x)
        centered * kept (Tensor.rsqrt (Tensor.meanAxes axes (Tensor.square centered) + epsilon))

    /// Layer normalisation over the last axis (Ba et al. 2016), as torch.nn.LayerNorm of one axis. Inputs [batch; …;
    /// features].
    let layer (features: int) : Layer =
        checkCount "layer norm" features
        let name = $"layer norm {features}"

        Layer.create name (scaleAndShift features) (fun parameters x ->
            checkFeatures name features parameters x
            standardized [ x.Rank - 1 ] x * parameters["weight"] + parameters["bias"])

    let private rmsOver (epsilon: DType -> float) (features: int) : Layer =
        checkCount "rms norm" features
        let name = $"rms norm {features}"

        Layer.create name [ Layer.parameter "weight" [ features ] (Initial.constant 1.0) ] (fun parameters x ->
            checkFeatures name features parameters x
            let meanSquare = Tensor.meanAxes [ -1 ] (Tensor.square x) |> Tensor.unsqueeze -1
            x * Tensor.rsqrt (meanSquare + epsilon x.DType) * parameters["weight"])

    /// x/√(mean of x² + ε)·weight over the last axis (Zhang & Sennrich 2019), as torch.nn.RMSNorm of one axis: no mean
    /// is subtracted, and there is no `bias`. Inputs [batch; …; features].
    /// Raises ArgumentRangeException for a negative ε.
    let rmsWith (epsilon: float) (features: int) : Layer =
        if not (epsilon >= 0.0 && epsilon < infinity) then
            Fail.range $"rms norm: epsilon must be at least 0 and finite, and is {epsilon}"

        rmsOver (fun _ -> epsilon) features

    /// RMS normalisation with PyTorch's ε, the distance from 1 to the next number of the element type: 1.2·10⁻⁷ for
    /// Float32, 2.2·10⁻¹⁶ for Float64. See `rmsWith`.
    let rms (features: int) : Layer =
        rmsOver (fun dtype -> if dtype = DType.Float64 then 2.0 ** -52.0 else 2.0 ** -23.0) features

    /// Group normalisation (Wu & He 2018), as torch.nn.GroupNorm: channels fall into groups, in order, and each
    /// sample's group is normalised over its channels and pixels. Inputs [batch; …; channels].
    let group (groups: int) (channels: int) : Layer =
        checkCount "group norm" channels

        if groups < 1 || channels % groups <> 0 then
            Fail.range $"group norm: the number of groups must divide the {channels} channels, and it is {groups}"

        let name = $"group norm {channels} in {groups} groups"

        Layer.create name (scaleAndShift channels) (fun parameters x ->
            checkFeatures name channels parameters x
            let shape = List.ofArray x.Shape
            let pixels = x.Size / (max 1 shape.Head * channels)

            standardized [ 1; 3 ] (Tensor.reshape [ shape.Head; pixels; groups; channels / groups ] x)
            |> Tensor.reshape shape
            |> fun y -> y * parameters["weight"] + parameters["bias"])
