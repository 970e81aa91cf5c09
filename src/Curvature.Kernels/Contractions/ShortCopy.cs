using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Copies of a few elements, where a call of the library's copy would take longer than the copy itself. Two moves
/// that overlap do for every length in a range, without a loop over the rest.</summary>
internal static unsafe class ShortCopy
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TSimd, TVector, T>(T* source, T* target, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (count >= TSimd.Count)
        {
            var last = count - TSimd.Count;
            for (var i = 0; i < last; i += TSimd.Count)
            {
                TSimd.Store(TSimd.Load(source + i), target + i);
            }

            TSimd.Store(TSimd.Load(source + last), target + last);
        }
        else if (count >= Vector256<T>.Count)
        {
            var last = count - Vector256<T>.Count;
            Vector256.Load(source).Store(target);
            Vector256.Load(source + last).Store(target + last);
        }
        else if (count >= Vector128<T>.Count)
        {
            var last = count - Vector128<T>.Count;
            Vector128.Load(source).Store(target);
            Vector128.Load(source + last).Store(target + last);
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                target[i] = source[i];
            }
        }
    }
}
