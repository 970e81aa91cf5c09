using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Runs of random words: word i belongs to the counter (high half of i, low half of i).</summary>
/// <typeparam name="V">Lanes of 32 bits.</typeparam>
internal static unsafe class ThreefryWords<V>
    where V : struct, ILanes<V>
{
    /// <summary>32-bit words: x₀ ⊕ x₁ of each block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write32(uint key0, uint key1, long first, uint* target, int count)
    {
        var rest = stackalloc uint[V.Count];
        for (var i = 0; i < count; i += V.Count)
        {
            Blocks(key0, key1, first + i, out var x0, out var x1);
            if (count - i >= V.Count)
            {
                (x0 ^ x1).Store(target + i);
            }
            else
            {
                (x0 ^ x1).Store(rest);
                new Span<uint>(rest, count - i).CopyTo(new Span<uint>(target + i, count - i));
            }
        }
    }

    /// <summary>64-bit words: x₀ above x₁.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write64(uint key0, uint key1, long first, ulong* target, int count)
    {
        var high = stackalloc uint[2 * V.Count];
        var low = high + V.Count;
        for (var i = 0; i < count; i += V.Count)
        {
            Blocks(key0, key1, first + i, out var x0, out var x1);
            x0.Store(high);
            x1.Store(low);
            var some = Math.Min(V.Count, count - i);
            for (var lane = 0; lane < some; lane++)
            {
                target[i + lane] = ((ulong)high[lane] << 32) | low[lane];
            }
        }
    }

    /// <summary>The blocks of consecutive counters, one to a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Blocks(uint key0, uint key1, long first, out V x0, out V x1)
    {
        var k0 = V.CreateBits(key0);
        var k1 = V.CreateBits(key1);
        var k2 = V.CreateBits(Threefry.Parity ^ key0 ^ key1);
        Counters(first, out x0, out x1);
        x0 = V.AddBits(x0, k0);
        x1 = V.AddBits(x1, k1);
        Rounds(ref x0, ref x1, 13, 15, 26, 6);
        AddKeys(ref x0, ref x1, k1, k2, 1);
        Rounds(ref x0, ref x1, 17, 29, 16, 24);
        AddKeys(ref x0, ref x1, k2, k0, 2);
        Rounds(ref x0, ref x1, 13, 15, 26, 6);
        AddKeys(ref x0, ref x1, k0, k1, 3);
        Rounds(ref x0, ref x1, 17, 29, 16, 24);
        AddKeys(ref x0, ref x1, k1, k2, 4);
        Rounds(ref x0, ref x1, 13, 15, 26, 6);
        AddKeys(ref x0, ref x1, k2, k0, 5);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Counters(long first, out V high, out V low)
    {
        if ((uint)first <= uint.MaxValue - (uint)V.Count)
        {
            high = V.CreateBits((uint)(first >>> 32));
            low = V.AddBits(V.CreateBits((uint)first), V.LaneNumbers);
        }
        else
        {
            CountersAcrossCarry(first, out high, out low);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CountersAcrossCarry(long first, out V high, out V low)
    {
        var halves = stackalloc uint[2 * V.Count];
        for (var lane = 0; lane < V.Count; lane++)
        {
            halves[lane] = (uint)((first + lane) >>> 32);
            halves[V.Count + lane] = (uint)(first + lane);
        }

        high = V.Load(halves);
        low = V.Load(halves + V.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rounds(ref V x0, ref V x1, int r0, int r1, int r2, int r3)
    {
        x0 = V.AddBits(x0, x1);
        x1 = V.RotateLeft(x1, r0) ^ x0;
        x0 = V.AddBits(x0, x1);
        x1 = V.RotateLeft(x1, r1) ^ x0;
        x0 = V.AddBits(x0, x1);
        x1 = V.RotateLeft(x1, r2) ^ x0;
        x0 = V.AddBits(x0, x1);
        x1 = V.RotateLeft(x1, r3) ^ x0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddKeys(ref V x0, ref V x1, V k0, V k1, ulong number)
    {
        x0 = V.AddBits(x0, k0);
        x1 = V.AddBits(x1, V.AddBits(k1, V.CreateBits(number)));
    }
}
