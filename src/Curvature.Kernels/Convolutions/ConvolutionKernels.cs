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
            (InstructionSet.Avx512, DType.Float32) => Make<Lanes512<float>, float>(convolution, form, team, pool),
            (InstructionSet.Avx512, _) => Make<Lanes512<double>, double>(convolution, form, team, pool),
            (InstructionSet.Avx2, DType.Float32) => Make<Lanes256<float>, float>(convolution, form, team, pool),
            (InstructionSet.Avx2, _) => Make<Lanes256<double>, double>(convolution, form, team, pool),
            (_, DType.Float32) => Make<Lanes128<float>, float>(convolution, form, team, pool),
            _ => Make<Lanes128<double>, double>(convolution, form, team, pool),
        };
    }

    private static Kernel Make<V, T>(
        Convolution convolution, ConvolutionForm form, ThreadTeam team, MemoryPool pool)
        where V : struct, ILanes<V>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        form == ConvolutionForm.FilterGradient
            ? new FilterGradient<V, T>(convolution, team, pool)
            : new ImageConvolution<V, T>(convolution, form, team, pool);
}
