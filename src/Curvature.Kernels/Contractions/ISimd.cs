using System.Numerics;
using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>The vector operations that contractions are written in, for one width of vector. Implementations are empty
/// structs: as type arguments they cost nothing, since the JIT compiles generic code anew for each of them.</summary>
/// <typeparam name="TVector">A hardware vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="T">float or double.</typeparam>
internal unsafe interface ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Elements in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The height of the tallest micro-tile: as many rows of two vectors as leave registers for a row of B and
    /// an element of A.</summary>
    static abstract int TileRows { get; }

    static abstract TVector Load(T* source);

    static abstract void Store(TVector value, T* target);

    static abstract TVector Broadcast(T value);

    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a·b + c, fused where the hardware can.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The vector with zeros for the elements before <paramref name="first"/>.</summary>
    static abstract TVector KeepFrom(TVector value, int first);

    /// <summary>The sum of the 128-bit lanes.</summary>
    static abstract Vector128<T> SumLanes(TVector value);

    /// <summary>Fills the 128-bit lane l with the elements at source + rows[l · (elements in a lane)].</summary>
    static abstract TVector LoadLanes(T* source, nint* rows);

    /// <summary>Within each 128-bit lane, the lower elements of a and b in turn: a₀ b₀ …</summary>
    static abstract TVector InterleaveLow(TVector a, TVector b);

    /// <summary>Within each 128-bit lane, the upper elements of a and b in turn.</summary>
    static abstract TVector InterleaveHigh(TVector a, TVector b);

    /// <summary>Within each 128-bit lane, the lower 64 bits of a, then those of b.</summary>
    static abstract TVector JoinLow(TVector a, TVector b);

    /// <summary>Within each 128-bit lane, the upper 64 bits of a, then those of b.</summary>
    static abstract TVector JoinHigh(TVector a, TVector b);
}
