namespace Curvature.Kernels;

/// <summary>target[i] = source[i] for all i in the shape, with conversion (Float to Int32 truncates).</summary>
public sealed record CopyDescription(
    DType SourceDType, DType TargetDType, int[] Shape, Operand Source, Operand Target);
