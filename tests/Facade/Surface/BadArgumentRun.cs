using System.Diagnostics;
using System.Reflection;
using Curvature.Kernels;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Calls members with bad values, and remembers what they throw that they should not.</summary>
internal sealed class BadArgumentRun : IDisposable
{
    private readonly GoodValues _good;
    private readonly BadValues _bad;
    private readonly PatientWorker _worker;
    private readonly SortedSet<string> _offenders = new(StringComparer.Ordinal);
    private readonly List<string> _skipped = [];
    private readonly List<string> _slow = [];

    public BadArgumentRun(Type[] types, string folder, TimeSpan limit)
    {
        _good = new GoodValues(types, folder);
        var device = new CpuDevice(1, InstructionSet.Portable);
        _bad = new BadValues(_good, FSharp.Tensor.toDevice(device, GoodValues.Vector));
        _worker = new PatientWorker(limit);
    }

    public int Members { get; private set; }

    public int Covered { get; private set; }

    public int Calls { get; private set; }

    public int Refused { get; private set; }

    public IReadOnlyCollection<string> Offenders => _offenders;

    public IReadOnlyCollection<string> Skipped => _skipped;

    public IReadOnlyCollection<string> Slow => _slow;

    public void Dispose() => _worker.Dispose();

    /// <summary>Calls a member with good values, and with each bad one in the place of one of them.</summary>
    public void Call(Type type, MethodBase member)
    {
        if (member is MethodInfo { IsGenericMethodDefinition: true } || type.IsGenericTypeDefinition)
        {
            if (Close(type, member) is not { } closed)
            {
                Members++;
                _skipped.Add(Describe(type, member));
                return;
            }

            member = closed;
            type = closed.DeclaringType!;
        }

        Members++;
        var parameters = member.GetParameters();
        var arguments = new object?[parameters.Length];
        object? target = null;
        var complete = member.IsStatic || member.IsConstructor || _good.TryGet(type, out target);
        for (var i = 0; i < parameters.Length && complete; i++)
        {
            complete = _good.TryGetFor(parameters[i], out arguments[i]);
        }

        if (!complete)
        {
            _skipped.Add(Describe(type, member));
            return;
        }

        Covered++;
        Invoke(type, member, target, arguments, "good values");
        for (var i = 0; i < parameters.Length; i++)
        {
            var parameter = parameters[i];
            if (parameter.ParameterType.IsByRef)
            {
                continue;
            }

            foreach (var bad in _bad.Of(parameter.ParameterType, MayBeNullFor(member, parameter), !Guards.Asks(member, parameter)))
            {
                var changed = (object?[])arguments.Clone();
                changed[i] = bad;
                Invoke(type, member, target, changed, $"{parameter.Name} = {Show(bad)}");
            }
        }
    }

    /// <summary>F# knows no null of its own types: there a member need not look for it.</summary>
    private static bool MayBeNullFor(MethodBase member, ParameterInfo parameter) =>
        member.DeclaringType!.Namespace != "Curvature.FSharp" || parameter.ParameterType == typeof(string);

    private static string Show(object? value) => value switch
    {
        null => "null",
        Tensor tensor => $"{tensor.DType} [{string.Join(' ', tensor.Shape)}] on {tensor.Device.Name}",
        string text => $"\"{text.Replace('\0', '0')}\"",
        Array array => $"{array.GetType().Name} of {array.Length}",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.GetType().Name,
    };

    private static string Describe(Type type, MethodBase member) =>
        $"{type.Namespace}.{type.Name}.{member.Name}({string.Join(", ", member.GetParameters().Select(p => p.ParameterType.Name))})";

    private static bool IsAllowed(Exception error) =>
        error is CurvatureException or ArgumentNullException or OperationCanceledException or ObjectDisposedException;

    private static MethodBase? Close(Type type, MethodBase member)
    {
        try
        {
            if (type.IsGenericTypeDefinition)
            {
                var closed = type.MakeGenericType(type.GetGenericArguments().Select(_ => typeof(double)).ToArray());
                return MethodBase.GetMethodFromHandle(member.MethodHandle, closed.TypeHandle);
            }

            var method = (MethodInfo)member;
            return method.MakeGenericMethod(method.GetGenericArguments().Select(_ => typeof(double)).ToArray());
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private void Invoke(Type type, MethodBase member, object? target, object?[] arguments, string what)
    {
        Calls++;
        Exception? error = null;
        var watch = Stopwatch.StartNew();
        var cameBack = _worker.Run(() => error = Attempt(member, target, arguments));
        if (watch.ElapsedMilliseconds > 300)
        {
            _slow.Add($"{watch.ElapsedMilliseconds} ms: {Describe(type, member)}, {what}");
        }

        if (!cameBack)
        {
            _offenders.Add($"{Describe(type, member)}: {what} did not come back");
        }
        else if (error is not null)
        {
            Refused++;
            if (!IsAllowed(error))
            {
                var place = new StackTrace(error).GetFrames().FirstOrDefault()?.GetMethod();
                _offenders.Add(
                    $"{Describe(type, member)}: {error.GetType().Name} for {what}: {error.Message.ReplaceLineEndings(" ")} at {place?.DeclaringType?.Name}.{place?.Name}");
            }
        }
    }

    private static Exception? Attempt(MethodBase member, object? target, object?[] arguments)
    {
        try
        {
            var result = member is ConstructorInfo constructor ? constructor.Invoke(arguments) : member.Invoke(target, arguments);
            switch (result)
            {
                case Task task:
                    task.Wait();
                    break;
                case IEnumerable<object> items:
                    _ = items.Take(10).Count();
                    break;
            }

            return null;
        }
        catch (TargetInvocationException error)
        {
            return Innermost(error.InnerException!);
        }
        catch (AggregateException error)
        {
            return Innermost(error.InnerException!);
        }
        catch (Exception error)
        {
            return error;
        }
    }

    private static Exception Innermost(Exception error) =>
        error is TargetInvocationException or TypeInitializationException or AggregateException ? Innermost(error.InnerException!) : error;
}

/// <summary>Where the largest number is a wish for more memory or time than a test has, and so is no mistake.</summary>
internal static class Guards
{
    private static readonly HashSet<string> Sizes = new(StringComparer.OrdinalIgnoreCase)
    {
        "batch", "batchSize", "blocks", "channels", "classes", "columns", "context", "count", "depth", "draws", "epochs", "features",
        "iterations", "layers", "length", "limit", "matvecs", "n", "order", "outputs", "inputs", "k", "points", "probes", "rows",
        "samples", "size", "steps", "threads", "vocabulary", "width", "height", "parts", "bytes",
    };

    public static bool Asks(MethodBase member, ParameterInfo parameter) => Sizes.Contains(parameter.Name!);
}
