using System.Numerics.Tensors;

namespace Curvature.Kernels;

/// <summary>Copies of one row of elements with strides on both sides.</summary>
internal static unsafe class Rows
{
    /// <summary>Elements of one type, moved as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Move<T>(T* source, long sourceStride, T* target, long targetStride, int count)
        where T : unmanaged
    {
        if (targetStride == 1 && sourceStride == 1)
        {
            new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(target, count));
        }
        else if (targetStride == 1 && sourceStride == 0)
        {
            new Span<T>(target, count).Fill(*source);
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                target[i * targetStride] = source[i * sourceStride];
            }
        }
    }

    /// <summary>From one type to another. Floating point numbers lose their fraction on the way to integers; what is
    /// out of range becomes the nearest integer there is, and NaN 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert<TSource, TTarget>(
        TSource* source, long sourceStride, TTarget* target, long targetStride, int count)
        where TSource : unmanaged, System.Numerics.INumber<TSource>
        where TTarget : unmanaged, System.Numerics.INumber<TTarget>
    {
        if (targetStride == 1 && sourceStride == 1)
        {
            TensorPrimitives.ConvertSaturating(
                new ReadOnlySpan<TSource>(source, count),
                new Span<TTarget>(target, count));
            return;
        }

        for (var i = 0; i < count; i++)
        {
            target[i * targetStride] = TTarget.CreateSaturating(source[i * sourceStride]);
        }
    }
}
