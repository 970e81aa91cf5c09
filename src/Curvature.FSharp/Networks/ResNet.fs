namespace Curvature.FSharp

open Curvature

/// Residual networks for images of 32 × 32 pixels (He et al. 2016, section 4.2), with shortcuts without parameters
/// (option A) and the names of the usual PyTorch definition: `conv1.weight`, `bn1.weight`, …, `layer1.0.conv1.weight`,
/// …, `linear.bias`.
[<RequireQualifiedAccess>]
module ResNet =

    let private conv inputs outputs stride =
        ImageLayer.conv2dWithoutBias inputs outputs (3, 3) (Sliding.Default.WithStride(stride: int).WithPadding 1)
        |> Layer.initialized (fun _ -> Some Initial.he)

    /// Every second pixel, and zeros for new channels, half of them before and half after the old ones.
    let private shortcut inputs outputs stride (x: Tensor) : Tensor =
        let every axis (x: Tensor) = Tensor.sliceStep axis 0 ((x.Shape[axis] + stride - 1) / stride) stride x
        let added = outputs - inputs
        let smaller = if stride = 1 then x else x |> every 1 |> every 2

        if added = 0 then
            smaller
        else
            Tensor.pad 3 (added / 2) (added - added / 2) smaller

    /// relu(x′ + bn2(conv2(relu(bn1(conv1(x)))))) with convolutions of 3 × 3, the first at the given stride, and x′ the
    /// input at every stride-th pixel with zeros for new channels. Channels are last. Raises ArgumentRangeException
    /// where there are fewer outputs than inputs.
    let basicBlock (inputs: int) (outputs: int) (stride: int) : Layer =
        if outputs < inputs then
            Fail.range $"basicBlock: there are at least as many outputs as inputs, and they are {outputs} and {inputs}"

        Layer.composed
            $"residual block {inputs} → {outputs}"
            [
                "conv1", conv inputs outputs stride
                "bn1", Normalization.batch outputs
                "conv2", conv outputs outputs 1
                "bn2", Normalization.batch outputs
            ]
            (fun run x ->
                let y = x |> run "conv1" |> run "bn1" |> Tensor.relu |> run "conv2" |> run "bn2"
                Tensor.relu (shortcut inputs outputs stride x + y))

    let private stage (wrap: Layer -> Layer) blocks inputs outputs stride =
        [
            wrap (basicBlock inputs outputs stride)
            yield! List.replicate (blocks - 1) (wrap (basicBlock outputs outputs 1))
        ]
        |> Layer.sequential

    let private layerOf (wrap: Layer -> Layer) (depth: int) (classes: int) : Layer =
        let blocks = (depth - 2) / 6

        if depth < 8 || 6 * blocks + 2 <> depth then
            Fail.range $"resnet: the depth is 6n + 2, such as 20, 32 or 56, and it is {depth}"

        Layer.composed
            $"resnet {depth}"
            [
                "conv1", conv 3 16 1
                "bn1", Normalization.batch 16
                "layer1", stage wrap blocks 16 16 1
                "layer2", stage wrap blocks 16 32 2
                "layer3", stage wrap blocks 32 64 2
                "linear", Layer.dense 64 classes
            ]
            (fun run images ->
                images
                |> Nchw.toNhwc
                |> run "conv1"
                |> run "bn1"
                |> Tensor.relu
                |> run "layer1"
                |> run "layer2"
                |> run "layer3"
                |> Nhwc.globalAveragePool
                |> run "linear")

    /// The layer of a residual network of depth 6n + 2, such as 20, 32 or 56: three stages of n blocks with 16, 32 and
    /// 64 channels. Images [batch; 3; height; width] to logits [batch; classes]. Raises ArgumentRangeException for
    /// another depth.
    let cifarLayer (depth: int) (classes: int) : Layer = layerOf id depth classes

    /// The residual network of depth 6n + 2, such as 20, 32 or 56. Images [batch; 3; height; width] to logits [batch;
    /// classes].
    /// Raises ArgumentRangeException for another depth.
    let cifar (depth: int) (classes: int) : Network = Network.ofLayer (cifarLayer depth classes)

    /// The network of `cifar` with a checkpoint around each block (`Layer.checkpointed`): less memory, more time.
    let cifarCheckpointed (depth: int) (classes: int) : Network =
        Network.ofLayer (layerOf Layer.checkpointed depth classes)

    /// ResNet-20 for 10 classes, with 269,722 parameters.
    let resNet20: Network = cifar 20 10
    /// ResNet-32 for 10 classes.
    let resNet32: Network = cifar 32 10
    /// ResNet-56 for 10 classes.
    let resNet56: Network = cifar 56 10
