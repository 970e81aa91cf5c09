using System.Diagnostics;
using System.Reflection;
using Curvature.Kernels;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Calls members with bad values, and remembers what they throw that they should not.</summary>
internal sealed class BadArgumentRun : IDisposable
{
    /// <summary>As many choices of good values are tried for a member that refuses the first.</summary>
    private const int MostChoices = 60;

    private const string GoodOnes = "good values";

    private readonly GoodValues _good;
    private readonly BadValues _bad;
    private readonly PatientWorker _worker;
    private readonly SortedDictionary<string, string> _offenders = new(StringComparer.Ordinal);
    private readonly List<string> _skipped = [];
    private readonly List<string> _refusing = [];
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

    /// <summary>Members that took good values, so that their bad ones stand alone.</summary>
    public int Completed { get; private set; }

    public int Calls { get; private set; }

    public int Refused { get; private set; }

    public IEnumerable<string> Offenders => _offenders.Select(offender => $"{offender.Key} for {offender.Value}");

    public IReadOnlyCollection<string> Skipped => _skipped;

    /// <summary>Members that took none of the good values.</summary>
    public IReadOnlyCollection<string> Refusing => _refusing;

    public IReadOnlyCollection<string> Slow => _slow;

    public void Dispose() => _worker.Dispose();

    /// <summary>Calls each member with good values, and with each bad one in the place of one of them. What a member
    /// returns is a good value for others, so that those without one are tried again until nothing new is
    /// called.</summary>
    public void CallAll(IEnumerable<(Type Type, MethodBase Member)> members)
    {
        var waiting = members.Select(each => Close(each.Type, each.Member)).ToList();
        Members = waiting.Count;
        for (var before = int.MaxValue; waiting.Count < before;)
        {
            before = waiting.Count;
            waiting = waiting.Where(member => !TryCall(member)).ToList();
        }

        _skipped.AddRange(waiting.Select(Describe));
    }

    private bool TryCall(MethodBase member)
    {
        if (FindChoice(member) is not { } choice)
        {
            return false;
        }

        Covered++;
        foreach (var parameter in member.GetParameters().Where(parameter => !parameter.ParameterType.IsByRef))
        {
            var mayBeNull = MayBeNullFor(member, parameter);
            foreach (var bad in _bad.Of(parameter.ParameterType, mayBeNull, !Guards.Asks(parameter)))
            {
                var what = $"{parameter.Name} = {Show(bad)}";
                Call(member, choice, arguments => arguments[parameter.Position] = bad, what);
            }
        }

        return true;
    }

    /// <summary>The first choice of good values that a member takes; the first of all where it takes none, and null
    /// where there is none.</summary>
    private int? FindChoice(MethodBase member)
    {
        if (Call(member, 0, _ => { }, GoodOnes) is not { } first)
        {
            return null;
        }

        if (first || member.GetParameters().Length == 0)
        {
            Completed += first ? 1 : 0;
            return 0;
        }

        for (var choice = 1; choice <= MostChoices; choice++)
        {
            if (Call(member, choice, _ => { }, $"choice {choice} of {GoodOnes}") == true)
            {
                Completed++;
                return choice;
            }
        }

        _refusing.Add(Describe(member));
        return 0;
    }

    /// <summary>Calls a member with good values but for what a change puts in their place: whether it took them, or
    /// null where there are no good values.</summary>
    private bool? Call(MethodBase member, int choice, Action<object?[]> change, string what)
    {
        object? target = null;
        if (!member.IsStatic && !member.IsConstructor && !_good.TryGet(member.DeclaringType!, out target))
        {
            return null;
        }

        var choices = choice == 0 ? null : new Random(choice);
        var parameters = member.GetParameters();
        var arguments = new object?[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            if (!_good.TryGetFor(parameters[i], choices, out arguments[i]))
            {
                return null;
            }
        }

        change(arguments);
        return Invoke(member, target, arguments, what);
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

    private static string Describe(MethodBase member)
    {
        var type = member.DeclaringType!;
        var parameters = string.Join(", ", member.GetParameters().Select(parameter => parameter.ParameterType.Name));
        return $"{type.Namespace}.{type.Name}.{member.Name}({parameters})";
    }

    private static bool IsAllowed(Exception error) =>
        error is CurvatureException or ArgumentNullException or OperationCanceledException;

    /// <summary>The member itself; one with type parameters for numbers.</summary>
    private static MethodBase Close(Type type, MethodBase member)
    {
        if (type.IsGenericTypeDefinition)
        {
            var closed = type.MakeGenericType(type.GetGenericArguments().Select(_ => typeof(double)).ToArray());
            return Close(closed, MethodBase.GetMethodFromHandle(member.MethodHandle, closed.TypeHandle)!);
        }

        return member is MethodInfo { IsGenericMethodDefinition: true } method
            ? method.MakeGenericMethod(method.GetGenericArguments().Select(_ => typeof(double)).ToArray())
            : member;
    }

    private bool Invoke(MethodBase member, object? target, object?[] arguments, string what)
    {
        Calls++;
        Exception? error = null;
        object? result = null;
        var watch = Stopwatch.StartNew();
        var cameBack = _worker.Run(() => error = Attempt(member, target, arguments, out result));
        if (watch.ElapsedMilliseconds > 300)
        {
            _slow.Add($"{watch.ElapsedMilliseconds} ms: {Describe(member)}, {what}");
        }

        if (what.EndsWith(GoodOnes, StringComparison.Ordinal) && cameBack && error is null)
        {
            _good.Learn(result);
        }

        if (!cameBack)
        {
            Remember(member, "nothing", $"{what} did not come back");
        }
        else if (error is not null)
        {
            Refused++;
            if (!IsAllowed(error))
            {
                var place = new StackTrace(error).GetFrames().FirstOrDefault()?.GetMethod();
                var message = error.Message.ReplaceLineEndings(" ");
                Remember(
                    member, error.GetType().Name, $"{what}: {message} at {place?.DeclaringType?.Name}.{place?.Name}");
            }
        }

        return cameBack && error is null;
    }

    /// <summary>One example of each error of each member.</summary>
    private void Remember(MethodBase member, string error, string example) =>
        _offenders.TryAdd($"{Describe(member)}: {error}", example);

    private static Exception? Attempt(MethodBase member, object? target, object?[] arguments, out object? result)
    {
        result = null;
        try
        {
            result = member is ConstructorInfo constructor
                ? constructor.Invoke(arguments)
                : member.Invoke(target, arguments);
            switch (result)
            {
                case Task task:
                    task.Wait();
                    break;
                case IEnumerable<object> items and not Tensor:
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
        error is TargetInvocationException or TypeInitializationException or AggregateException
            ? Innermost(error.InnerException!)
            : error;
}

/// <summary>Where the largest number is no mistake, but a wish for more time or memory than a test has.</summary>
internal static class Guards
{
    private static readonly HashSet<string> Time = new(StringComparer.OrdinalIgnoreCase)
    {
        "epochs", "iterations", "matvecs", "parts", "passes", "probes", "samples", "steps",
    };

    private static readonly HashSet<string> Memory = new(StringComparer.OrdinalIgnoreCase)
    {
        "batch", "batchSize", "bytes", "channels", "columns", "context", "features", "height", "inputs", "length", "n",
        "outputs", "rows", "size", "threads", "vocabulary", "width",
    };

    public static bool Asks(ParameterInfo parameter) =>
        Time.Contains(parameter.Name!) || Memory.Contains(parameter.Name!);
}
