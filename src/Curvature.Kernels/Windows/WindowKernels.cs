namespace Curvature.Kernels;

/// <summary>Makes the kernels of pooling.</summary>
internal static class WindowKernels
{
    /// <summary>The kernel for sums, or their adjoint.</summary>
    public static Kernel Make(WindowSumDescription sum, InstructionSet set, ThreadTeam team)
    {
        WindowCheck.Validate(sum);
        return VectorWidths.Choose(set, sum.DType, new Sums(sum, team));
    }

    /// <summary>The kernel for positions of maxima.</summary>
    public static Kernel Make(WindowMaximumDescription maximum, ThreadTeam team)
    {
        WindowCheck.Validate(maximum);
        return maximum.DType == DType.Float32
            ? new WindowMaximumKernel<float>(maximum, team)
            : new WindowMaximumKernel<double>(maximum, team);
    }

    private sealed class Sums(WindowSumDescription sum, ThreadTeam team) : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            new WindowSumKernel<V, T>(sum, team);
    }
}
