namespace Curvature.CSharp;

/// <summary>Making networks: <c>Network.Sequential(Layer.Dense(64, 32), Layer.Tanh, Layer.Dense(32, 10))</c>. A network is a function of
/// parameters θ, which are one flat vector, and of a batch of inputs.</summary>
public static class Networks
{
    extension(Network)
    {
        /// <summary>The network that a layer is, with the layer's names.</summary>
        /// <exception cref="ParameterException">Two parameters have the same name.</exception>
        public static Network FromLayer(Layer layer) => FSharp.Network.ofLayer(layer.NotNull());

        /// <summary>Layers one after the other, with the names of torch.nn.Sequential: <c>0.weight</c>, <c>0.bias</c>,
        /// <c>2.weight</c>, ….</summary>
        public static Network Sequential(params IReadOnlyList<Layer> layers) =>
            FSharp.Network.sequential(layers.ToFSharpList());

        /// <summary>Dense layers of the given sizes with a function between them: <c>Network.Mlp(Layer.Tanh, 64, 32, 10)</c>.</summary>
        /// <exception cref="ArgumentRangeException">There are fewer than two sizes.</exception>
        public static Network Mlp(Layer activation, params IReadOnlyList<int> sizes) =>
            FSharp.Network.mlp(activation.NotNull(), sizes.ToFSharpList());
    }

    extension(ParameterLayout)
    {
        /// <summary>The layout of named shapes, one behind the other in the given order.</summary>
        /// <exception cref="ParameterException">A name comes twice.</exception>
        /// <exception cref="ShapeException">A length is negative.</exception>
        public static ParameterLayout FromShapes(params IReadOnlyList<(string Name, int[] Shape)> shapes) =>
            FSharp.ParameterLayout.ofShapes(
                shapes.NotNull().Select(part => Tuple.Create(part.Name, part.Shape.ToFSharpList(nameof(shapes)))).ToFSharpList());
    }

    /// <summary>The place of each tensor, in order: the blocks of a matrix whose rows belong to the parameters.</summary>
    public static IReadOnlyList<ParameterBlock> Blocks(this ParameterLayout layout) =>
        FSharp.ParameterLayout.blocks(layout.NotNull());
}
