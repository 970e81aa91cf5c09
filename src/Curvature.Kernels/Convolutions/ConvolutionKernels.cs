using System.Numerics;
using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Makes the kernels of convolutions.</summary>
internal static class ConvolutionKernels
{
    /// <summary>The kernel that computes one of a convolution's three arrays from the other two.</summary>
    public static Kernel Make(
        Convolution convolution, ConvolutionForm form, InstructionSet set, ThreadTeam team, MemoryPool pool)
    {
        ConvolutionCheck.Validate(convolution, form);
        convolution = convolution.Folded();
        return (set, convolution.DType) switch
        {
            (InstructionSet.Avx512, DType.Float32) => Make<Simd512<float>, Vector512<float>, float>(convolution, form, team, pool),
            (InstructionSet.Avx512, _) => Make<Simd512<double>, Vector512<double>, double>(convolution, form, team, pool),
            (InstructionSet.Avx2, DType.Float32) => Make<Simd256<float>, Vector256<float>, float>(convolution, form, team, pool),
            (InstructionSet.Avx2, _) => Make<Simd256<double>, Vector256<double>, double>(convolution, form, team, pool),
            (_, DType.Float32) => Make<Simd128<float>, Vector128<float>, float>(convolution, form, team, pool),
            _ => Make<Simd128<double>, Vector128<double>, double>(convolution, form, team, pool),
        };
    }

    private static Kernel Make<TSimd, TVector, T>(
        Convolution convolution, ConvolutionForm form, ThreadTeam team, MemoryPool pool)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        form == ConvolutionForm.FilterGradient
            ? new FilterGradient<TSimd, TVector, T>(convolution, team, pool)
            : new ImageConvolution<TSimd, TVector, T>(convolution, form, team, pool);
}
