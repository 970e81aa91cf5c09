using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Functions and delegates of any type from one body.</summary>
internal static class Functions
{
    /// <summary>½Σx², which is a scalar and has a Hessian.</summary>
    public static Tensor HalfSquare(Tensor x) =>
        x.DType == DType.Int32 ? FSharp.Tensor.scalar(DType.Float64, 1.0) : 0.5 * FSharp.Tensor.sum(x * x);

    /// <summary>What a function of any number of arguments returns in the end.</summary>
    public static Type ResultOf(Type type)
    {
        if (!FSharpType.IsFunction(type))
        {
            return type.GetMethod("Invoke")!.ReturnType;
        }

        var result = FSharpType.GetFunctionElements(type).Item2;
        return FSharpType.IsFunction(result) ? ResultOf(result) : result;
    }

    /// <summary>Whether one of the arguments is a tensor.</summary>
    public static bool TakesTensor(Type type) => Arguments(type).Contains(typeof(Tensor));

    /// <summary>A function or delegate that hands its arguments to a body.</summary>
    public static object Make(Type type, Func<object?[], object?> body) =>
        FSharpType.IsFunction(type) ? MakeCurried(type, [], body) : MakeDelegate(type, body);

    private static IEnumerable<Type> Arguments(Type type)
    {
        if (!FSharpType.IsFunction(type))
        {
            return type.GetMethod("Invoke")!.GetParameters().Select(parameter => parameter.ParameterType);
        }

        var (argument, result) = FSharpType.GetFunctionElements(type);
        return FSharpType.IsFunction(result) ? Arguments(result).Prepend(argument) : [argument];
    }

    private static object MakeCurried(Type type, object?[] earlier, Func<object?[], object?> body)
    {
        var result = FSharpType.GetFunctionElements(type).Item2;
        return FSharpValue.MakeFunction(type, FuncConvert.FromFunc<object, object>(argument =>
        {
            object?[] arguments = [.. earlier, argument];
            return FSharpType.IsFunction(result) ? MakeCurried(result, arguments, body) : body(arguments)!;
        }));
    }

    private static Delegate MakeDelegate(Type type, Func<object?[], object?> body)
    {
        var invoke = type.GetMethod("Invoke")!;
        var parameters = invoke.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        var boxed = Expression.NewArrayInit(
            typeof(object), parameters.Select(p => Expression.Convert(p, typeof(object))));
        Expression call = Expression.Invoke(Expression.Constant(body), boxed);
        return Expression.Lambda(
            type,
            invoke.ReturnType == typeof(void) ? call : Expression.Convert(call, invoke.ReturnType),
            parameters).Compile();
    }
}

/// <summary>F# lists of types that are known at run time alone.</summary>
internal static class Lists
{
    private static readonly MethodInfo OfSeq = typeof(ListModule).GetMethod(nameof(ListModule.OfSeq))!;

    public static object ToFSharpList(Type element, IEnumerable items) =>
        OfSeq.MakeGenericMethod(element).Invoke(null, [items])!;
}
