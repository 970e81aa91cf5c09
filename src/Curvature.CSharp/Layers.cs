using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Layers, and how larger ones are made of them: <c>Layer.Dense(64, 32)</c>, <c>Layer.Tanh</c>. The names of parameters, their
/// shapes and their order are PyTorch's.</summary>
public static class Layers
{
    extension(Layer)
    {
        // ---- dense layers

        /// <summary>x·Wᵀ + b over the last axis: <c>weight</c> [outputs, inputs] and <c>bias</c> [outputs], both uniform on ±1/√inputs at
        /// first, as in torch.nn.Linear. Input [batch …, inputs], output [batch …, outputs].</summary>
        /// <exception cref="ArgumentRangeException">A size is less than 1.</exception>
        public static Layer Dense(int inputs, int outputs) => FSharp.Layer.dense(inputs, outputs);

        /// <summary>x·Wᵀ over the last axis: <c>weight</c> [outputs, inputs], uniform on ±1/√inputs at first.</summary>
        /// <exception cref="ArgumentRangeException">A size is less than 1.</exception>
        public static Layer DenseWithoutBias(int inputs, int outputs) => FSharp.Layer.denseWithoutBias(inputs, outputs);

        // ---- functions of each element

        /// <summary>Hyperbolic tangent.</summary>
        public static Layer Tanh => FSharp.Layer.tanh;

        /// <summary>max(x, 0), with derivative 0 at 0.</summary>
        public static Layer Relu => FSharp.Layer.relu;

        /// <summary>1/(1 + e⁻ˣ)</summary>
        public static Layer Sigmoid => FSharp.Layer.sigmoid;

        /// <summary>x·Φ(x), with Φ the standard normal distribution function.</summary>
        public static Layer Gelu => FSharp.Layer.gelu;

        /// <summary>x·sigmoid(x)</summary>
        public static Layer Silu => FSharp.Layer.silu;

        /// <summary>ln(1 + eˣ)</summary>
        public static Layer Softplus => FSharp.Layer.softplus;

        // ---- shapes

        /// <summary>All axes but the first as one: [batch, …] to [batch, features].</summary>
        public static Layer Flatten => FSharp.Layer.flatten;

        // ---- layers of layers

        /// <summary>One after the other, under the names 0, 1, 2, … as in torch.nn.Sequential: functions without parameters count
        /// too.</summary>
        public static Layer Sequential(params IReadOnlyList<Layer> layers) => FSharp.Layer.sequential(layers.ToFSharpList());

        /// <summary>Parts under names, one after the other: part <c>conv1</c> has its <c>weight</c> as <c>conv1.weight</c>.</summary>
        public static Layer Named(params IReadOnlyList<(string Name, Layer Layer)> parts) =>
            FSharp.Layer.named(
                parts.NotNull()
                    .Select(part => Tuple.Create(part.Name.NotNull(nameof(parts)), part.Layer.NotNull(nameof(parts))))
                    .ToFSharpList());

        /// <summary>Parts under names, put together freely: part <c>conv1</c> has its <c>weight</c> as <c>conv1.weight</c>.</summary>
        /// <param name="name">What people call it.</param>
        /// <param name="parts">The parts.</param>
        /// <param name="forward">The output, from a way to run a part by its name and from an input.</param>
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

        /// <summary>x + f(x); the names are those of f.</summary>
        public static Layer Residual(Layer layer) => FSharp.Layer.residual(layer.NotNull());

        // ---- layers of one's own

        /// <summary>A function without parameters as a layer.</summary>
        public static Layer FromFunction(string name, Func<Tensor, Tensor> f) =>
            FSharp.Layer.ofFunction(name.NotNull(), f.ToFSharp());

        /// <summary>A layer of one's own.</summary>
        /// <param name="name">What people call it.</param>
        /// <param name="parameters">The tensors that it needs; see <c>Layer.Parameter</c>.</param>
        /// <param name="forward">Its output, from these tensors by their names and from an input.</param>
        public static Layer Create(
            string name, IReadOnlyList<ParameterDeclaration> parameters, Func<Parameters, Tensor, Tensor> forward) =>
            FSharp.Layer.create(name.NotNull(), parameters.ToFSharpList(), forward.ToFSharp());

        /// <summary>A tensor of parameters of a layer: its name in the layer, its shape, and how it begins, such as
        /// <see cref="Initial.Glorot"/>.</summary>
        public static ParameterDeclaration Parameter(string name, IReadOnlyList<int> shape, Initializer initial) =>
            FSharp.Layer.parameter(name.NotNull(), shape.ToFSharpList(), initial.NotNull().ToFSharp(nameof(initial)));

        /// <summary>A tensor of statistics of the data that a layer uses, beginning with a number everywhere. It is no parameter; in
        /// evaluation a layer reads it by its name like one.</summary>
        public static ParameterDeclaration Statistic(string name, IReadOnlyList<int> shape, double value) =>
            FSharp.Layer.statistic(name.NotNull(), shape.ToFSharpList(), value);
    }

    /// <summary>The same layer with other beginnings: the function is given a name in the layer, such as <c>weight</c>, and what it returns
    /// counts where it is not null.</summary>
    public static Layer Initialized(this Layer layer, Func<string, Initializer?> initial)
    {
        initial.NotNull();
        return FSharp.Layer.initialized(
            FuncConvert.FromFunc<string, FSharpOption<FSharpFunc<Key, FSharpFunc<FSharpList<int>, Tensor>>>?>(
                name => initial(name) is { } own ? FSharpOption<FSharpFunc<Key, FSharpFunc<FSharpList<int>, Tensor>>>.Some(own.ToFSharp(nameof(initial))) : null),
            layer.NotNull());
    }
}
