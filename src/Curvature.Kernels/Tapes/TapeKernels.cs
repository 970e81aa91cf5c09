namespace Curvature.Kernels;

/// <summary>Makes the kernels of tapes.</summary>
internal static class TapeKernels
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(TapeDescription tape, InstructionSet set, ThreadTeam team, MemoryPool pool)
    {
        ArgumentNullException.ThrowIfNull(tape);
        TapeCheck.Validate(tape);
        return VectorWidths.Choose(set, tape.DType, new Factory(tape, team, pool));
    }

    private sealed class Factory(TapeDescription tape, ThreadTeam team, MemoryPool pool)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            new TapeKernel<V, D, T>(tape, team, pool);
    }
}
