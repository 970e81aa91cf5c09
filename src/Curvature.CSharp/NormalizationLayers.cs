namespace Curvature.CSharp;

/// <summary>Layers that bring numbers to mean 0 and variance 1, and then scale and shift them: <c>weight</c> begins as 1, <c>bias</c> as 0.
/// Names and meaning are PyTorch's.</summary>
public static class NormalizationLayers
{
    extension(Layer)
    {
        /// <summary>Batch normalisation over the last axis, as torch.nn.BatchNorm1d and 2d (Ioffe &amp; Szegedy 2015): in evaluation with the
        /// statistics <c>running_mean</c> and <c>running_var</c> of the network, in training with those of the batch, so that derivatives
        /// depend on the whole batch. Inputs [batch, …, features].</summary>
        /// <exception cref="ArgumentRangeException">There is no feature.</exception>
        public static Layer BatchNorm(int features) => FSharp.Normalization.batch(features);

        /// <summary>Layer normalisation over the last axis, as torch.nn.LayerNorm of one axis (Ba et al. 2016). Inputs
        /// [batch, …, features].</summary>
        /// <exception cref="ArgumentRangeException">There is no feature.</exception>
        public static Layer LayerNorm(int features) => FSharp.Normalization.layer(features);

        /// <summary>Group normalisation, as torch.nn.GroupNorm (Wu &amp; He 2018). Inputs [batch, …, channels].</summary>
        /// <exception cref="ArgumentRangeException">The groups do not divide the channels.</exception>
        public static Layer GroupNorm(int groups, int channels) => FSharp.Normalization.group(groups, channels);
    }
}
