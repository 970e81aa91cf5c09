using System.Diagnostics;

namespace Curvature.CSharp;

/// <summary>Making networks: <c>Network.Sequential(Layer.Dense(64, 32), Layer.Tanh, Layer.Dense(32, 10))</c>. A network
/// is a function of parameters θ, which are one flat vector, and of a batch of inputs.</summary>
public static class Networks
{
    extension(Network)
    {
        /// <inheritdoc cref="FSharp.Network.ofLayer"/>
        public static Network FromLayer(Layer layer) => FSharp.Network.ofLayer(layer.NotNull());

        /// <inheritdoc cref="FSharp.Network.sequential"/>
        public static Network Sequential(params IReadOnlyList<Layer> layers) =>
            FSharp.Network.sequential(layers.ToFSharpList());

        /// <inheritdoc cref="FSharp.Network.mlp"/>
        public static Network Mlp(Layer activation, params IReadOnlyList<int> sizes) =>
            FSharp.Network.mlp(activation.NotNull(), sizes.ToFSharpList());
    }

    extension(ParameterLayout)
    {
        /// <inheritdoc cref="FSharp.ParameterLayout.ofShapes"/>
        public static ParameterLayout FromShapes(params IReadOnlyList<(string Name, int[] Shape)> shapes) =>
            FSharp.ParameterLayout.ofShapes(
                shapes.NotNull()
                    .Select(part => Tuple.Create(part.Name, part.Shape.ToFSharpList(nameof(shapes))))
                    .ToFSharpList());
    }

    /// <inheritdoc cref="FSharp.Network.risk"/>
    public static EmpiricalRisk Risk(
        this Network network,
        Func<Tensor, Tensor, Tensor> criterion,
        IEnumerable<Batch> batches,
        Reduction reduction = Reduction.Mean) =>
        FSharp.Network.risk(reduction, criterion.ToFSharp(), batches.NotNull(), network.NotNull());

    /// <inheritdoc cref="FSharp.Network.load"/>
    public static LoadedNetwork Load(
        this Network network, IEnumerable<NamedTensor> tensors, DType dtype = DType.Float32) =>
        FSharp.Network.load(dtype, tensors.ToPairs(), network.NotNull())
            .Into((theta, loaded) => new LoadedNetwork(theta, loaded));

    /// <inheritdoc cref="FSharp.Network.save"/>
    public static IReadOnlyList<NamedTensor> Save(this Network network, Tensor theta) =>
        FSharp.Network.save(theta.NotNull(), network.NotNull()).ToNamed();

    /// <inheritdoc cref="FSharp.Network.measureStatistics"/>
    public static Network MeasureStatistics(this Network network, Tensor theta, IEnumerable<Tensor> batches) =>
        FSharp.Network.measureStatistics(theta.NotNull(), batches.WithoutNull(), network.NotNull());

    /// <inheritdoc cref="FSharp.ParameterLayout.blocks"/>
    public static IReadOnlyList<ParameterBlock> Blocks(this ParameterLayout layout) =>
        FSharp.ParameterLayout.blocks(layout.NotNull());
}

/// <summary>Parameters and the network that they belong to.</summary>
/// <param name="Theta">The parameters, one flat vector.</param>
/// <param name="Network">The network, with its statistics.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record LoadedNetwork(Tensor Theta, Network Network);
