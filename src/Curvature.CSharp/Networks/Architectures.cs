namespace Curvature.CSharp;

/// <summary>Residual networks for images of 32 × 32 pixels (He et al. 2016, section 4.2), with shortcuts without
/// parameters and the names of the usual PyTorch definition: <c>conv1.weight</c>, <c>bn1.weight</c>, …,
/// <c>layer1.0.conv1.weight</c>, …, <c>linear.bias</c>.</summary>
public static class ResNet
{
    /// <inheritdoc cref="FSharp.ResNet.resNet20"/>
    public static Network ResNet20 => FSharp.ResNet.resNet20;

    /// <inheritdoc cref="FSharp.ResNet.resNet32"/>
    public static Network ResNet32 => FSharp.ResNet.resNet32;

    /// <inheritdoc cref="FSharp.ResNet.resNet56"/>
    public static Network ResNet56 => FSharp.ResNet.resNet56;

    /// <inheritdoc cref="FSharp.ResNet.cifar"/>
    public static Network Cifar(int depth, int classes) => FSharp.ResNet.cifar(depth, classes);

    /// <inheritdoc cref="FSharp.ResNet.cifarCheckpointed"/>
    public static Network CifarCheckpointed(int depth, int classes) =>
        FSharp.ResNet.cifarCheckpointed(depth, classes);

    /// <inheritdoc cref="FSharp.ResNet.cifarLayer"/>
    public static Layer CifarLayer(int depth, int classes) => FSharp.ResNet.cifarLayer(depth, classes);

    /// <inheritdoc cref="FSharp.ResNet.basicBlock"/>
    public static Layer BasicBlock(int inputs, int outputs, int stride = 1) =>
        FSharp.ResNet.basicBlock(inputs, outputs, stride);
}

/// <summary>Small language models of the GPT kind (Radford et al. 2019). Names are those of nanoGPT.</summary>
public static class Transformer
{
    /// <inheritdoc cref="FSharp.Transformer.gpt"/>
    public static Network Gpt(int vocabulary, int context, int layers, int heads, int width) =>
        FSharp.Transformer.gpt(vocabulary, context, layers, heads, width);

    /// <inheritdoc cref="FSharp.Transformer.gptCheckpointed"/>
    public static Network GptCheckpointed(int vocabulary, int context, int layers, int heads, int width) =>
        FSharp.Transformer.gptCheckpointed(vocabulary, context, layers, heads, width);

    /// <inheritdoc cref="FSharp.Transformer.gptLayer"/>
    public static Layer GptLayer(int vocabulary, int context, int layers, int heads, int width) =>
        FSharp.Transformer.gptLayer(vocabulary, context, layers, heads, width);
}
