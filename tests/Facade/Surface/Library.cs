using System.Reflection;
using System.Runtime.CompilerServices;
using Curvature.CSharp;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace Curvature.Tests.Facade.Surface;

/// <summary>What the library consists of, as a C# user or an F# user sees it.</summary>
internal static class Library
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static readonly Assembly Facade = typeof(Differentiate).Assembly;

    /// <summary>The assemblies of the library, found by what the facade refers to.</summary>
    private static readonly Assembly[] Core =
        new[] { Facade }.Concat(Facade.GetReferencedAssemblies().Select(Assembly.Load))
            .SelectMany(assembly => assembly.GetReferencedAssemblies().Select(Assembly.Load).Append(assembly))
            .Where(assembly => assembly.GetName().Name!.StartsWith("Curvature.", StringComparison.Ordinal))
            .Where(assembly => assembly != Facade)
            .Distinct()
            .ToArray();

    /// <summary>The assemblies of the library and the facade.</summary>
    public static IEnumerable<Assembly> Assemblies => Core.Append(Facade);

    /// <summary>The types of the namespace Curvature, which both languages use.</summary>
    public static IEnumerable<Type> SharedTypes =>
        Core.SelectMany(assembly => assembly.GetExportedTypes()).Where(type => type.Namespace == "Curvature");

    /// <summary>The types of the facade, without those that the compiler makes to describe extension members.</summary>
    public static IEnumerable<Type> FacadeTypes =>
        Facade.GetExportedTypes().Where(type => !type.FullName!.Contains('<', StringComparison.Ordinal));

    /// <summary>The static classes of the facade.</summary>
    public static IEnumerable<Type> FacadeClasses =>
        FacadeTypes.Where(type => type is { IsAbstract: true, IsSealed: true });

    /// <summary>Every function and value of every F# module, without members that a module adds to types, whose names
    /// have a dot, and without the twins that the compiler makes of generic functions.</summary>
    public static IEnumerable<MethodInfo> ModuleFunctions =>
        Core.SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type.Namespace == "Curvature.FSharp" && IsModule(type))
            .SelectMany(type => type.GetMethods(Declared))
            .Where(method => method.IsStatic && !method.Name.Contains('.'))
            .Where(method => !method.Name.EndsWith("$W", StringComparison.Ordinal));

    /// <summary>The name of a function or value as an F# user writes it, such as Tensor.tanh.</summary>
    public static string FSharpName(MethodInfo function)
    {
        var module = function.DeclaringType!.Name;
        var name = function.IsSpecialName ? function.Name.Replace("get_", "", StringComparison.Ordinal) : function.Name;
        return $"{(module.EndsWith("Module", StringComparison.Ordinal) ? module[..^6] : module)}.{name}";
    }

    /// <summary>The signatures of a type's public members: what each is called, and the types that it
    /// mentions.</summary>
    public static IEnumerable<(string Name, Type[] Types)> Signatures(Type type)
    {
        var name = type.Name.Split('`')[0];
        yield return (name, type.GetInterfaces().Append(type.BaseType ?? typeof(object)).ToArray());

        var written = type.GetMethods(Declared)
            .Where(method => !method.IsDefined(typeof(CompilerGeneratedAttribute)));
        foreach (var method in written)
        {
            var parameters = method.GetParameters().Select(p => p.ParameterType);
            yield return ($"{name}.{method.Name}", [method.ReturnType, .. parameters]);
        }

        foreach (var constructor in type.GetConstructors(Declared))
        {
            yield return ($"{name} (constructor)", constructor.GetParameters().Select(p => p.ParameterType).ToArray());
        }

        foreach (var field in type.GetFields(Declared))
        {
            yield return ($"{name}.{field.Name}", [field.FieldType]);
        }
    }

    /// <summary>Whether a type, or one that it is made of, belongs to F#: functions, options, lists, Unit, or tuples
    /// without names.</summary>
    public static bool MentionsFSharp(Type type)
    {
        if (type.HasElementType)
        {
            return MentionsFSharp(type.GetElementType()!);
        }

        var isTuple = type.FullName?.StartsWith("System.Tuple", StringComparison.Ordinal) == true;
        return isTuple
            || type.Assembly == typeof(FSharpList<>).Assembly
            || type.GetGenericArguments().Any(MentionsFSharp);
    }

    private static bool IsModule(Type type) =>
        type.GetCustomAttribute<CompilationMappingAttribute>()?.SourceConstructFlags == SourceConstructFlags.Module;
}
