using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using NUnit.Framework;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Null is refused by the name of the argument, wherever the facade does not say that it may be
/// null.</summary>
public sealed class NullArgumentTests
{
    private static readonly NullabilityInfoContext Nullability = new();

    private static IEnumerable<MethodInfo> Methods =>
        from type in Library.FacadeClasses
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        select method.IsGenericMethodDefinition ? Close(method) : method;

    private static IEnumerable<TestCaseData> Arguments =>
        from method in Methods
        from parameter in method.GetParameters()
        where !parameter.ParameterType.IsValueType && !MayBeNull(parameter)
        select new TestCaseData(method, parameter).SetArgDisplayNames(Describe(method), parameter.Name!);

    [TestCaseSource(nameof(Arguments))]
    public void NullIsRefusedByName(MethodInfo method, ParameterInfo parameter)
    {
        var arguments = method.GetParameters()
            .Select(other => other == parameter || MayBeNull(other) ? null : Something(other.ParameterType))
            .ToArray();
        var error = Assert.Throws<TargetInvocationException>(() => method.Invoke(null, arguments))!.InnerException;
        Assert.That(error, Is.TypeOf<ArgumentNullException>().With.Property("ParamName").EqualTo(parameter.Name));
    }

    private static bool MayBeNull(ParameterInfo parameter) =>
        !parameter.ParameterType.IsValueType && Nullability.Create(parameter).WriteState == NullabilityState.Nullable;

    private static string Describe(MethodInfo method)
    {
        var parameters = method.GetParameters().Select(parameter => parameter.ParameterType.Name);
        return $"{method.DeclaringType!.Name}.{method.Name}({string.Join(", ", parameters)})";
    }

    private static MethodInfo Close(MethodInfo method) =>
        method.MakeGenericMethod(method.GetGenericArguments().Select(_ => typeof(Tensor)).ToArray());

    /// <summary>A value that is not null; nothing looks at it before every argument is checked.</summary>
    private static object? Something(Type type)
    {
        if (type.IsValueType)
        {
            return Activator.CreateInstance(type);
        }

        if (type == typeof(string))
        {
            return "a";
        }

        if (type.IsArray)
        {
            return Array.CreateInstance(type.GetElementType()!, new int[type.GetArrayRank()]);
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            var parameters = invoke.GetParameters().Select(p => Expression.Parameter(p.ParameterType));
            return Expression.Lambda(type, Expression.Default(invoke.ReturnType), parameters).Compile();
        }

        if (type is { IsInterface: true, IsGenericType: true })
        {
            return Array.CreateInstance(type.GetGenericArguments()[0], 0);
        }

        var concrete = type.IsAbstract
            ? type.Assembly.GetTypes().First(own => own.IsSubclassOf(type) && !own.IsAbstract)
            : type;
        return RuntimeHelpers.GetUninitializedObject(concrete);
    }
}
