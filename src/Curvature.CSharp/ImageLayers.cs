namespace Curvature.CSharp;

/// <summary>Layers for images. Between themselves these keep the channels last, [batch, height, width, channels], in which nothing has
/// to be moved; <see cref="OnImages"/> puts them behind PyTorch's [batch, channels, height, width]. Names, shapes and order of parameters
/// are PyTorch's.</summary>
public static class ImageLayers
{
    extension(Layer)
    {
        /// <summary>A convolution, as torch.nn.Conv2d: <c>weight</c> [outputs, inputs / groups, height, width] and <c>bias</c> [outputs],
        /// both uniform on ±1/√(inputs / groups · height · width) at first.</summary>
        /// <param name="inputs">Channels of the images.</param>
        /// <param name="outputs">The number of filters.</param>
        /// <param name="height">Rows of a filter.</param>
        /// <param name="width">Columns of a filter.</param>
        /// <param name="sliding">How windows move; <see cref="Sliding.Default"/> where it is not said.</param>
        /// <param name="groups">Filters and channels fall into as many groups, in order, and a filter reads the channels of its group.</param>
        /// <exception cref="ArgumentRangeException">A size is less than 1, or the groups do not divide channels and filters.</exception>
        public static Layer Conv2d(int inputs, int outputs, int height, int width, Sliding? sliding = null, int groups = 1) =>
            FSharp.ImageLayer.groupedConv2d(inputs, outputs, groups, height, width, sliding ?? Sliding.Default);

        /// <summary>A convolution without bias: <c>weight</c> [outputs, inputs, height, width].</summary>
        /// <exception cref="ArgumentRangeException">A size is less than 1.</exception>
        public static Layer Conv2dWithoutBias(int inputs, int outputs, int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.conv2dWithoutBias(inputs, outputs, height, width, sliding ?? Sliding.Default);

        /// <summary>The mean over each window, zeros around the image included.</summary>
        public static Layer AveragePool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.averagePool2d(height, width, sliding ?? Sliding.Default);

        /// <summary>The largest element of each window.</summary>
        public static Layer MaxPool2d(int height, int width, Sliding? sliding = null) =>
            FSharp.ImageLayer.maxPool2d(height, width, sliding ?? Sliding.Default);

        /// <summary>The mean over all pixels: [batch, height, width, channels] to [batch, channels].</summary>
        public static Layer GlobalAveragePool => FSharp.ImageLayer.globalAveragePool;

        /// <summary>All axes but the first as one, in PyTorch's order of channel, row and column: [batch, features].</summary>
        public static Layer FlattenImages => FSharp.ImageLayer.flatten;
    }

    /// <summary>A layer with the channels last as one for images [batch, channels, height, width]; what it gives back is turned the same
    /// way, if it is images. The names of parameters stay as they are.</summary>
    public static Layer OnImages(this Layer layer) => FSharp.ImageLayer.onImages(layer.NotNull());
}
