namespace Curvature.Kernels;

/// <summary>What a value of a tape is.</summary>
internal enum TapeValueKind
{
    Input,
    Constant,
    Result,
}

/// <summary>A value of a tape: the input, the constant or the result of the step with that index.</summary>
internal readonly record struct TapeValue(TapeValueKind Kind, int Index);

/// <summary>One step of the simplified code; <see cref="Op"/> is null for a plain copy. Unused operands repeat the
/// first.</summary>
internal readonly record struct TapeStep(OpCode? Op, TapeValue A, TapeValue B, TapeValue C);
