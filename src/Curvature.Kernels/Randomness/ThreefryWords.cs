namespace Curvature.Kernels;

/// <summary>Runs of random words: word i belongs to the counter (high half of i, low half of i).</summary>
/// <typeparam name="V">Lanes of 32 bits.</typeparam>
internal static unsafe class ThreefryWords<V>
    where V : struct, ILanes<V>
{
    /// <summary>The most words that are made at once.</summary>
    public const int Tile = 512;

    /// <summary>32-bit words: x₀ ⊕ x₁ of each block. At most <see cref="Tile"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write32(uint key0, uint key1, long first, uint* target, int count)
    {
        var x0 = stackalloc uint[2 * Tile];
        var x1 = x0 + Tile;
        Blocks(key0, key1, first, x0, x1, count);
        Loops<V>.Binary<Operations.ExclusiveOr>((byte*)x0, (byte*)x1, null, (byte*)target, count);
    }

    /// <summary>64-bit words: x₀ above x₁. At most <see cref="Tile"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write64(uint key0, uint key1, long first, ulong* target, int count)
    {
        var x0 = stackalloc uint[2 * Tile];
        var x1 = x0 + Tile;
        Blocks(key0, key1, first, x0, x1, count);
        for (var i = 0; i < count; i++)
        {
            target[i] = ((ulong)x0[i] << 32) | x1[i];
        }
    }

    /// <summary>The blocks of consecutive counters. Goes over the tile once for each group of rounds: all twenty in one
    /// method are more than the JIT compiler inlines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blocks(uint key0, uint key1, long first, uint* x0, uint* x1, int count)
    {
        var key2 = Threefry.Parity ^ key0 ^ key1;
        for (var i = 0; i < count; i += V.Count)
        {
            Counters(first + i, key0, key1, x0 + i, x1 + i);
        }

        Rounds<EvenRotations>(x0, x1, count, key1, key2 + 1);
        Rounds<OddRotations>(x0, x1, count, key2, key0 + 2);
        Rounds<EvenRotations>(x0, x1, count, key0, key1 + 3);
        Rounds<OddRotations>(x0, x1, count, key1, key2 + 4);
        Rounds<EvenRotations>(x0, x1, count, key2, key0 + 5);
    }

    /// <summary>A vector of counters, with the first pair of key words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Counters(long first, uint key0, uint key1, uint* x0, uint* x1)
    {
        if ((uint)first <= uint.MaxValue - (uint)V.Count)
        {
            V.CreateBits((uint)(first >>> 32) + key0).Store(x0);
            V.AddBits(V.LaneNumbers, V.CreateBits((uint)first + key1)).Store(x1);
            return;
        }

        for (var lane = 0; lane < V.Count; lane++)
        {
            x0[lane] = (uint)((first + lane) >>> 32) + key0;
            x1[lane] = (uint)(first + lane) + key1;
        }
    }

    /// <summary>Four rounds, and a pair of key words. Reaches to the end of the last vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rounds<TRotations>(uint* x0, uint* x1, int count, uint key0, uint key1)
        where TRotations : struct, IRotations
    {
        var k0 = V.CreateBits(key0);
        var k1 = V.CreateBits(key1);
        for (var i = 0; i < count; i += V.Count)
        {
            var a = V.Load(x0 + i);
            var b = V.Load(x1 + i);
            a = V.AddBits(a, b);
            b = V.RotateLeft(b, TRotations.First) ^ a;
            a = V.AddBits(a, b);
            b = V.RotateLeft(b, TRotations.Second) ^ a;
            a = V.AddBits(a, b);
            b = V.RotateLeft(b, TRotations.Third) ^ a;
            a = V.AddBits(a, b);
            b = V.RotateLeft(b, TRotations.Fourth) ^ a;
            V.AddBits(a, k0).Store(x0 + i);
            V.AddBits(b, k1).Store(x1 + i);
        }
    }

    /// <summary>By how much four rounds rotate.</summary>
    private interface IRotations
    {
        static abstract int First { get; }

        static abstract int Second { get; }

        static abstract int Third { get; }

        static abstract int Fourth { get; }
    }

    private readonly struct EvenRotations : IRotations
    {
        public static int First => 13;

        public static int Second => 15;

        public static int Third => 26;

        public static int Fourth => 6;
    }

    private readonly struct OddRotations : IRotations
    {
        public static int First => 17;

        public static int Second => 29;

        public static int Third => 16;

        public static int Fourth => 24;
    }
}
