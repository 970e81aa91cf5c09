namespace Curvature.Kernels;

/// <summary>Where an operand lies: its slot in the table of addresses given to <see cref="Kernel.Run"/>, the offset of its
/// first element, and one stride for each axis of the shape it is used with. Offset and strides are in elements;
/// strides may be zero (broadcast) or negative (reversed).</summary>
public readonly record struct Operand(int Slot, long Offset, int[] Strides);

/// <summary>Which operands of a contraction carry an axis.</summary>
public enum AxisRole
{
    /// <summary>A, B and C.</summary>
    Batch,

    /// <summary>A and C.</summary>
    Left,

    /// <summary>B and C.</summary>
    Right,

    /// <summary>A and B: summed over.</summary>
    Inner,
}

/// <summary>One axis of a contraction with its stride, in elements, in each operand that carries it (0 in the others).</summary>
public readonly record struct ContractionAxis(AxisRole Role, int Size, int StrideA, int StrideB, int StrideC);

/// <summary>An operand of a contraction.</summary>
public enum ContractionSide
{
    /// <summary>The first operand.</summary>
    A,

    /// <summary>The second operand.</summary>
    B,
}

/// <summary>C (+)= Σ_inner A·B: every product of two arrays (matrix products with any transposition, batched, strided,
/// outer products, dot products) is one of these.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Axes">All axes, in any order; those of one role, first to last, are row-major among themselves.</param>
/// <param name="SlotA">Slot of A, or of the packed A.</param>
/// <param name="OffsetA">First element of A; ignored when packed.</param>
/// <param name="SlotB">Slot of B, or of the packed B.</param>
/// <param name="OffsetB">First element of B; ignored when packed.</param>
/// <param name="SlotC">Slot of C.</param>
/// <param name="OffsetC">First element of C.</param>
/// <param name="Accumulate">Add to C instead of overwriting it.</param>
/// <param name="PackedA">A was written by <see cref="Device.Pack"/> from a contraction that is equal but for slots, offsets,
/// <paramref name="Accumulate"/> and the two packed marks.</param>
/// <param name="PackedB">The same for B. A and B are never both packed.</param>
public sealed record Contraction(
    DType DType,
    ContractionAxis[] Axes,
    int SlotA,
    long OffsetA,
    int SlotB,
    long OffsetB,
    int SlotC,
    long OffsetC,
    bool Accumulate = false,
    bool PackedA = false,
    bool PackedB = false);

/// <summary>One elementwise operation on a tape. Masks are numbers: 1 for true, 0 for false.</summary>
public enum OpCode
{
    /// <summary>a + b</summary>
    Add,

    /// <summary>a − b</summary>
    Subtract,

    /// <summary>a·b</summary>
    Multiply,

    /// <summary>a / b</summary>
    Divide,

    /// <summary>a·b + c</summary>
    MultiplyAdd,

    /// <summary>max(a, b)</summary>
    Maximum,

    /// <summary>min(a, b)</summary>
    Minimum,

    /// <summary>1 where a &gt; b, else 0</summary>
    Greater,

    /// <summary>1 where a ≥ b, else 0</summary>
    GreaterOrEqual,

    /// <summary>1 where a = b, else 0</summary>
    Equal,

    /// <summary>b where a ≠ 0, else c</summary>
    Select,

    /// <summary>a raised to the power b</summary>
    Power,

    /// <summary>−a</summary>
    Negate,

    /// <summary>|a|</summary>
    Abs,

    /// <summary>−1, 0 or 1</summary>
    Sign,

    /// <summary>largest integer ≤ a</summary>
    Floor,

    /// <summary>√a</summary>
    Sqrt,

    /// <summary>1/√a</summary>
    ReciprocalSqrt,

    /// <summary>eᵃ</summary>
    Exp,

    /// <summary>eᵃ − 1</summary>
    Expm1,

    /// <summary>natural logarithm</summary>
    Log,

    /// <summary>ln(1 + a)</summary>
    Log1p,

    /// <summary>sine, radians</summary>
    Sin,

    /// <summary>cosine, radians</summary>
    Cos,

    /// <summary>hyperbolic tangent</summary>
    Tanh,

    /// <summary>1/(1 + e⁻ᵃ)</summary>
    Sigmoid,

    /// <summary>ln(1 + eᵃ), without overflow</summary>
    Softplus,

    /// <summary>error function</summary>
    Erf,

    /// <summary>inverse of the error function, on (−1, 1)</summary>
    ErfInverse,
}

/// <summary>One step of a tape. Registers are numbered: first the inputs, then the constants, then one for the result of
/// each instruction in order. Unused operands are 0.</summary>
public readonly record struct Instruction(OpCode Op, int A, int B = 0, int C = 0);

/// <summary>A register that leaves the tape: stored at <paramref name="Target"/>, whose strides belong to the axes of the tape's
/// shape less the last <paramref name="SummedAxes"/>, over which it is summed.</summary>
public readonly record struct TapeOutput(int Register, Operand Target, int SummedAxes = 0);

/// <summary>A straight-line elementwise program over a shape. Executed tile by tile, so that intermediate registers stay in
/// the first-level cache. Sums of Float32 accumulate in Float64 or pairwise.</summary>
/// <param name="DType">Float32 or Float64, for all registers.</param>
/// <param name="Shape">The iteration space.</param>
/// <param name="Inputs">Arrays read, with strides over <paramref name="Shape"/>.</param>
/// <param name="Constants">Scalar registers.</param>
/// <param name="Code">Instructions, in order. May be empty: an output may be an input or a constant.</param>
/// <param name="Outputs">Registers that are stored or summed; at least one. No target overlaps an input, unless it is that
/// very input with the same strides.</param>
public sealed record Tape(DType DType, int[] Shape, Operand[] Inputs, double[] Constants, Instruction[] Code, TapeOutput[] Outputs);

/// <summary>What a reduction computes.</summary>
public enum ReductionKind
{
    /// <summary>Sum, accumulated in Float64 or pairwise.</summary>
    Sum,

    /// <summary>Largest element; NaN if any is NaN.</summary>
    Maximum,

    /// <summary>Int32 position of the first largest element, row-major over the reduced axes.</summary>
    ArgMaximum,
}

/// <summary>A reduction of <paramref name="Axes"/> (ascending) of an array; the target's strides belong to the axes kept.
/// An empty sum is 0; the maximum of nothing is −∞.</summary>
public sealed record Reduction(DType DType, ReductionKind Kind, int[] Shape, int[] Axes, Operand Source, Operand Target);

/// <summary>target[i] = source[i] for all i in the shape, with conversion (Float to Int32 truncates).</summary>
public sealed record StridedCopy(DType SourceDType, DType TargetDType, int[] Shape, Operand Source, Operand Target);

/// <summary>Sizes and places of a gather or scatter-add; every array is row-major from its offset. The table array has
/// shape [Batch, Outer, Length, Inner], the picked one [Batch, Outer, Count, Inner], the Int32 index [Batch, Count].
/// An index outside 0 … Length − 1 throws <see cref="ArgumentRangeException"/>, naming the position and the value.</summary>
public sealed record Indexing(
    DType DType,
    int Batch,
    int Outer,
    int Length,
    int Count,
    int Inner,
    int SourceSlot,
    long SourceOffset,
    int IndexSlot,
    long IndexOffset,
    int TargetSlot,
    long TargetOffset);

/// <summary>Sizes and places of a cumulative sum; row-major.</summary>
public sealed record Scan(
    DType DType, int Outer, int Length, int Inner, bool Reverse, int SourceSlot, long SourceOffset, int TargetSlot, long TargetOffset);

/// <summary>A distribution of random numbers.</summary>
public enum Distribution
{
    /// <summary>Raw 32-bit words, as Int32.</summary>
    Bits,

    /// <summary>Uniform on [0, 1).</summary>
    Uniform,

    /// <summary>Standard normal.</summary>
    Normal,

    /// <summary>−1 or 1 with equal probability.</summary>
    Rademacher,
}

/// <summary>Fills <paramref name="Count"/> consecutive elements; element i is a function of the key and of
/// <paramref name="Counter"/> + i alone (threefry2x32, the partitionable mode of jax.random).</summary>
public sealed record RandomFill(
    DType DType, Distribution Distribution, uint Key0, uint Key1, long Counter, long Count, int TargetSlot, long TargetOffset);
