namespace Curvature.CSharp;

/// <summary>Residual networks for images of 32 × 32 pixels (He et al. 2016, section 4.2), with shortcuts without parameters and the names
/// of the usual PyTorch definition: <c>conv1.weight</c>, <c>bn1.weight</c>, …, <c>layer1.0.conv1.weight</c>, …,
/// <c>linear.bias</c>.</summary>
public static class ResNet
{
    /// <summary>ResNet-20 for 10 classes, with 269,722 parameters.</summary>
    public static Network ResNet20 => FSharp.ResNet.resNet20;

    /// <summary>ResNet-32 for 10 classes.</summary>
    public static Network ResNet32 => FSharp.ResNet.resNet32;

    /// <summary>ResNet-56 for 10 classes.</summary>
    public static Network ResNet56 => FSharp.ResNet.resNet56;

    /// <summary>The residual network of depth 6n + 2, such as 20, 32 or 56. Images [batch, 3, height, width] to logits
    /// [batch, classes].</summary>
    /// <exception cref="ArgumentRangeException">The depth is another.</exception>
    public static Network Cifar(int depth, int classes) => FSharp.ResNet.cifar(depth, classes);

    /// <summary>The same network as a layer.</summary>
    /// <exception cref="ArgumentRangeException">The depth is another.</exception>
    public static Layer CifarLayer(int depth, int classes) => FSharp.ResNet.cifarLayer(depth, classes);

    /// <summary>relu(x′ + bn2(conv2(relu(bn1(conv1(x)))))) with convolutions of 3 × 3, the first at the given stride, and x′ the input at
    /// every stride-th pixel with zeros for new channels. Channels are last.</summary>
    /// <exception cref="ArgumentRangeException">There are fewer outputs than inputs.</exception>
    public static Layer BasicBlock(int inputs, int outputs, int stride = 1) => FSharp.ResNet.basicBlock(inputs, outputs, stride);
}
