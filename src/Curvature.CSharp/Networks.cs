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

    /// <summary>The risk of a network over batches; see <see cref="CSharp.Risk.OfModel"/>.</summary>
    /// <param name="network">The model.</param>
    /// <param name="criterion">From targets and outputs to a scalar.</param>
    /// <param name="batches">The same data at every pass.</param>
    /// <param name="reduction">Whether the criterion is the mean over the samples of a batch or the sum.</param>
    public static EmpiricalRisk Risk(
        this Network network,
        Func<Tensor, Tensor, Tensor> criterion,
        IEnumerable<Batch> batches,
        Reduction reduction = Reduction.Mean) =>
        FSharp.Network.risk(reduction, criterion.ToFSharp(), batches.NotNull(), network.NotNull());

    /// <summary>Parameters θ and a network, from named tensors such as those of a file that PyTorch wrote. Counters
    /// <c>…num_batches_tracked</c> are passed over.</summary>
    /// <exception cref="ParameterException">Tensors are missing or unknown; the message names them.</exception>
    /// <exception cref="ShapeException">A tensor has the wrong shape.</exception>
    /// <exception cref="DTypeException">A tensor has whole numbers.</exception>
    public static LoadedNetwork Load(this Network network, IEnumerable<NamedTensor> tensors, DType dtype = DType.Float32)
    {
        var (theta, loaded) = FSharp.Network.load(dtype, tensors.ToPairs(), network.NotNull());
        return new(theta, loaded);
    }

    /// <summary>The parameters in θ and the statistics, by PyTorch's names.</summary>
    /// <exception cref="ShapeException">θ is not of shape [n].</exception>
    public static IReadOnlyList<NamedTensor> Save(this Network network, Tensor theta) =>
        FSharp.Network.save(theta.NotNull(), network.NotNull()).ToNamed();

    /// <summary>The network with the statistics of some batches of inputs at θ, each weighing the same: what to do after training and before
    /// evaluation. One forward pass a batch.</summary>
    /// <exception cref="DataException">There is no batch.</exception>
    public static Network MeasureStatistics(this Network network, Tensor theta, IEnumerable<Tensor> batches) =>
        FSharp.Network.measureStatistics(theta.NotNull(), batches.WithoutNull(), network.NotNull());

    /// <summary>The place of each tensor, in order: the blocks of a matrix whose rows belong to the parameters.</summary>
    public static IReadOnlyList<ParameterBlock> Blocks(this ParameterLayout layout) =>
        FSharp.ParameterLayout.blocks(layout.NotNull());
}

/// <summary>Parameters and the network that they belong to.</summary>
/// <param name="Theta">The parameters, one flat vector.</param>
/// <param name="Network">The network, with its statistics.</param>
public sealed record LoadedNetwork(Tensor Theta, Network Network);
