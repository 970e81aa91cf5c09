using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Layers, and how larger ones are made of them: <c>Layer.Dense(64, 32)</c>, <c>Layer.Tanh</c>. The names of
/// parameters, their shapes and their order are PyTorch's.</summary>
public static class Layers
{
    extension(Layer)
    {
        // ---- dense layers

        /// <inheritdoc cref="FSharp.Layer.dense"/>
        public static Layer Dense(int inputs, int outputs) => FSharp.Layer.dense(inputs, outputs);

        /// <inheritdoc cref="FSharp.Layer.denseWithoutBias"/>
        public static Layer DenseWithoutBias(int inputs, int outputs) => FSharp.Layer.denseWithoutBias(inputs, outputs);

        // ---- functions of each element

        /// <inheritdoc cref="FSharp.Layer.tanh"/>
        public static Layer Tanh => FSharp.Layer.tanh;

        /// <inheritdoc cref="FSharp.Layer.relu"/>
        public static Layer Relu => FSharp.Layer.relu;

        /// <inheritdoc cref="FSharp.Layer.sigmoid"/>
        public static Layer Sigmoid => FSharp.Layer.sigmoid;

        /// <inheritdoc cref="FSharp.Layer.gelu"/>
        public static Layer Gelu => FSharp.Layer.gelu;

        /// <inheritdoc cref="FSharp.Layer.silu"/>
        public static Layer Silu => FSharp.Layer.silu;

        /// <inheritdoc cref="FSharp.Layer.softplus"/>
        public static Layer Softplus => FSharp.Layer.softplus;

        /// <inheritdoc cref="FSharp.Layer.selu"/>
        public static Layer Selu => FSharp.Layer.selu;

        /// <inheritdoc cref="FSharp.Layer.mish"/>
        public static Layer Mish => FSharp.Layer.mish;

        /// <inheritdoc cref="FSharp.Layer.geluTanh"/>
        public static Layer GeluTanh => FSharp.Layer.geluTanh;

        /// <inheritdoc cref="FSharp.Layer.hardSwish"/>
        public static Layer HardSwish => FSharp.Layer.hardSwish;

        /// <inheritdoc cref="FSharp.Layer.hardSigmoid"/>
        public static Layer HardSigmoid => FSharp.Layer.hardSigmoid;

        /// <inheritdoc cref="FSharp.Layer.leakyRelu"/>
        public static Layer LeakyRelu(double slope = 0.01) => FSharp.Layer.leakyRelu(slope);

        /// <inheritdoc cref="FSharp.Layer.elu"/>
        public static Layer Elu(double alpha = 1) => FSharp.Layer.elu(alpha);

        /// <inheritdoc cref="FSharp.Layer.prelu"/>
        public static Layer Prelu(int features) => FSharp.Layer.prelu(features);

        /// <inheritdoc cref="FSharp.Dropout.layer"/>
        public static Layer Dropout(double probability, Key key) => FSharp.Dropout.layer(probability, key);

        // ---- shapes

        /// <inheritdoc cref="FSharp.Layer.flatten"/>
        public static Layer Flatten => FSharp.Layer.flatten;

        // ---- layers of layers

        /// <inheritdoc cref="FSharp.Layer.sequential"/>
        public static Layer Sequential(params IReadOnlyList<Layer> layers) =>
            FSharp.Layer.sequential(layers.ToFSharpList());

        /// <inheritdoc cref="FSharp.Layer.named"/>
        public static Layer Named(params IReadOnlyList<(string Name, Layer Layer)> parts) =>
            FSharp.Layer.named(
                parts.NotNull()
                    .Select(part => Tuple.Create(part.Name.NotNull(nameof(parts)), part.Layer.NotNull(nameof(parts))))
                    .ToFSharpList());

        /// <inheritdoc cref="FSharp.Layer.composed"/>
        public static Layer Composed(
            string name,
            IReadOnlyList<(string Name, Layer Layer)> parts,
            Func<Func<string, Tensor, Tensor>, Tensor, Tensor> forward)
        {
            forward.NotNull();
            return FSharp.Layer.composed(
                name.NotNull(),
                parts.NotNull()
                    .Select(part => Tuple.Create(part.Name.NotNull(nameof(parts)), part.Layer.NotNull(nameof(parts))))
                    .ToFSharpList(),
                FuncConvert.FromFunc<FSharpFunc<string, FSharpFunc<Tensor, Tensor>>, Tensor, Tensor>(
                    (run, x) => forward((part, y) => run.Invoke(part).Invoke(y), x).Returned(nameof(forward))));
        }

        /// <inheritdoc cref="FSharp.Layer.residual"/>
        public static Layer Residual(Layer layer) => FSharp.Layer.residual(layer.NotNull());

        /// <inheritdoc cref="FSharp.Layer.swiGlu"/>
        public static Layer SwiGlu(int features, int hidden) => FSharp.Layer.swiGlu(features, hidden);

        // ---- layers from functions

        /// <inheritdoc cref="FSharp.Layer.ofFunction"/>
        public static Layer FromFunction(string name, Func<Tensor, Tensor> f) =>
            FSharp.Layer.ofFunction(name.NotNull(), f.ToFSharp());

        /// <inheritdoc cref="FSharp.Layer.create"/>
        public static Layer Create(
            string name, IReadOnlyList<ParameterDeclaration> parameters, Func<Parameters, Tensor, Tensor> forward) =>
            FSharp.Layer.create(name.NotNull(), parameters.ToFSharpList(), forward.ToFSharp());

        /// <inheritdoc cref="FSharp.Layer.parameter"/>
        public static ParameterDeclaration Parameter(string name, IReadOnlyList<int> shape, Initializer initial) =>
            FSharp.Layer.parameter(name.NotNull(), shape.ToFSharpList(), initial.NotNull().ToFSharp(nameof(initial)));

        /// <inheritdoc cref="FSharp.Layer.statistic"/>
        public static ParameterDeclaration Statistic(string name, IReadOnlyList<int> shape, double value) =>
            FSharp.Layer.statistic(name.NotNull(), shape.ToFSharpList(), value);
    }

    /// <inheritdoc cref="FSharp.Layer.checkpointed"/>
    public static Layer Checkpointed(this Layer layer) => FSharp.Layer.checkpointed(layer.NotNull());

    /// <inheritdoc cref="FSharp.Layer.initialized"/>
    public static Layer Initialized(this Layer layer, Func<string, Initializer?> initial)
    {
        initial.NotNull();
        return FSharp.Layer.initialized(
            FuncConvert.FromFunc<string, FSharpOption<FSharpFunc<Key, FSharpFunc<FSharpList<int>, Tensor>>>?>(
                name => initial(name) is { } chosen ? new(chosen.ToFSharp(nameof(initial))) : null),
            layer.NotNull());
    }
}

/// <summary>Setting numbers to 0 by a mask that a key freezes (Srivastava et al. 2014).</summary>
public static class Dropout
{
    /// <inheritdoc cref="FSharp.Dropout.apply"/>
    public static Tensor Apply(Tensor x, double probability, Key key) =>
        FSharp.Dropout.apply(probability, key, x.NotNull());
}
