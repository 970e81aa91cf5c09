namespace Curvature.CSharp;

/// <summary>Layers that normalise numbers to mean 0 and variance 1, and then scale and shift them: <c>weight</c> is 1
/// at first, <c>bias</c> 0. RMS normalisation only scales. Names and meaning are PyTorch's.</summary>
public static class NormalizationLayers
{
    extension(Layer)
    {
        /// <inheritdoc cref="FSharp.Normalization.batch"/>
        public static Layer BatchNorm(int features) => FSharp.Normalization.batch(features);

        /// <inheritdoc cref="FSharp.Normalization.layer"/>
        public static Layer LayerNorm(int features) => FSharp.Normalization.layer(features);

        /// <inheritdoc cref="FSharp.Normalization.rms"/>
        public static Layer RmsNorm(int features) => FSharp.Normalization.rms(features);

        /// <inheritdoc cref="FSharp.Normalization.rmsWith"/>
        public static Layer RmsNorm(int features, double epsilon) => FSharp.Normalization.rmsWith(epsilon, features);

        /// <inheritdoc cref="FSharp.Normalization.group"/>
        public static Layer GroupNorm(int groups, int channels) => FSharp.Normalization.group(groups, channels);

        /// <inheritdoc cref="FSharp.Normalization.instance"/>
        public static Layer InstanceNorm(int channels) => FSharp.Normalization.instance(channels);
    }
}

/// <summary>Normalising numbers to mean 0 and variance 1, as functions; layers that scale and shift the result are
/// members of <see cref="Layer"/>.</summary>
public static class Normalization
{
    /// <inheritdoc cref="FSharp.Normalization.overAxes"/>
    public static Tensor OverAxes(Tensor x, IReadOnlyList<int> axes, double epsilon = 1e-5) =>
        FSharp.Normalization.overAxes(epsilon, axes.ToFSharpList(), x.NotNull());

    /// <inheritdoc cref="FSharp.Normalization.overGroups"/>
    public static Tensor OverGroups(Tensor x, int groups, int axis = 1, double epsilon = 1e-5) =>
        FSharp.Normalization.overGroups(epsilon, groups, axis, x.NotNull());

    /// <inheritdoc cref="FSharp.Normalization.rmsOverAxes"/>
    public static Tensor RmsOverAxes(Tensor x, IReadOnlyList<int> axes, double epsilon = 1e-5) =>
        FSharp.Normalization.rmsOverAxes(epsilon, axes.ToFSharpList(), x.NotNull());
}
