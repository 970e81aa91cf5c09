namespace Curvature.Kernels;

/// <summary>Makes cumulative sum kernels.</summary>
internal static class CumulativeSumKernels
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(CumulativeSumDescription sum, InstructionSet set, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(sum);
        Validate(sum);
        return VectorWidths.Choose(set, sum.DType, new Factory(sum, team));
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(CumulativeSumDescription sum)
    {
        Check.Floating(sum.DType, nameof(CumulativeSumDescription.DType));
        Check.NotNegative(sum.Outer, nameof(CumulativeSumDescription.Outer));
        Check.NotNegative(sum.Length, nameof(CumulativeSumDescription.Length));
        Check.NotNegative(sum.Inner, nameof(CumulativeSumDescription.Inner));
        Check.Place(sum.Source, nameof(CumulativeSumDescription.Source));
        Check.Place(sum.Target, nameof(CumulativeSumDescription.Target));
    }

    private sealed class Factory(CumulativeSumDescription sum, ThreadTeam team) : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            new CumulativeSumKernel<D, T>(sum, team);
    }
}
