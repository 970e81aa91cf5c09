using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Operations on a few contiguous elements, for which a call of the library would take longer than the
/// work.</summary>
internal static unsafe class ShortRows
{
    /// <summary>target[i] = source[i]. Two moves that overlap do for every count in a range, without a loop over the
    /// rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<V, T>(T* source, T* target, int count)
        where V : struct, ILanes<V>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (count >= V.Count)
        {
            var last = count - V.Count;
            for (var i = 0; i < last; i += V.Count)
            {
                V.Load(source + i).Store(target + i);
            }

            V.Load(source + last).Store(target + last);
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

    /// <summary>target[i] += source[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<V, T>(T* source, T* target, int count)
        where V : struct, ILanes<V>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            (V.Load(target + i) + V.Load(source + i)).Store(target + i);
        }

        for (; i + Vector128<T>.Count <= count; i += Vector128<T>.Count)
        {
            (Vector128.Load(target + i) + Vector128.Load(source + i)).Store(target + i);
        }

        for (; i < count; i++)
        {
            target[i] += source[i];
        }
    }
}
