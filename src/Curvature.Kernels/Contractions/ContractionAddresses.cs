namespace Curvature.Kernels;

/// <summary>Finds the arrays of a contraction among the addresses of a run.</summary>
internal static unsafe class ContractionAddresses
{
    /// <summary>The first element of an operand, or of its packed form.</summary>
    public static T* Operand<T>(this Contraction contraction, ContractionSide side, nint[] slots)
        where T : unmanaged => side == ContractionSide.A
            ? (T*)slots[contraction.SlotA] + (contraction.PackedA ? 0 : contraction.OffsetA)
            : (T*)slots[contraction.SlotB] + (contraction.PackedB ? 0 : contraction.OffsetB);

    /// <summary>The first element of the result.</summary>
    public static T* Result<T>(this Contraction contraction, nint[] slots)
        where T : unmanaged => (T*)slots[contraction.SlotC] + contraction.OffsetC;
}
