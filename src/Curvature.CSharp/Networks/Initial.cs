using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>How a tensor of parameters begins: <see cref="DType.Float64"/> values of a shape, drawn from a
/// key.</summary>
/// <param name="key">The key of the values.</param>
/// <param name="shape">The lengths of the axes.</param>
public delegate Tensor Initializer(Key key, IReadOnlyList<int> shape);

/// <summary>Initial values of parameter tensors. They are drawn in <see cref="DType.Float64"/> and rounded to the
/// element type in use, so that networks of different precision begin at the same point.</summary>
public static class Initial
{
    /// <inheritdoc cref="FSharp.Initial.fanIn"/>
    public static Initializer FanIn => (key, shape) => FSharp.Initial.fanIn(key, shape.ToFSharpList());

    /// <inheritdoc cref="FSharp.Initial.glorot"/>
    public static Initializer Glorot => (key, shape) => FSharp.Initial.glorot(key, shape.ToFSharpList());

    /// <inheritdoc cref="FSharp.Initial.he"/>
    public static Initializer He => (key, shape) => FSharp.Initial.he(key, shape.ToFSharpList());

    /// <inheritdoc cref="FSharp.Initial.constant"/>
    public static Initializer Constant(double value) =>
        (key, shape) => FSharp.Initial.constant(value, key, shape.ToFSharpList());

    /// <inheritdoc cref="FSharp.Initial.uniform"/>
    public static Initializer Uniform(double bound) =>
        (key, shape) => FSharp.Initial.uniform(bound, key, shape.ToFSharpList());

    /// <inheritdoc cref="FSharp.Initial.normal"/>
    public static Initializer Normal(double standardDeviation) =>
        (key, shape) => FSharp.Initial.normal(standardDeviation, key, shape.ToFSharpList());

    internal static FSharpFunc<Key, FSharpFunc<FSharpList<int>, Tensor>> ToFSharp(
        this Initializer initial, string name) =>
        FuncConvert.FromFunc<Key, FSharpList<int>, Tensor>((key, shape) => initial(key, shape).Returned(name));
}
