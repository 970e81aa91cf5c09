namespace Curvature.FSharp

open Curvature

/// Layers for images. Between themselves these keep the channels last, [batch; height; width; channels], in which
/// nothing has to be moved; `ImageLayer.onImages` puts them behind PyTorch's [batch; channels; height; width]. Names,
/// shapes and order of parameters are PyTorch's.
[<RequireQualifiedAccess>]
module ImageLayer =

    /// A layer with the channels last as one for images [batch; channels; height; width]; what it gives back is turned
    /// the same way, if it is images. The names of parameters stay as they are.
    let onImages (layer: Layer) : Layer =
        Layer.create layer.Name layer.Declarations (fun parameters x ->
            let last = if x.Rank = 4 then Nchw.toNhwc x else x
            let y = layer.Forward(parameters, last)
            if y.Rank = 4 then Nchw.ofNhwc y else y)

    let private checkSizes name inputs outputs groups (height, width) =
        if inputs < 1 || outputs < 1 || height < 1 || width < 1 then
            Fail.range (
                $"{name}: channels, filters and their height and width are at least 1, and they are {inputs}, "
                + $"{outputs}, {height} and {width}"
            )

        if groups < 1 || inputs % groups <> 0 || outputs % groups <> 0 then
            Fail.range (
                $"{name}: the number of groups must divide the {inputs} channels and the {outputs} filters, and it is "
                + $"{groups}"
            )

    let private weight inputs outputs groups (height, width) =
        Layer.parameter "weight" [ outputs; inputs / groups; height; width ] Initial.fanIn

    let private convolve name groups sliding (parameters: Parameters) (x: Tensor) : Tensor =
        try
            Nhwc.groupedConv2d groups sliding (Nchw.filtersToNhwc parameters["weight"]) x
        with :? ShapeException as error ->
            Fail.shape $"layer {parameters.Path} ({name}): {error.Message}"

    /// A convolution in groups, as torch.nn.Conv2d: `weight` [outputs; inputs / groups; height; width] and `bias`
    /// [outputs], both uniform on ±1/√(inputs / groups · height · width) at first.
    let groupedConv2d (inputs: int) (outputs: int) (groups: int) (size: int * int) (sliding: Sliding) : Layer =
        checkSizes "conv2d" inputs outputs groups size
        let name = $"conv2d {inputs} → {outputs} of {fst size}×{snd size}"
        let bound = 1.0 / sqrt (float (inputs / groups * fst size * snd size))

        Layer.create
            name
            [ weight inputs outputs groups size; Layer.parameter "bias" [ outputs ] (Initial.uniform bound) ]
            (fun parameters x -> convolve name groups sliding parameters x + parameters["bias"])

    /// A convolution, as torch.nn.Conv2d: `weight` [outputs; inputs; height; width] and `bias` [outputs], both uniform
    /// on ±1/√(inputs · height · width) at first.
    let conv2d (inputs: int) (outputs: int) (size: int * int) (sliding: Sliding) : Layer =
        groupedConv2d inputs outputs 1 size sliding

    /// A convolution without bias: `weight` [outputs; inputs; height; width].
    let conv2dWithoutBias (inputs: int) (outputs: int) (size: int * int) (sliding: Sliding) : Layer =
        checkSizes "conv2d" inputs outputs 1 size
        let name = $"conv2d {inputs} → {outputs} of {fst size}×{snd size}, no bias"
        Layer.create name [ weight inputs outputs 1 size ] (convolve name 1 sliding)

    /// The mean over each window, zeros around the image included.
    let averagePool2d (size: int * int) (sliding: Sliding) : Layer =
        Layer.ofFunction $"average pool {fst size}×{snd size}" (Nhwc.averagePool2d size sliding)

    /// The largest element of each window.
    let maxPool2d (size: int * int) (sliding: Sliding) : Layer =
        Layer.ofFunction $"max pool {fst size}×{snd size}" (Nhwc.maxPool2d size sliding)

    /// The mean over all pixels: [batch; height; width; channels] to [batch; channels].
    let globalAveragePool: Layer = Layer.ofFunction "global average pool" Nhwc.globalAveragePool

    /// All axes but the first as one, in PyTorch's order of channel, row and column: [batch; features].
    let flatten: Layer =
        Layer.ofFunction "flatten" (fun x ->
            if x.Rank <> 4 then
                Fail.shape (
                    "flatten: images [batch; height; width; channels] are needed, and the shape is "
                    + $"{Shape.show x.Shape}"
                )

            Tensor.reshape [ x.Shape[0]; -1 ] (Nchw.ofNhwc x))
