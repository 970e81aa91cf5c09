namespace Curvature.Kernels;

/// <summary>Facts about operations.</summary>
internal static class OpCodes
{
    /// <summary>How many operands an operation has.</summary>
    public static int Operands(OpCode operation) => operation switch
    {
        OpCode.MultiplyAdd or OpCode.Select => 3,
        OpCode.Add or OpCode.Subtract or OpCode.Multiply or OpCode.Divide or OpCode.Maximum or OpCode.Minimum
            or OpCode.Greater or OpCode.GreaterOrEqual or OpCode.Equal or OpCode.Power
            or OpCode.Atan2 => 2,
        _ => 1,
    };

    /// <summary>Whether an operation takes many instructions.</summary>
    public static bool IsFunction(OpCode operation) =>
        operation is OpCode.Power or OpCode.Atan2 or (>= OpCode.Exp and <= OpCode.ErfInverse);
}
