using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Makes the kernels of pooling.</summary>
internal static class WindowKernels
{
    /// <summary>The kernel for sums, or their adjoint.</summary>
    public static Kernel Make(WindowSum sum, InstructionSet set, ThreadTeam team)
    {
        WindowCheck.Validate(sum);
        return (set, sum.DType) switch
        {
            (InstructionSet.Avx512, DType.Float32) => new WindowSumKernel<Simd512<float>, Vector512<float>, float>(sum, team),
            (InstructionSet.Avx512, _) => new WindowSumKernel<Simd512<double>, Vector512<double>, double>(sum, team),
            (InstructionSet.Avx2, DType.Float32) => new WindowSumKernel<Simd256<float>, Vector256<float>, float>(sum, team),
            (InstructionSet.Avx2, _) => new WindowSumKernel<Simd256<double>, Vector256<double>, double>(sum, team),
            (_, DType.Float32) => new WindowSumKernel<Simd128<float>, Vector128<float>, float>(sum, team),
            _ => new WindowSumKernel<Simd128<double>, Vector128<double>, double>(sum, team),
        };
    }

    /// <summary>The kernel for positions of maxima.</summary>
    public static Kernel Make(WindowMaximum maximum, ThreadTeam team)
    {
        WindowCheck.Validate(maximum);
        return maximum.DType == DType.Float32
            ? new WindowMaximumKernel<float>(maximum, team)
            : new WindowMaximumKernel<double>(maximum, team);
    }
}
