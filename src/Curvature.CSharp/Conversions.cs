using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>The border between C# and the core: null is refused by the name of the argument, and delegates and lists
/// take the form that the core works with.</summary>
internal static class Conversions
{
    /// <summary>The argument itself, so that a forwarding line can check it where it uses it.</summary>
    public static T NotNull<T>(
        [NotNull] this T? argument, [CallerArgumentExpression(nameof(argument))] string? name = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(argument, name);
        return argument;
    }

    public static FSharpList<T> ToFSharpList<T>(
        [NotNull] this IEnumerable<T>? items, [CallerArgumentExpression(nameof(items))] string? name = null) =>
        ListModule.OfSeq(items.WithoutNull(name));

    /// <summary>The same items in an array, of which none may be null.</summary>
    public static T[] WithoutNull<T>(
        [NotNull] this IEnumerable<T>? items, [CallerArgumentExpression(nameof(items))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(items, name);
        var array = items.ToArray();
        var gap = Array.FindIndex(array, item => item is null);
        return gap < 0 ? array : throw new ArgumentNullException(name, $"item {gap} of {array.Length} is null");
    }

    public static FSharpFunc<T, TResult> ToFSharp<T, TResult>(
        [NotNull] this Func<T, TResult>? f, [CallerArgumentExpression(nameof(f))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(f, name);
        return FuncConvert.FromFunc<T, TResult>(x => f(x).Returned(name));
    }

    public static FSharpFunc<T1, FSharpFunc<T2, TResult>> ToFSharp<T1, T2, TResult>(
        [NotNull] this Func<T1, T2, TResult>? f, [CallerArgumentExpression(nameof(f))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(f, name);
        return FuncConvert.FromFunc<T1, T2, TResult>((x, y) => f(x, y).Returned(name));
    }

    public static FSharpFunc<T1, FSharpFunc<T2, FSharpFunc<T3, TResult>>> ToFSharp<T1, T2, T3, TResult>(
        [NotNull] this Func<T1, T2, T3, TResult>? f, [CallerArgumentExpression(nameof(f))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(f, name);
        return FuncConvert.FromFunc<T1, T2, T3, TResult>((x, y, z) => f(x, y, z).Returned(name));
    }

    /// <summary>A named result of the two parts of an F# one.</summary>
    public static TResult Into<T1, T2, TResult>(this Tuple<T1, T2> parts, Func<T1, T2, TResult> make) =>
        make(parts.Item1, parts.Item2);

    /// <summary>A named result of the three parts of an F# one.</summary>
    public static TResult Into<T1, T2, T3, TResult>(this Tuple<T1, T2, T3> parts, Func<T1, T2, T3, TResult> make) =>
        make(parts.Item1, parts.Item2, parts.Item3);

    public static RunOptions OrDefault(this RunOptions? options) => options ?? RunOptions.Default;

    public static SampleOptions OrDefault(this SampleOptions? options) => options ?? SampleOptions.Default;

    public static ReadLimits OrDefault(this ReadLimits? limits) => limits ?? ReadLimits.Default;

    public static StoppingRule OrDefault(this StoppingRule? stop) =>
        stop ?? StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000));

    /// <summary>What a caller's function returned: null from it would fail far from where it came from.</summary>
    public static T Returned<T>(this T? result, string? name) =>
        result ?? throw new ArgumentRangeException(
            $"{name}: the function must return a {typeof(T).Name}, and it returned null");
}
