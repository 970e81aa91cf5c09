using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>What a family of maps is at one point θ: values that depend on θ alone, and a map of vectors.</summary>
/// <param name="Values">Values that depend on θ alone, such as the loss and its gradient.</param>
/// <param name="Map">v ↦ g(v), for v in the shape of θ.</param>
public sealed record ValuesAndMap(IReadOnlyList<Tensor> Values, Func<Tensor, Tensor> Map);

/// <summary>Functions turned into plans: recorded once for each shape, optimised, and run many times. A function that is recorded may
/// not ask for values of tensors, and is not differentiable once it is compiled.</summary>
public static class Compile
{
    /// <summary>The same function, compiled: traced at the first call for each shape, then run as a list of kernels. That call raises
    /// <see cref="DifferentiationException"/> where the function asks for values of tensors.</summary>
    public static Func<Tensor, Tensor> Function(Func<Tensor, Tensor> f)
    {
        var compiled = FSharp.Compile.func(f.ToFSharp());
        return x => compiled.Invoke(x.NotNull());
    }

    /// <summary>The same function of several tensors, with several results, compiled.</summary>
    public static Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> Functions(
        Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> f)
    {
        f.NotNull();
        var compiled = FSharp.Compile.funcs(
            FuncConvert.FromFunc<FSharpList<Tensor>, FSharpList<Tensor>>(
                inputs => f(inputs).Returned(nameof(f)).ToFSharpList(nameof(f))));
        return inputs => compiled.Invoke(inputs.ToFSharpList());
    }

    /// <summary>A map v ↦ g(v) for every point θ, such as the product with the Hessian there. Work that does not depend on v is done
    /// once for each θ, and plans are made once for each shape: moving to another θ runs them again. A function that asks for values of
    /// tensors on its way is recorded anew at each θ.</summary>
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

    /// <summary>The same linear map with less in it: equal equations merged, needless moves and arithmetic gone.</summary>
    public static LinearProgram Simplify(LinearProgram program) => FSharp.Compile.simplify(program.NotNull());

    /// <summary>A linear map as a plan, for many applications.</summary>
    /// <exception cref="DifferentiationException">The map was made inside another transformation, so that its coefficients are not
    /// known.</exception>
    public static CompiledMap Program(LinearProgram program) => FSharp.Compile.program(program.NotNull());
}
