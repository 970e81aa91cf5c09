namespace Curvature.CSharp;

/// <summary>Layers for images, and for signals, which have one axis. Between themselves these keep the channels last,
/// [batch, height, width, channels] or [batch, length, channels], in which nothing has to be moved;
/// <see cref="OnImages"/> and <see cref="OnSignals"/> put them behind PyTorch's [batch, channels, height, width] and
/// [batch, channels, length]. Names, shapes and order of parameters are PyTorch's.</summary>
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

        /// <inheritdoc cref="FSharp.ImageLayer.groupedConvTranspose2d"/>
        public static Layer ConvTranspose2d(
            int inputs, int outputs, int height, int width, Sliding? sliding = null, int groups = 1,
            (int Height, int Width) outputPadding = default) =>
            FSharp.ImageLayer.groupedConvTranspose2d(
                inputs, outputs, groups, outputPadding.Height, outputPadding.Width, height, width,
                sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.groupedConv1d"/>
        public static Layer Conv1d(
            int inputs, int outputs, int size, Sliding? sliding = null, int groups = 1) =>
            FSharp.ImageLayer.groupedConv1d(inputs, outputs, groups, size, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.averagePool2d"/>
        public static Layer AveragePool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.averagePool2d(height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.maxPool2d"/>
        public static Layer MaxPool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.maxPool2d(height, width, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.averagePool1d"/>
        public static Layer AveragePool1d(int size, Sliding? sliding = null) =>
            FSharp.ImageLayer.averagePool1d(size, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.maxPool1d"/>
        public static Layer MaxPool1d(int size, Sliding? sliding = null) =>
            FSharp.ImageLayer.maxPool1d(size, sliding ?? Sliding.Default);

        /// <inheritdoc cref="FSharp.ImageLayer.globalAveragePool"/>
        public static Layer GlobalAveragePool => FSharp.ImageLayer.globalAveragePool;

        /// <inheritdoc cref="FSharp.ImageLayer.flatten"/>
        public static Layer FlattenImages => FSharp.ImageLayer.flatten;
    }

    /// <inheritdoc cref="FSharp.ImageLayer.onImages"/>
    public static Layer OnImages(this Layer layer) => FSharp.ImageLayer.onImages(layer.NotNull());

    /// <inheritdoc cref="FSharp.ImageLayer.onSignals"/>
    public static Layer OnSignals(this Layer layer) => FSharp.ImageLayer.onSignals(layer.NotNull());
}
