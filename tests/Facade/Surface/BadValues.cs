using System.Collections;
using System.Reflection;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;

namespace Curvature.Tests.Facade.Surface;

/// <summary>For each type of parameter values that a member may well refuse.</summary>
internal sealed class BadValues(GoodValues good, Tensor foreign)
{
    /// <summary>Values that are wrong, or may be; the last one of integers is so large that memory or time may not
    /// suffice.</summary>
    public IEnumerable<object?> Of(Type type, bool withNull, bool withLargest)
    {
        var values = Numbers(type, withLargest) ?? References(type, withNull);
        return withNull && !type.IsValueType ? values.Append(null) : values;
    }

    private static IEnumerable<object?>? Numbers(Type type, bool withLargest)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Numbers(underlying, withLargest)?.Append(null);
        }

        object[]? values =
            type == typeof(int) ? [0, -1, int.MinValue, .. Largest(int.MaxValue)]
            : type == typeof(long) ? [0L, -1L, long.MinValue, .. Largest(long.MaxValue)]
            : type == typeof(uint) ? [0u, uint.MaxValue]
            : type == typeof(double) ? [double.NaN, double.PositiveInfinity, 0.0, -1.0, double.MaxValue]
            : type == typeof(float) ? [float.NaN, float.PositiveInfinity, -1f]
            : type == typeof(bool) ? [false]
            : type.IsEnum ? [.. new[] { -1, 99 }.Select(value => Enum.ToObject(type, value))]
            : null;
        return values;

        IEnumerable<object> Largest(object value) => withLargest ? [value] : [];
    }

    private IEnumerable<object?> References(Type type, bool withNull)
    {
        if (type == typeof(string))
        {
            return ["", "\0", "no such thing"];
        }

        if (type == typeof(Tensor))
        {
            return Tensors();
        }

        if (type == typeof(object))
        {
            return ["text", new object(), new object[] { 1.0, "2" }, Array.Empty<double>()];
        }

        if (type == typeof(CancellationToken))
        {
            return [new CancellationToken(canceled: true)];
        }

        if (type.IsValueType && !type.IsGenericType)
        {
            return type.IsByRefLike ? [] : [Activator.CreateInstance(type)];
        }

        if (FSharpType.IsFunction(type) || typeof(Delegate).IsAssignableFrom(type))
        {
            return FunctionsOf(type, withNull);
        }

        if (type.Name.EndsWith("Options", StringComparison.Ordinal)
            || type.Name.EndsWith("Limits", StringComparison.Ordinal))
        {
            return OptionsOf(type);
        }

        var isSequence = type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type);
        return type.IsArray || isSequence ? Collections(type, withNull) : [];
    }

    private IEnumerable<Tensor> Tensors() =>
    [
        FSharp.Tensor.zeros(DType.Float64, GoodValues.Shape(0)),
        FSharp.Tensor.scalar(DType.Float64, -1.0),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(1, 2, 3, 4)),
        FSharp.Tensor.ones(DType.Float32, GoodValues.Shape(4)),
        FSharp.Tensor.ofIndices(GoodValues.Shape(4), [0, -1, int.MaxValue, int.MinValue]),
        FSharp.Tensor.ofArray(GoodValues.Shape(4), [double.NaN, double.PositiveInfinity, 0, 1e308]),
        foreign,
    ];

    private static IEnumerable<object?> FunctionsOf(Type type, bool withNull)
    {
        var result = Functions.ResultOf(type);
        if (result != typeof(Tensor))
        {
            return result.IsValueType || result == typeof(Unit) || !withNull ? [] : [Functions.Make(type, _ => null)];
        }

        object[] nothing = withNull ? [Functions.Make(type, _ => null)] : [];
        return
        [
            .. nothing,
            Functions.Make(type, _ => FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(2, 3))),
            Functions.Make(type, _ => FSharp.Tensor.ofIndices(GoodValues.Shape(1), [7])),
            Functions.Make(type, _ => FSharp.Tensor.scalar(DType.Float64, double.NaN)),
        ];
    }

    /// <summary>Options with one bad value each, as far as the options themselves take it.</summary>
    private IEnumerable<object?> OptionsOf(Type type)
    {
        var ofOneArgument = type.GetMethods().Where(each => !each.IsStatic && each.GetParameters().Length == 1);
        foreach (var method in ofOneArgument)
        {
            var isSetter = method.IsSpecialName && method.Name.StartsWith("set_", StringComparison.Ordinal);
            if (!isSetter && method.ReturnType != type)
            {
                continue;
            }

            foreach (var bad in Of(method.GetParameters()[0].ParameterType, withNull: false, withLargest: false))
            {
                if (good.TryGet(type, out var options) && TryChange(method, ref options, bad))
                {
                    yield return options;
                }
            }
        }
    }

    private static bool TryChange(MethodInfo method, ref object? options, object? bad)
    {
        try
        {
            var result = method.Invoke(options, [bad]);
            options = method.ReturnType == typeof(void) ? options : result;
            return true;
        }
        catch (TargetInvocationException)
        {
            return false;
        }
    }

    private IEnumerable<object?> Collections(Type type, bool withNull)
    {
        var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
        if (type.IsArray && type.GetArrayRank() > 1)
        {
            return [Array.CreateInstance(element, 0, 0), Array.CreateInstance(element, 1, 3)];
        }

        if (!type.IsArray && type.GetGenericArguments().Length > 1)
        {
            return [];
        }

        var isListOfFSharp = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(FSharpList<>);
        var items = new List<object?[]> { Array.Empty<object?>() };
        if (good.TryGet(element, out var item))
        {
            items.Add([item]);
            items.Add([item, item, item]);
            items.AddRange(Of(element, withNull: false, withLargest: false).Select(bad => new[] { item, bad }));
            if (!element.IsValueType && !isListOfFSharp && withNull)
            {
                items.Add([item, null]);
            }
        }

        return items.Select(each => Collect(type, element, each)).Where(type.IsInstanceOfType);
    }

    private static object Collect(Type type, Type element, object?[] items)
    {
        var array = Array.CreateInstance(element, items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            array.SetValue(items[i], i);
        }

        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(FSharpList<>)
            ? Lists.ToFSharpList(element, array)
            : array;
    }
}
