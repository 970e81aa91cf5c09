namespace Curvature.FSharp

open Curvature

/// Normalising numbers to mean 0 and variance 1, as functions, and as layers that scale and shift the result: `weight`
/// is 1 at first, `bias` 0. RMS normalisation only scales. Names and meaning are PyTorch's.
[<RequireQualifiedAccess>]
module Normalization =

    // ---- functions

    let private checkEpsilon name (epsilon: float) =
        if not (epsilon >= 0.0 && epsilon < infinity) then
            Fail.range $"{name}: epsilon must be at least 0 and finite, and is {epsilon}"

    /// Means over axes, which stay with length 1.
    let private keptMean (axes: int list) (x: Tensor) : Tensor =
        let axes = axes |> List.map (Shape.axis "normalization" x.Rank) |> List.distinct |> List.sort
        (Tensor.meanAxes axes x, axes) ||> List.fold (fun mean axis -> Tensor.unsqueeze axis mean)

    /// (x − mean)/√(variance + ε) over axes. Over the trailing axes it is torch.nn.functional.layer_norm (Ba et al.
    /// 2016), over all but batch and channels instance_norm (Ulyanov et al. 2016), both before weight and bias.
    /// Raises ArgumentRangeException for a negative ε, ShapeException where there is nothing to normalise.
    let overAxes (epsilon: float) (axes: int list) (x: Tensor) : Tensor =
        checkEpsilon "normalization" epsilon
        let centered = x - keptMean axes x
        centered * Tensor.rsqrt (keptMean axes (Tensor.square centered) + epsilon)

    /// x/√(mean of x² + ε) over axes (Zhang & Sennrich 2019), as torch.nn.functional.rms_norm over the trailing axes,
    /// before the weight. Errors are those of `overAxes`.
    let rmsOverAxes (epsilon: float) (axes: int list) (x: Tensor) : Tensor =
        checkEpsilon "rms norm" epsilon
        x * Tensor.rsqrt (keptMean axes (Tensor.square x) + epsilon)

    /// Channels, which are an axis, fall into groups, in order, and each group of a sample is normalised over its
    /// channels and all other axes but the first (Wu & He 2018): torch.nn.functional.group_norm before weight and bias,
    /// with the channels at axis 1. Raises ArgumentRangeException where groups do not divide the channels, and for a
    /// negative ε, ShapeException where the channels are the first axis.
    let overGroups (epsilon: float) (groups: int) (axis: int) (x: Tensor) : Tensor =
        let shape = List.ofArray x.Shape
        let axis = Shape.axis "group norm" shape.Length axis

        if axis = 0 then
            Fail.shape "group norm: the first axis is the batch, and channels are another one"

        if groups < 1 || shape[axis] % groups <> 0 then
            Fail.range $"group norm: the number of groups must divide the {shape[axis]} channels, and it is {groups}"

        let split = shape[.. axis - 1] @ [ groups; shape[axis] / groups ] @ shape[axis + 1 ..]
        let normalized = [ 1 .. shape.Length ] |> List.filter (fun other -> other <> axis)
        Tensor.reshape split x |> overAxes epsilon normalized |> Tensor.reshape shape

    // ---- layers

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

    /// Layer normalisation over the last axis (Ba et al. 2016), as torch.nn.LayerNorm of one axis. Inputs [batch; …;
    /// features].
    let layer (features: int) : Layer =
        checkCount "layer norm" features
        let name = $"layer norm {features}"

        Layer.create name (scaleAndShift features) (fun parameters x ->
            checkFeatures name features parameters x
            overAxes epsilon [ -1 ] x * parameters["weight"] + parameters["bias"])

    let private rmsOver (epsilon: DType -> float) (features: int) : Layer =
        checkCount "rms norm" features
        let name = $"rms norm {features}"

        Layer.create name [ Layer.parameter "weight" [ features ] (Initial.constant 1.0) ] (fun parameters x ->
            checkFeatures name features parameters x
            rmsOverAxes (epsilon x.DType) [ -1 ] x * parameters["weight"])

    /// x/√(mean of x² + ε)·weight over the last axis (Zhang & Sennrich 2019), as torch.nn.RMSNorm of one axis: no mean
    /// is subtracted, and there is no `bias`. Inputs [batch; …; features].
    /// Raises ArgumentRangeException for a negative ε.
    let rmsWith (epsilon: float) (features: int) : Layer =
        checkEpsilon "rms norm" epsilon
        rmsOver (fun _ -> epsilon) features

    /// RMS normalisation with PyTorch's ε, the distance from 1 to the next number of the element type: 1.2·10⁻⁷ for
    /// Float32, 2.2·10⁻¹⁶ for Float64. See `rmsWith`.
    let rms (features: int) : Layer =
        rmsOver (fun dtype -> if dtype = DType.Float64 then 2.0 ** -52.0 else 2.0 ** -23.0) features

    let private ofGroups name groups channels least : Layer =
        Layer.create name (scaleAndShift channels) (fun parameters x ->
            checkFeatures name channels parameters x

            if x.Rank < least then
                Fail.shape (
                    $"layer {parameters.Path} ({name}): an input [batch; …; channels] with an axis between is needed, "
                    + $"and the shape is {Shape.show x.Shape}"
                )

            overGroups epsilon groups -1 x * parameters["weight"] + parameters["bias"])

    /// Group normalisation (Wu & He 2018), as torch.nn.GroupNorm: channels fall into groups, in order, and each
    /// sample's group is normalised over its channels and pixels. Inputs [batch; …; channels].
    let group (groups: int) (channels: int) : Layer =
        checkCount "group norm" channels

        if groups < 1 || channels % groups <> 0 then
            Fail.range $"group norm: the number of groups must divide the {channels} channels, and it is {groups}"

        ofGroups $"group norm {channels} in {groups} groups" groups channels 2

    /// Instance normalisation (Ulyanov et al. 2016), as torch.nn.InstanceNorm2d with affine=True: each channel of a
    /// sample is normalised over its pixels. Inputs [batch; …; channels], with one axis at least between.
    let instance (channels: int) : Layer =
        checkCount "instance norm" channels
        ofGroups $"instance norm {channels}" channels channels 3
