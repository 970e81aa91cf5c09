using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>How a tensor of parameters begins: <see cref="DType.Float64"/> values of a shape, drawn from a key.</summary>
/// <param name="key">What decides the values.</param>
/// <param name="shape">The lengths of the axes.</param>
public delegate Tensor Initializer(Key key, IReadOnlyList<int> shape);

/// <summary>How parameter tensors begin. Values are drawn in <see cref="DType.Float64"/> and rounded to the element type in use, so that
/// networks of different precision begin at the same point.</summary>
public static class Initial
{
    /// <summary>Uniform on ±1/√fanIn: what torch.nn.Linear and Conv2d begin with, for a weight of shape
    /// [outputs, inputs, kernel …].</summary>
    public static Initializer FanIn => (key, shape) => FSharp.Initial.fanIn(key, shape.ToFSharpList());

    /// <summary>Uniform on ±√(6/(fanIn + fanOut)), for a weight of shape [outputs, inputs, kernel …] (Glorot &amp; Bengio 2010,
    /// eq. 16).</summary>
    public static Initializer Glorot => (key, shape) => FSharp.Initial.glorot(key, shape.ToFSharpList());

    /// <summary>Normal with mean 0 and variance 2/fanIn, for a weight of shape [outputs, inputs, kernel …] (He et al. 2015,
    /// eq. 10).</summary>
    public static Initializer He => (key, shape) => FSharp.Initial.he(key, shape.ToFSharpList());

    /// <summary>The same number everywhere.</summary>
    public static Initializer Constant(double value) =>
        (key, shape) => FSharp.Initial.constant(value, key, shape.ToFSharpList());

    /// <summary>Uniform on [−bound, bound).</summary>
    public static Initializer Uniform(double bound) =>
        (key, shape) => FSharp.Initial.uniform(bound, key, shape.ToFSharpList());

    /// <summary>Normal with mean 0.</summary>
    public static Initializer Normal(double standardDeviation) =>
        (key, shape) => FSharp.Initial.normal(standardDeviation, key, shape.ToFSharpList());

    internal static FSharpFunc<Key, FSharpFunc<FSharpList<int>, Tensor>> ToFSharp(this Initializer initial, string name) =>
        FuncConvert.FromFunc<Key, FSharpList<int>, Tensor>((key, shape) => initial(key, shape).Returned(name));
}
