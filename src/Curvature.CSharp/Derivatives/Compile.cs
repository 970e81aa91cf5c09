using System.Diagnostics;
using System.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>What a family of maps is at one point θ: values that depend on θ alone, and a map of vectors.</summary>
/// <param name="Values">Values that depend on θ alone, such as the loss and its gradient.</param>
/// <param name="Map">v ↦ g(v), for v in the shape of θ.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValuesAndMap(IReadOnlyList<Tensor> Values, Func<Tensor, Tensor> Map)
{
    // A function has nothing to print.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Values = ").AppendJoin(", ", Values);
        return true;
    }
}

/// <summary>Functions turned into plans: recorded once for each shape, optimised, and run many times. A function that
/// is recorded may not ask for values of tensors, and is not differentiable once it is compiled.</summary>
public static class Compile
{
    /// <inheritdoc cref="FSharp.Compile.func"/>
    public static Func<Tensor, Tensor> Function(Func<Tensor, Tensor> f)
    {
        var compiled = FSharp.Compile.func(f.ToFSharp());
        return x => compiled.Invoke(x.NotNull());
    }

    /// <inheritdoc cref="FSharp.Compile.funcs"/>
    public static Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> Functions(
        Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> f)
    {
        f.NotNull();
        var compiled = FSharp.Compile.funcs(
            FuncConvert.FromFunc<FSharpList<Tensor>, FSharpList<Tensor>>(
                inputs => f(inputs).Returned(nameof(f)).ToFSharpList(nameof(f))));
        return inputs => compiled.Invoke(inputs.ToFSharpList());
    }

    /// <inheritdoc cref="FSharp.Compile.family"/>
    public static Func<Tensor, CompiledMap> Family(Func<Tensor, ValuesAndMap> f)
    {
        f.NotNull();
        var family = FSharp.Compile.family(
            FuncConvert.FromFunc<Tensor, Tuple<FSharpList<Tensor>, FSharpFunc<Tensor, Tensor>>>(theta =>
            {
                var (values, map) = f(theta).Returned(nameof(f));
                return new(values.ToFSharpList(), map.ToFSharp());
            }));
        return theta => family.Invoke(theta.NotNull());
    }

    extension(LinearProgram program)
    {
        /// <inheritdoc cref="FSharp.Compile.simplify"/>
        public LinearProgram Simplified() => FSharp.Compile.simplify(program.NotNull());

        /// <inheritdoc cref="FSharp.Compile.program"/>
        public CompiledMap Compiled() => FSharp.Compile.program(program.NotNull());
    }
}
