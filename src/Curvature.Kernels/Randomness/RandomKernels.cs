namespace Curvature.Kernels;

/// <summary>Makes random kernels.</summary>
internal static class RandomKernels
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(RandomDescription fill, InstructionSet set, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(fill);
        Validate(fill);

        // Words have 32 bits, whatever the numbers that are made of them.
        return VectorWidths.Choose(set, DType.Float32, new Factory(fill, team));
    }

    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(RandomDescription fill)
    {
        Check.NotNegative(fill.Count, nameof(RandomDescription.Count));
        Check.Place(fill.Target, nameof(RandomDescription.Target));
        Check.Defined(fill.Distribution, nameof(RandomDescription.Distribution));
        if (fill.Distribution == Distribution.Bits && fill.DType != DType.Int32)
        {
            throw new DescriptionException(
                $"Expected Int32 for bits, got {fill.DType}.", nameof(RandomDescription.DType));
        }

        if (fill.Distribution != Distribution.Bits)
        {
            Check.Floating(fill.DType, nameof(RandomDescription.DType));
        }
    }

    private sealed class Factory(RandomDescription fill, ThreadTeam team) : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            fill.DType == DType.Float64 ? new RandomKernel<V, D>(fill, team) : new RandomKernel<V, V>(fill, team);
    }
}
