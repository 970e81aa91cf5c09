using System.Reflection;
using System.Reflection.Emit;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Which methods the code of an assembly names.</summary>
internal static class IntermediateLanguage
{
    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (OpCode)field.GetValue(null)!)
            .ToDictionary(code => code.Value);

    /// <summary>Every method that is called, or of which a delegate is made, anywhere in an assembly, without its type
    /// arguments.</summary>
    public static IReadOnlySet<MethodBase> MethodsCalledBy(Assembly assembly) =>
        assembly.GetTypes()
            .SelectMany(type => type.GetMethods(Everything).Cast<MethodBase>().Concat(type.GetConstructors(Everything)))
            .SelectMany(MethodsCalledBy)
            .Select(method =>
                method is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericMethodDefinition() : method)
            .ToHashSet();

    private static IEnumerable<MethodBase> MethodsCalledBy(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            yield break;
        }

        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method is MethodInfo ? method.GetGenericArguments() : [];

        for (var position = 0; position < code.Length;)
        {
            short value = code[position++];
            if (value == 0xFE)
            {
                value = (short)((0xFE << 8) | code[position++]);
            }

            var operand = OpCodesByValue[value].OperandType;
            if (operand == OperandType.InlineMethod)
            {
                var token = BitConverter.ToInt32(code, position);
                yield return method.Module.ResolveMethod(token, typeArguments, methodArguments)!;
            }

            position += Length(operand, code, position);
        }
    }

    private static int Length(OperandType operand, byte[] code, int position) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, position)),
        _ => 4,
    };
}
