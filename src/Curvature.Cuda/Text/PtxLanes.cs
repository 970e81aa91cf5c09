namespace Curvature.Cuda;

/// <summary>The precision of lanes.</summary>
internal interface IPrecision
{
    /// <summary>Whether it is single precision (else double).</summary>
    static abstract bool IsSingle { get; }
}

/// <summary>Single precision.</summary>
internal readonly struct Single32 : IPrecision
{
    /// <inheritdoc/>
    public static bool IsSingle => true;
}

/// <summary>Double precision.</summary>
internal readonly struct Double64 : IPrecision
{
    /// <inheritdoc/>
    public static bool IsSingle => false;
}

/// <summary>A lane that computes nothing, and writes what would be computed as text for a card. The library's vector
/// functions, run on it once, give a kernel whose results have the bits of the processor's: the operations are the
/// same, in the same order, each rounded to nearest, and fused only where the function says so.</summary>
/// <typeparam name="P">Single or double precision.</typeparam>
/// <remarks>All that leaves one lane (vectors in memory, sums over lanes) has no meaning here and throws.</remarks>
internal readonly unsafe struct PtxLanes<P> : ILanes<PtxLanes<P>>
    where P : struct, IPrecision
{
    public PtxLanes(string register) => Name = register;

    /// <summary>The register that holds the value.</summary>
    public string Name { get; }

    public static int Count => 1;

    public static int Size => P.IsSingle ? 4 : 8;

    public static bool IsSingle => P.IsSingle;

    public static int TileRows => throw Unwritten(nameof(TileRows));

    public static PtxLanes<P> LaneNumbers => throw Unwritten(nameof(LaneNumbers));

    private static PtxWriter Writer => PtxWriter.Current;

    /// <summary>The kind of register that holds a value.</summary>
    public static Register Kind => P.IsSingle ? Register.Word : Register.Long;

    /// <summary>The type of a number in an instruction.</summary>
    public static string Number => P.IsSingle ? "f32" : "f64";

    private static string Bits => P.IsSingle ? "b32" : "b64";

    private static string Signed => P.IsSingle ? "s32" : "s64";

    private static string Unsigned => P.IsSingle ? "u32" : "u64";

    public static PtxLanes<P> Create(double value) =>
        CreateBits(P.IsSingle
            ? BitConverter.SingleToUInt32Bits((float)value)
            : BitConverter.DoubleToUInt64Bits(value));

    public static PtxLanes<P> CreateBits(ulong value) =>
        new(Writer.Constant(Kind, P.IsSingle ? (uint)value : value));

    public static PtxLanes<P> operator +(PtxLanes<P> a, PtxLanes<P> b) => Do($"add.rn.{Number}", a.Name, b.Name);

    public static PtxLanes<P> operator -(PtxLanes<P> a, PtxLanes<P> b) => Do($"sub.rn.{Number}", a.Name, b.Name);

    public static PtxLanes<P> operator *(PtxLanes<P> a, PtxLanes<P> b) => Do($"mul.rn.{Number}", a.Name, b.Name);

    public static PtxLanes<P> operator /(PtxLanes<P> a, PtxLanes<P> b) => Do($"div.rn.{Number}", a.Name, b.Name);

    public static PtxLanes<P> operator -(PtxLanes<P> a) => a ^ Create(-0.0);

    public static PtxLanes<P> MultiplyAdd(PtxLanes<P> a, PtxLanes<P> b, PtxLanes<P> c) =>
        Do($"fma.rn.{Number}", a.Name, b.Name, c.Name);

    public static PtxLanes<P> Max(PtxLanes<P> a, PtxLanes<P> b) => Extreme("max", a, b);

    public static PtxLanes<P> Min(PtxLanes<P> a, PtxLanes<P> b) => Extreme("min", a, b);

    public static PtxLanes<P> Clamp(PtxLanes<P> a, PtxLanes<P> low, PtxLanes<P> high)
    {
        // Comparisons with NaN are false, so that it passes.
        var raised = Choose(Writer.Test($"lt.{Number}", a.Name, low.Name), low, a);
        return Choose(Writer.Test($"gt.{Number}", raised.Name, high.Name), high, raised);
    }

    public static PtxLanes<P> Scale(PtxLanes<P> a, PtxLanes<P> exponent) => Exponents.ScaleInTwoSteps(a, exponent);

    public static PtxLanes<P> Abs(PtxLanes<P> a) =>
        a & CreateBits(P.IsSingle ? 0x7FFFFFFFUL : 0x7FFFFFFFFFFFFFFFUL);

    public static PtxLanes<P> Sqrt(PtxLanes<P> a) => Do($"sqrt.rn.{Number}", a.Name);

    public static PtxLanes<P> Floor(PtxLanes<P> a) => Do($"cvt.rmi.{Number}.{Number}", a.Name);

    public static PtxLanes<P> Round(PtxLanes<P> a) => Do($"cvt.rni.{Number}.{Number}", a.Name);

    public static PtxLanes<P> Greater(PtxLanes<P> a, PtxLanes<P> b) => Mask("gt", a, b);

    public static PtxLanes<P> GreaterOrEqual(PtxLanes<P> a, PtxLanes<P> b) => Mask("ge", a, b);

    public static PtxLanes<P> Equal(PtxLanes<P> a, PtxLanes<P> b) => Mask("eq", a, b);

    public static PtxLanes<P> Select(PtxLanes<P> mask, PtxLanes<P> a, PtxLanes<P> b) =>
        Choose(mask.ToPredicate(), a, b);

    /// <summary>A text has no values yet, so that both sides of a choice are written.</summary>
    public static bool Any(PtxLanes<P> mask) => true;

    public static PtxLanes<P> operator &(PtxLanes<P> a, PtxLanes<P> b) => Do($"and.{Bits}", a.Name, b.Name);

    public static PtxLanes<P> operator |(PtxLanes<P> a, PtxLanes<P> b) => Do($"or.{Bits}", a.Name, b.Name);

    public static PtxLanes<P> operator ^(PtxLanes<P> a, PtxLanes<P> b) => Do($"xor.{Bits}", a.Name, b.Name);

    public static PtxLanes<P> AddBits(PtxLanes<P> a, PtxLanes<P> b) => Do($"add.{Signed}", a.Name, b.Name);

    public static PtxLanes<P> SubtractBits(PtxLanes<P> a, PtxLanes<P> b) => Do($"sub.{Signed}", a.Name, b.Name);

    public static PtxLanes<P> operator <<(PtxLanes<P> a, int count) => Do($"shl.{Bits}", a.Name, Digits(count));

    public static PtxLanes<P> operator >>>(PtxLanes<P> a, int count) => Do($"shr.{Unsigned}", a.Name, Digits(count));

    public static PtxLanes<P> RotateLeft(PtxLanes<P> a, int count) =>
        (a << count) | (a >>> ((P.IsSingle ? 32 : 64) - count));

    /// <summary>A condition that holds where the mask is set.</summary>
    public string ToPredicate() => Writer.Test($"ne.{Signed}", Name, "0");

    public static PtxLanes<P> Load(void* source) => throw Unwritten(nameof(Load));

    public void Store(void* target) => throw Unwritten(nameof(Store));

    public static PtxLanes<P> LoadSingles(float* source) => throw Unwritten(nameof(LoadSingles));

    public void StoreSingles(float* target) => throw Unwritten(nameof(StoreSingles));

    public void AddProduct(PtxLanes<P> a, PtxLanes<P> b) => throw Unwritten(nameof(AddProduct));

    public void AddProduct(void* element, PtxLanes<P> b) => throw Unwritten(nameof(AddProduct));

    public static double Across<TOperation>(PtxLanes<P> a)
        where TOperation : struct, IBinary => throw Unwritten(nameof(Across));

    public static PtxLanes<P> Broadcast(void* element) => throw Unwritten(nameof(Broadcast));

    public static PtxLanes<P> KeepFrom(PtxLanes<P> a, int first) => throw Unwritten(nameof(KeepFrom));

    public static PtxLanes<P> LoadBlocks(void* source, nint* rows) => throw Unwritten(nameof(LoadBlocks));

    public void StoreBlockSum(void* target) => throw Unwritten(nameof(StoreBlockSum));

    public static PtxLanes<P> InterleaveLow(PtxLanes<P> a, PtxLanes<P> b) => throw Unwritten(nameof(InterleaveLow));

    public static PtxLanes<P> InterleaveHigh(PtxLanes<P> a, PtxLanes<P> b) => throw Unwritten(nameof(InterleaveHigh));

    public static PtxLanes<P> JoinLow(PtxLanes<P> a, PtxLanes<P> b) => throw Unwritten(nameof(JoinLow));

    public static PtxLanes<P> JoinHigh(PtxLanes<P> a, PtxLanes<P> b) => throw Unwritten(nameof(JoinHigh));

    private static string Digits(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static PtxLanes<P> Do(string operation, params ReadOnlySpan<string> operands) =>
        new(Writer.Do(Kind, operation, operands));

    private static PtxLanes<P> Choose(string predicate, PtxLanes<P> a, PtxLanes<P> b) =>
        Do($"selp.{Bits}", a.Name, b.Name, predicate);

    private static PtxLanes<P> Mask(string comparison, PtxLanes<P> a, PtxLanes<P> b) =>
        Do($"selp.{Bits}", "-1", "0", Writer.Test($"{comparison}.{Number}", a.Name, b.Name));

    /// <summary>The larger or the smaller, or NaN. For single precision there is one instruction; for double the
    /// instruction drops NaN, and the sum of the two brings it back.</summary>
    private static PtxLanes<P> Extreme(string operation, PtxLanes<P> a, PtxLanes<P> b)
    {
        if (P.IsSingle)
        {
            return Do($"{operation}.NaN.f32", a.Name, b.Name);
        }

        var extreme = Do($"{operation}.f64", a.Name, b.Name);
        return Choose(Writer.Test("nan.f64", a.Name, b.Name), a + b, extreme);
    }

    private static DeviceException Unwritten(string member) =>
        new($"{member} has no meaning on a single lane of a card.");
}
