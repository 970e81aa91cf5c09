namespace Curvature.FSharp

open Curvature

/// Layers for images, and for signals, which have one axis. Between themselves these keep the channels last, [batch;
/// height; width; channels] or [batch; length; channels], in which nothing has to be moved; `ImageLayer.onImages` and
/// `onSignals` put them behind PyTorch's [batch; channels; height; width] and [batch; channels; length]. Names, shapes
/// and order of parameters are PyTorch's. Layers of signals read what a `Sliding` says of the width.
[<RequireQualifiedAccess>]
module ImageLayer =

    /// A layer between moves of the channels to the end and back, for inputs and outputs of this rank.
    let private turned rank (layer: Layer) : Layer =
        let toLast, back = TensorShapes.withLast 1 rank

        Layer.create layer.Name layer.Declarations (fun parameters x ->
            let last = if x.Rank = rank then Tensor.permute toLast x else x
            let y = layer.Forward(parameters, last)
            if y.Rank = rank then Tensor.permute back y else y)

    /// A layer with the channels last as one for images [batch; channels; height; width]; what it gives back is turned
    /// the same way, if it is images. The names of parameters stay as they are.
    let onImages (layer: Layer) : Layer = turned 4 layer

    /// A layer with the channels last as one for signals [batch; channels; length]; what it gives back is turned the
    /// same way, if it is signals. The names of parameters stay as they are.
    let onSignals (layer: Layer) : Layer = turned 3 layer

    // ---- convolutions

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

    /// Errors of shapes with the name of the layer.
    let private located name (parameters: Parameters) (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        try
            f x
        with :? ShapeException as error ->
            Fail.shape $"layer {parameters.Path} ({name}): {error.Message}"

    /// A weight, whose second and later axes are what PyTorch counts as the inputs of an output, and a bias.
    let private weightAndBias (shape: int list) outputs =
        let bound = 1.0 / sqrt (float (List.fold (*) 1 shape.Tail))

        [
            Layer.parameter "weight" shape Initial.fanIn
            Layer.parameter "bias" [ outputs ] (Initial.uniform bound)
        ]

    let private convolve name groups sliding (parameters: Parameters) (x: Tensor) : Tensor =
        let filters = Nchw.filtersToNhwc parameters["weight"]
        located name parameters (Nhwc.groupedConv2d groups sliding filters) x

    /// A convolution in groups, as torch.nn.Conv2d: `weight` [outputs; inputs / groups; height; width] and `bias`
    /// [outputs], both uniform on ±1/√(inputs / groups · height · width) at first.
    let groupedConv2d (inputs: int) (outputs: int) (groups: int) (size: int * int) (sliding: Sliding) : Layer =
        checkSizes "conv2d" inputs outputs groups size
        let name = $"conv2d {inputs} → {outputs} of {fst size}×{snd size}"

        Layer.create name (weightAndBias [ outputs; inputs / groups; fst size; snd size ] outputs) (fun parameters x ->
            convolve name groups sliding parameters x + parameters["bias"])

    /// A convolution, as torch.nn.Conv2d: `weight` [outputs; inputs; height; width] and `bias` [outputs], both uniform
    /// on ±1/√(inputs · height · width) at first.
    let conv2d (inputs: int) (outputs: int) (size: int * int) (sliding: Sliding) : Layer =
        groupedConv2d inputs outputs 1 size sliding

    /// A convolution without bias: `weight` [outputs; inputs; height; width].
    let conv2dWithoutBias (inputs: int) (outputs: int) (size: int * int) (sliding: Sliding) : Layer =
        checkSizes "conv2d" inputs outputs 1 size
        let name = $"conv2d {inputs} → {outputs} of {fst size}×{snd size}, no bias"
        let weight = Layer.parameter "weight" [ outputs; inputs; fst size; snd size ] Initial.fanIn
        Layer.create name [ weight ] (convolve name 1 sliding)

    /// The transpose of a convolution in groups, as torch.nn.ConvTranspose2d: `weight` [inputs; outputs / groups;
    /// height; width] and `bias` [outputs], both uniform on ±1/√(outputs / groups · height · width) at first. What
    /// output padding is says `Nhwc.groupedConvTranspose2d`.
    let groupedConvTranspose2d
        (inputs: int)
        (outputs: int)
        (groups: int)
        (outputPadding: int * int)
        (size: int * int)
        (sliding: Sliding)
        : Layer =
        checkSizes "convTranspose2d" inputs outputs groups size
        let name = $"transposed conv2d {inputs} → {outputs} of {fst size}×{snd size}"

        Layer.create name (weightAndBias [ inputs; outputs / groups; fst size; snd size ] outputs) (fun parameters x ->
            let filters = Nchw.filtersToNhwc parameters["weight"]
            let transpose = Nhwc.groupedConvTranspose2d groups outputPadding sliding filters
            located name parameters transpose x + parameters["bias"])

    /// The transpose of a convolution without groups and output padding; see `groupedConvTranspose2d`.
    let convTranspose2d (inputs: int) (outputs: int) (size: int * int) (sliding: Sliding) : Layer =
        groupedConvTranspose2d inputs outputs 1 (0, 0) size sliding

    /// What a function makes of signals [batch; length; channels] as images of one row.
    let private onRow operation (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        if x.Rank <> 3 then
            Fail.shape (
                $"{operation}: signals [batch; length; channels] are needed, and the shape is {Shape.show x.Shape}"
            )

        x |> Tensor.unsqueeze 1 |> f |> Tensor.squeeze 1

    /// A convolution of signals in groups, as torch.nn.Conv1d: `weight` [outputs; inputs / groups; size] and `bias`
    /// [outputs], both uniform on ±1/√(inputs / groups · size) at first. [batch; length; inputs] to [batch; length′;
    /// outputs].
    let groupedConv1d (inputs: int) (outputs: int) (groups: int) (size: int) (sliding: Sliding) : Layer =
        checkSizes "conv1d" inputs outputs groups (1, size)
        let name = $"conv1d {inputs} → {outputs} of {size}"

        Layer.create name (weightAndBias [ outputs; inputs / groups; size ] outputs) (fun parameters x ->
            let filters = parameters["weight"] |> Tensor.unsqueeze 2 |> Nchw.filtersToNhwc
            let convolve = Nhwc.convolve "conv1d" groups sliding.Across filters
            located name parameters (onRow "conv1d" convolve) x + parameters["bias"])

    /// A convolution of signals, as torch.nn.Conv1d; `groupedConv1d` with one group.
    let conv1d (inputs: int) (outputs: int) (size: int) (sliding: Sliding) : Layer =
        groupedConv1d inputs outputs 1 size sliding

    // ---- pools

    /// The mean over each window, zeros around the image included.
    let averagePool2d (size: int * int) (sliding: Sliding) : Layer =
        Layer.ofFunction $"average pool {fst size}×{snd size}" (Nhwc.averagePool2d size sliding)

    /// The largest element of each window.
    let maxPool2d (size: int * int) (sliding: Sliding) : Layer =
        Layer.ofFunction $"max pool {fst size}×{snd size}" (Nhwc.maxPool2d size sliding)

    /// The mean over each window of signals [batch; length; channels], zeros around them included.
    let averagePool1d (size: int) (sliding: Sliding) : Layer =
        let pool = Nhwc.average "averagePool1d" true (1, size) sliding.Across
        Layer.ofFunction $"average pool {size}" (onRow "averagePool1d" pool)

    /// The largest element of each window of signals [batch; length; channels].
    let maxPool1d (size: int) (sliding: Sliding) : Layer =
        let pool = Nhwc.maximum "maxPool1d" (1, size) sliding.Across
        Layer.ofFunction $"max pool {size}" (onRow "maxPool1d" pool)

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
