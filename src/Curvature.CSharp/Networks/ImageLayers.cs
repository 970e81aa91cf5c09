namespace Curvature.CSharp;

/// <summary>Layers for images. Between themselves these keep the channels last, [batch, height, width, channels], in
/// which nothing has to be moved; <see cref="OnImages"/> puts them behind PyTorch's [batch, channels, height, width].
/// Names, shapes and order of parameters are PyTorch's.</summary>
public static class ImageLayers
{
    extension(Layer)
    {
        /// <inheritdoc cref="FSharp.ImageLayer.groupedConv2d"/>
        public static Layer Conv2d(
            int inputs, int outputs, int height, int width, Sliding? sliding = null, int groups = 1) =>
            FSharp.ImageLayer.groupedConv2d(inputs, outputs, groups, height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.conv2dWithoutBias"/>
        public static Layer Conv2dWithoutBias(
            int inputs, int outputs, int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.conv2dWithoutBias(inputs, outputs, height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.averagePool2d"/>
        public static Layer AveragePool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.averagePool2d(height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.maxPool2d"/>
        public static Layer MaxPool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.maxPool2d(height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.globalAveragePool"/>
        public static Layer GlobalAveragePool => FSharp.ImageLayer.globalAveragePool;

        /// <inheritdoc cref="FSharp.ImageLayer.flatten"/>
        public static Layer FlattenImages => FSharp.ImageLayer.flatten;
    }

    /// <inheritdoc cref="FSharp.ImageLayer.onImages"/>
    public static Layer OnImages(this Layer layer) => FSharp.ImageLayer.onImages(layer.NotNull());
}
