using System.Collections;
using System.Reflection;
using Curvature.CSharp;
using Curvature.Kernels;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;

namespace Curvature.Tests.Facade.Surface;

/// <summary>For each type of parameter a value that members can work with, made by hand where it matters and otherwise
/// by whatever member of the library returns the type.</summary>
internal sealed class GoodValues
{
    private const int MostDepth = 4;

    private static readonly BindingFlags Static = BindingFlags.Public | BindingFlags.Static;

    private readonly Dictionary<Type, object?> _known = [];
    /// <summary>The types that could not be made, and the depth from which it was tried.</summary>
    private readonly Dictionary<Type, int> _missing = [];
    private readonly ILookup<Type, MethodBase> _makers;
    private readonly string _folder;
    private readonly Candidates _candidates;
    private readonly CompositeValues _composites;

    public GoodValues(IEnumerable<Type> types, string folder)
    {
        _folder = folder;
        _candidates = new Candidates(folder);
        _composites = new CompositeValues(TryGet, Learn);
        _makers = types
            .SelectMany(type => type.GetMethods(Static)
                .Where(method => !method.IsGenericMethodDefinition)
                .Cast<MethodBase>()
                .Concat(type.GetConstructors()))
            .OrderBy(maker => maker.GetParameters().Length)
            .ToLookup(maker => maker is MethodInfo method ? method.ReturnType : maker.DeclaringType!);
        Seed();
    }

    /// <summary>The vector that functions of the library are given.</summary>
    public static Tensor Vector { get; } = FSharp.Tensor.ofArray(Shape(4), [0.5, -1.0, 2.0, 0.25]);

    /// <summary>A symmetric matrix without negative eigenvalues.</summary>
    public static Tensor Matrix { get; } =
        FSharp.Tensor.ofArray(Shape(4, 4), [4, 1, 0, 0, 1, 4, 1, 0, 0, 1, 4, 1, 0, 0, 1, 4]);

    /// <summary>Inputs and targets of a network with as many parameters as the vector has numbers.</summary>
    private static Batch Samples { get; } = new(
        FSharp.Tensor.ofArray(Shape(5, 3), [1, 2, 3, 3, 1, 0, 0, 1, -1, 2, -1, 1, 1, 1, 0]),
        FSharp.Tensor.ofArray(Shape(5, 1), [1.0, 2.0, 0.5, -1.0, 0.25]));

    public static Microsoft.FSharp.Collections.FSharpList<int> Shape(params int[] lengths) =>
        Microsoft.FSharp.Collections.ListModule.OfSeq(lengths);

    /// <summary>Whether there is a value, and which. What a call may change, options and streams, is made anew each
    /// time.</summary>
    public bool TryGet(Type type, out object? value) => TryGet(type, 0, out value);

    /// <summary>Keeps what a member returned, as the value for its type, unless there is one.</summary>
    public void Learn(object? value)
    {
        if (value is null)
        {
            return;
        }

        for (var type = value.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            if (type.IsVisible && _known.TryAdd(type, value))
            {
                _missing.Clear();
            }
        }

        if (value is IEnumerable items and not (string or Tensor))
        {
            var enumerator = items.GetEnumerator();
            if (enumerator.MoveNext())
            {
                Learn(enumerator.Current);
            }
        }
    }

    private bool TryGet(Type type, int depth, out object? value)
    {
        if (MakeAnew(type) is { } fresh)
        {
            value = fresh;
            return true;
        }

        if (_known.TryGetValue(type, out value))
        {
            return true;
        }

        if (depth > MostDepth || (_missing.TryGetValue(type, out var failed) && depth >= failed))
        {
            return false;
        }

        if (TryMake(type, depth, out value))
        {
            _known[type] = value;
            return true;
        }

        _missing[type] = depth;
        return false;
    }

    public static object? MakeAnew(Type type) =>
        type == typeof(Stream) ? new MemoryStream()
        : type == typeof(TextReader) ? new StringReader("1,2,0")
        : type.IsClass && type.GetProperties().Any(property => property.CanWrite)
            && type.GetConstructor([]) is { } constructor
            ? constructor.Invoke([])
        : null;

    private void Seed()
    {
        var network = FSharp.Network.ofLayer(FSharp.Layer.dense(3, 1));
        var symmetric = FSharp.LinearOperator.ofSymmetricMatrix(Matrix);
        Add(Vector);
        Add(2);
        Add(2L);
        Add(1u);
        Add((byte)1);
        Add(0.5);
        Add(0.5f);
        Add(true);
        Add('a');
        Add("a");
        Add((nint)0);
        Add(Key.OfSeed(1));
        Add(CancellationToken.None);
        Add(DType.Float64);
        Add(new CpuDevice(1, InstructionSet.Portable));
        Add<Device>(CpuDevice.Shared);
        Add(FSharp.LinearOperator.claim(OperatorProperties.PositiveSemidefinite, symmetric));
        Add<TextWriter>(TextWriter.Null);
        Add<object>(new double[] { 1, 2 });
        Add(FSharp.StoppingRule.matvecs(4));
        Add(new WindowAxis(4, 2));
        Add(new Operand(0, 0, [1]));
        Add(Samples);
        Add(network);
        Add(network.Layout);
        Add(new KeyValuePair<string, Tensor>("weight", FSharp.Tensor.ones(DType.Float64, Shape(1, 3))));
        Add(CSharp.Risk.OfModel(
            (x, theta) => network.Forward(theta, x),
            (y, outputs) => CSharp.Loss.MeanSquaredError(outputs, y),
            [Samples]));
        Learn(CSharp.Compile.Family(theta => new ValuesAndMap([theta], v => theta * v))(Vector).Profile(Vector, 1));
        Learn(CSharp.Calibration.OfNumbers(Vector, Vector, Vector.Square()));
        var trace = CSharp.Measurement.Trace.Select(estimate => estimate.Value);
        Add(trace);
        Add(CSharp.Estimators.Hutchinson(trace));
        Add(typeof(int));
        Add(StructuralComparisons.StructuralEqualityComparer);
    }

    private void Add<T>(T value) => _known[typeof(T)] = value;

    private bool TryMake(Type type, int depth, out object? value)
    {
        value = null;
        if (type.IsEnum)
        {
            value = Enum.GetValues(type).GetValue(0);
            return true;
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return TryGet(underlying, depth + 1, out value);
        }

        if (type.IsArray)
        {
            return _composites.TryMakeArray(type, depth, out value);
        }

        if (type == typeof(Unit))
        {
            return true;
        }

        if (FSharpType.IsFunction(type) || typeof(Delegate).IsAssignableFrom(type))
        {
            return _composites.TryMakeFunction(type, depth, out value);
        }

        if (type.IsGenericType && _composites.TryMakeGeneric(type, depth, out value))
        {
            return true;
        }

        return TryCallMaker(type, depth, out value);
    }

    /// <summary>What the first member that returns the type, and runs, returns.</summary>
    private bool TryCallMaker(Type type, int depth, out object? value)
    {
        var derived = _makers.Where(group => type.IsAbstract && type.IsAssignableFrom(group.Key))
            .SelectMany(group => group);
        foreach (var maker in _makers[type].Concat(derived))
        {
            var parameters = maker.GetParameters();
            var arguments = new object?[parameters.Length];
            var complete = true;
            for (var i = 0; i < arguments.Length && complete; i++)
            {
                complete = parameters[i].ParameterType != type && TryGetFor(parameters[i], depth + 1, out arguments[i]);
            }

            if (!complete)
            {
                continue;
            }

            try
            {
                value = maker is ConstructorInfo constructor
                    ? constructor.Invoke(arguments)
                    : maker.Invoke(null, arguments);
                if (value is not null)
                {
                    return true;
                }
            }
            catch (TargetInvocationException)
            {
                // The next one may be luckier.
            }
        }

        value = null;
        return false;
    }

    /// <summary>The value for a parameter, or with a source of choices one that may suit better. What is a path does
    /// not lead out of the test's folder.</summary>
    public bool TryGetFor(ParameterInfo parameter, Random? choices, out object? value)
    {
        var type = parameter.ParameterType;
        if (choices is null)
        {
            return TryGetFor(parameter, 0, out value);
        }

        value = IsPath(parameter) ? _candidates.ChoosePath(choices) : _candidates.Choose(type, choices);
        if (value is not null)
        {
            return true;
        }

        return (choices.Next(2) == 0 && TryMakeSingle(type, choices, out value)) || TryGetFor(parameter, 0, out value);
    }

    /// <summary>A collection of one element.</summary>
    private bool TryMakeSingle(Type type, Random choices, out object? value)
    {
        value = null;
        if (!type.IsGenericType
            || type.GetGenericArguments().Length != 1
            || !typeof(IEnumerable).IsAssignableFrom(type))
        {
            return false;
        }

        var element = type.GetGenericArguments()[0];
        if ((_candidates.Choose(element, choices) ?? (TryGet(element, out var known) ? known : null)) is not { } item)
        {
            return false;
        }

        var array = Array.CreateInstance(element, 1);
        array.SetValue(item, 0);
        value = type.GetGenericTypeDefinition() == typeof(Microsoft.FSharp.Collections.FSharpList<>)
            ? Lists.ToFSharpList(element, array)
            : array;
        return type.IsInstanceOfType(value);
    }

    private static bool IsPath(ParameterInfo parameter) =>
        parameter.ParameterType == typeof(string)
        && (parameter.Name!.Contains("path", StringComparison.OrdinalIgnoreCase)
            || parameter.Name is "images" or "labels" or "file");

    private bool TryGetFor(ParameterInfo parameter, int depth, out object? value)
    {
        if (IsPath(parameter))
        {
            value = Path.Combine(_folder, "file");
            return true;
        }

        if (parameter.ParameterType.IsByRef)
        {
            var inner = parameter.ParameterType.GetElementType()!;
            value = inner.IsValueType && !inner.IsByRefLike ? Activator.CreateInstance(inner) : null;
            return !inner.IsByRefLike;
        }

        return TryGet(parameter.ParameterType, depth, out value);
    }
}
