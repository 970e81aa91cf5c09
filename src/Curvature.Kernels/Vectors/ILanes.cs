namespace Curvature.Kernels;

/// <summary>A vector of single or double precision numbers, or of their bits. Functions written over it compile,
/// through generics over structures, to the instructions of one width and one precision.</summary>
/// <remarks>Comparisons give masks: all bits of a lane set, or none. Operations on bits see lanes as unsigned
/// integers.</remarks>
internal unsafe interface ILanes<V>
    where V : struct, ILanes<V>
{
    /// <summary>Lanes in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>Bytes in a vector.</summary>
    static abstract int Size { get; }

    /// <summary>Whether lanes are single precision (else double): a constant to the compiler.</summary>
    static abstract bool IsSingle { get; }

    /// <summary>The vector at an address of any alignment.</summary>
    static abstract V Load(void* source);

    /// <summary>Writes this vector to an address of any alignment.</summary>
    void Store(void* target);

    /// <summary>For double lanes: the single precision numbers at an address, widened.</summary>
    static abstract V LoadSingles(float* source);

    /// <summary>For double lanes: writes this vector rounded to single precision.</summary>
    void StoreSingles(float* target);

    /// <summary>All lanes equal to <paramref name="value"/>, rounded to the precision of the lanes.</summary>
    static abstract V Create(double value);

    /// <summary>All lanes with the lowest bits of <paramref name="value"/>.</summary>
    static abstract V CreateBits(ulong value);

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    static abstract V operator -(V a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>Adds a·b to this vector, rounded once where the hardware can.</summary>
    /// <remarks>All else returns a new vector. Here the JIT compiler would then move each sum from one register to
    /// another, in the innermost loops of matrix products.</remarks>
    void AddProduct(V a, V b);

    /// <summary>Adds the element at an address times b.</summary>
    /// <remarks>Vectors of 512 bits multiply by an element of memory in one instruction. The JIT compiler finds it only
    /// where the element is read beside the product.</remarks>
    void AddProduct(void* element, V b);

    /// <summary>The larger; NaN if either is.</summary>
    static abstract V Max(V a, V b);

    /// <summary>The smaller; NaN if either is.</summary>
    static abstract V Min(V a, V b);

    /// <summary>The nearest to a in [low, high]; NaN if a is.</summary>
    static abstract V Clamp(V a, V low, V high);

    /// <summary>a·2ⁿ, rounded once, for any integer n that gives a finite non-zero number, or ends up out of range,
    /// from an a near 1.</summary>
    static abstract V Scale(V a, V exponent);

    static abstract V Abs(V a);

    static abstract V Sqrt(V a);

    static abstract V Floor(V a);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract V Round(V a);

    static abstract V Greater(V a, V b);

    static abstract V GreaterOrEqual(V a, V b);

    static abstract V Equal(V a, V b);

    /// <summary>a where the mask is set, else b.</summary>
    static abstract V Select(V mask, V a, V b);

    /// <summary>Whether any lane of the mask is set.</summary>
    static abstract bool Any(V mask);

    static abstract V operator &(V a, V b);

    static abstract V operator |(V a, V b);

    static abstract V operator ^(V a, V b);

    /// <summary>Sum of bits as integers.</summary>
    static abstract V AddBits(V a, V b);

    /// <summary>Difference of bits as integers.</summary>
    static abstract V SubtractBits(V a, V b);

    static abstract V operator <<(V a, int count);

    /// <summary>Shift of bits to the right, filling with zeros.</summary>
    static abstract V operator >>>(V a, int count);

    /// <summary>Rotation of bits to the left.</summary>
    static abstract V RotateLeft(V a, int count);

    /// <summary>Bits of the integer i in lane i.</summary>
    static abstract V LaneNumbers { get; }

    /// <summary>For double lanes: the operation over all lanes, halves first.</summary>
    static abstract double Across<TOperation>(V a)
        where TOperation : struct, IBinary;

    /// <summary>Rows of the tallest tile of a product: as many rows of two vectors as leave registers for a row of B
    /// and an element of A.</summary>
    static abstract int TileRows { get; }

    /// <summary>All lanes equal to the element at an address.</summary>
    static abstract V Broadcast(void* element);

    /// <summary>The vector with zeros in the lanes before <paramref name="first"/>.</summary>
    static abstract V KeepFrom(V a, int first);

    /// <summary>Fills block b of 128 bits with the elements at source + rows[b · (lanes in a block)].</summary>
    static abstract V LoadBlocks(void* source, nint* rows);

    /// <summary>Writes the sum of the blocks of 128 bits.</summary>
    void StoreBlockSum(void* target);

    /// <summary>Within each block of 128 bits, the lower lanes of a and b in turn: a₀ b₀ …</summary>
    static abstract V InterleaveLow(V a, V b);

    /// <summary>Within each block of 128 bits, the upper lanes of a and b in turn.</summary>
    static abstract V InterleaveHigh(V a, V b);

    /// <summary>Within each block of 128 bits, the lower 64 bits of a, then those of b.</summary>
    static abstract V JoinLow(V a, V b);

    /// <summary>Within each block of 128 bits, the upper 64 bits of a, then those of b.</summary>
    static abstract V JoinHigh(V a, V b);
}
