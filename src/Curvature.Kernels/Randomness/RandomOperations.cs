namespace Curvature.Kernels;

/// <summary>From random bits to random numbers, as jax.random does it.</summary>
internal static class RandomOperations
{
    /// <summary>The highest bits as the fraction of a number in [1, 2), less 1.</summary>
    internal readonly struct Uniform : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V bits)
            where V : struct, ILanes<V> =>
            ((bits >>> (V.IsSingle ? 9 : 12)) | V.Create(1.0)) - V.Create(1.0);
    }

    /// <summary>√2·erf⁻¹(u) with u uniform on (−1, 1): stretched from the number after −1, and held to it.</summary>
    internal readonly struct Normal : IUnary
    {
        public static bool IsCheap => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V bits)
            where V : struct, ILanes<V>
        {
            var least = V.Create(V.IsSingle ? -0.999999940395355224609375 : -0.99999999999999988897769753748);
            var u = Uniform.Invoke(bits);
            return V.Create(1.4142135623730951) * ErrorFunctions.ErfInverse(V.Max(u + u + least, least));
        }
    }

    /// <summary>1 where the uniform number is below ½, that is where the highest bit is clear, else −1.</summary>
    internal readonly struct Rademacher : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Invoke<V>(V bits)
            where V : struct, ILanes<V> => (bits & V.Create(-0.0)) | V.Create(1.0);
    }
}
