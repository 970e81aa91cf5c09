namespace Curvature.Kernels;

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

/// <summary>One axis of a contraction with its stride, in elements, in each operand that carries it (0 in the
/// others).</summary>
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
/// <param name="A">The first operand.</param>
/// <param name="B">The second operand.</param>
/// <param name="C">The result.</param>
/// <param name="Accumulate">Add to C instead of overwriting it.</param>
/// <param name="Packed">The operand that <see cref="Device.Pack"/> wrote, if there is one, from a contraction that is
/// equal but for places, <paramref name="Accumulate"/> and this mark. Its offset is ignored.</param>
public sealed record ContractionDescription(
    DType DType,
    ContractionAxis[] Axes,
    Place A,
    Place B,
    Place C,
    bool Accumulate = false,
    ContractionSide? Packed = null)
{
    /// <summary>The first element of an operand, or of its packed form, in a run.</summary>
    internal unsafe T* Operand<T>(ContractionSide side, nint[] slots)
        where T : unmanaged
    {
        var place = side == ContractionSide.A ? A : B;
        return (Packed == side ? place with { Offset = 0 } : place).Address<T>(slots);
    }
}
