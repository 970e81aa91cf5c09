using System.Collections;
using System.Diagnostics;
using System.Reflection;
using Curvature.Kernels;
using NUnit.Framework;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Every public member of the library is called with values that are wrong, one argument at a time. Whatever
/// is thrown derives from CurvatureException, or says that an argument is null or that the work was
/// cancelled.</summary>
public sealed class BadArgumentTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private const double LeastShare = 0.97;

    /// <summary>Of the members that are called, those that take some good values, where a bad one is the only bad one.
    /// </summary>
    private const double LeastCompleted = 0.95;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);

    /// <summary>What works on addresses cannot be called with wrong ones.</summary>
    private static readonly Type[] RawMemory = [typeof(Kernel), typeof(DeviceMemory)];

    private static IEnumerable<Type> Types =>
        Library.Assemblies.SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => !type.IsEnum && !typeof(Delegate).IsAssignableFrom(type)
                && !typeof(Exception).IsAssignableFrom(type)
                && !type.FullName!.Contains('<', StringComparison.Ordinal)
                && !type.FullName.Contains('@', StringComparison.Ordinal)
                && !RawMemory.Contains(type));

    private static IEnumerable<MethodBase> MembersOf(Type type) =>
        type.GetConstructors().Cast<MethodBase>()
            .Concat(type.GetMethods(Declared).Where(method => !method.Name.Contains('<', StringComparison.Ordinal)))
            .Where(member => !member.IsAbstract)
            // Slices of F# are the indexer of tensors, by other names.
            .Where(member => member.IsConstructor || !member.Name.Contains('.', StringComparison.Ordinal))
            // Functions that F# resolves where they are called have no body that can be called.
            .Where(member => !IsResolvedByCompiler(type, member))
            // IComparable has a contract of its own: ArgumentException or InvalidCastException for another type.
            .Where(member => member.Name != nameof(IComparable.CompareTo))
            // What F# makes for structural equality takes comparers from F# alone.
            .Where(member =>
                member.GetParameters().All(parameter => parameter.ParameterType != typeof(IEqualityComparer)));

    /// <summary>Whether the compiler made the method a twin with a witness of what it resolved, or it is one.</summary>
    private static bool IsResolvedByCompiler(Type type, MemberInfo member) =>
        member.Name.EndsWith("$W", StringComparison.Ordinal)
        || type.GetMethods(Declared).Any(other => other.Name == member.Name + "$W");

    [Test]
    public void WhatBadValuesThrowIsACurvatureException()
    {
        var folder = Directory.CreateTempSubdirectory("curvature-bad-values");
        using var run = new BadArgumentRun(Types.ToArray(), folder.FullName, CallLimit);
        var watch = Stopwatch.StartNew();
        var members = Types.SelectMany(type => MembersOf(type).Select(member => (type, member)));
        // What is disposed of is of no use to others.
        run.CallAll(members.OrderBy(each => each.member.Name == nameof(IDisposable.Dispose)));
        folder.Delete(recursive: true);
        TestContext.Out.WriteLine(
            $"{run.Calls} calls of {run.Covered} of {run.Members} members in {watch.Elapsed.TotalSeconds:F1} s; "
            + $"{run.Refused} were refused");
        TestContext.Out.WriteLine($"{run.Completed} members took good values, and {run.Refusing.Count} none:");
        TestContext.Out.WriteLine(string.Join('\n', run.Refusing));
        TestContext.Out.WriteLine($"not called: {string.Join("; ", run.Skipped)}");
        TestContext.Out.WriteLine(string.Join('\n', run.Slow));
        Assert.That(run.Offenders, Is.Empty, string.Join('\n', run.Offenders));
        Assert.That((double)run.Covered / run.Members, Is.GreaterThan(LeastShare));
        Assert.That((double)run.Completed / run.Covered, Is.GreaterThan(LeastCompleted));
    }
}
