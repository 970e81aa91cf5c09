namespace Curvature.Kernels;

/// <summary>One step of a tape. Registers are numbered: first the inputs, then the constants, then one for the result
/// of each instruction in order. Unused operands are 0.</summary>
public readonly record struct Instruction(OpCode Op, int A, int B = 0, int C = 0);

/// <summary>A register that leaves the tape: stored at <paramref name="Target"/>, whose strides belong to the axes of
/// the tape's shape less the last <paramref name="SummedAxes"/>, over which it is summed.</summary>
public readonly record struct TapeOutput(int Register, Operand Target, int SummedAxes = 0);

/// <summary>A straight-line elementwise program over a shape. Executed tile by tile, so that intermediate registers
/// stay in the first-level cache. Sums of Float32 accumulate in Float64 or pairwise.</summary>
/// <param name="DType">Float32 or Float64, for all registers.</param>
/// <param name="Shape">The iteration space.</param>
/// <param name="Inputs">Arrays read, with strides over <paramref name="Shape"/>.</param>
/// <param name="Constants">Scalar registers.</param>
/// <param name="Code">Instructions, in order. May be empty: an output may be an input or a constant.</param>
/// <param name="Outputs">Registers that are stored or summed; at least one. No target overlaps an input, unless it is
/// that very input with the same strides.</param>
public sealed record TapeDescription(
    DType DType, int[] Shape, Operand[] Inputs, double[] Constants, Instruction[] Code, TapeOutput[] Outputs);
