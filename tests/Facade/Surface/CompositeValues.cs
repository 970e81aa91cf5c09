using System.Collections;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Finds the value for a type that is needed at a depth inside other types.</summary>
internal delegate bool ValueFinder(Type type, int depth, out object? value);

/// <summary>Arrays, functions, tuples and collections, made of the values for the types of their parts.</summary>
/// <param name="tryGet">Finds the values of the parts.</param>
/// <param name="learn">Receives what functions are called with and what progress is reported.</param>
internal sealed class CompositeValues(ValueFinder tryGet, Action<object?> learn)
{
    public bool TryMakeArray(Type type, int depth, out object? value)
    {
        value = null;
        var element = type.GetElementType()!;
        if (!tryGet(element, depth + 1, out var item))
        {
            return false;
        }

        var sizes = Enumerable.Repeat(2, type.GetArrayRank()).ToArray();
        var array = Array.CreateInstance(element, sizes);
        foreach (var index in Indices(sizes))
        {
            array.SetValue(item, index);
        }

        value = array;
        return true;
    }

    private static IEnumerable<int[]> Indices(int[] sizes) =>
        sizes.Length == 1
            ? Enumerable.Range(0, sizes[0]).Select(i => new[] { i })
            : Enumerable.Range(0, sizes[0]).SelectMany(i => Enumerable.Range(0, sizes[1]).Select(j => new[] { i, j }));

    public bool TryMakeFunction(Type type, int depth, out object? value)
    {
        value = null;
        var result = Functions.ResultOf(type);
        if (result == typeof(Tensor))
        {
            value = Functions.Make(type, arguments =>
            {
                arguments.OfType<Parameters>().ToList().ForEach(learn);
                return Functions.HalfSquare((Tensor)arguments.Last(argument => argument is Tensor)!);
            });
            return Functions.TakesTensor(type);
        }

        object? constant = null;
        if (result != typeof(void) && result != typeof(Unit) && !tryGet(result, depth + 1, out constant))
        {
            return false;
        }

        value = Functions.Make(type, _ => constant);
        return true;
    }

    public bool TryMakeGeneric(Type type, int depth, out object? value)
    {
        value = null;
        var definition = type.GetGenericTypeDefinition();
        var arguments = type.GetGenericArguments();
        if (definition == typeof(FSharpOption<>) || definition == typeof(FSharpValueOption<>))
        {
            value = definition == typeof(FSharpOption<>) ? null : Activator.CreateInstance(type);
            return true;
        }

        if (FSharpType.IsTuple(type))
        {
            var items = new object?[arguments.Length];
            for (var i = 0; i < items.Length; i++)
            {
                if (!tryGet(arguments[i], depth + 1, out items[i]))
                {
                    return false;
                }
            }

            value = FSharpValue.MakeTuple(items!, type);
            return true;
        }

        if (definition == typeof(IProgress<>))
        {
            value = Activator.CreateInstance(typeof(Listener<>).MakeGenericType(arguments), learn);
            return true;
        }

        if (typeof(IEnumerable).IsAssignableFrom(type) && arguments.Length == 1
            && tryGet(arguments[0].MakeArrayType(), depth + 1, out var items1))
        {
            value = definition == typeof(Microsoft.FSharp.Collections.FSharpList<>)
                ? Lists.ToFSharpList(arguments[0], (Array)items1!)
                : items1;
            return type.IsInstanceOfType(value);
        }

        return false;
    }

    /// <summary>Learns what progress is reported.</summary>
    private sealed class Listener<T>(Action<object?> learn) : IProgress<T>
    {
        public void Report(T value) => learn(value);
    }
}
