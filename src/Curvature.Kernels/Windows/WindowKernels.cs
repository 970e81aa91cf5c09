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
            (InstructionSet.Avx512, DType.Float32) => new WindowSumKernel<Lanes512<float>, float>(sum, team),
            (InstructionSet.Avx512, _) => new WindowSumKernel<Lanes512<double>, double>(sum, team),
            (InstructionSet.Avx2, DType.Float32) => new WindowSumKernel<Lanes256<float>, float>(sum, team),
            (InstructionSet.Avx2, _) => new WindowSumKernel<Lanes256<double>, double>(sum, team),
            (_, DType.Float32) => new WindowSumKernel<Lanes128<float>, float>(sum, team),
            _ => new WindowSumKernel<Lanes128<double>, double>(sum, team),
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
