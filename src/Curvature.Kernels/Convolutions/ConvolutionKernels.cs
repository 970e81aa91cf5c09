namespace Curvature.Kernels;

/// <summary>Makes the kernels of convolutions.</summary>
internal static class ConvolutionKernels
{
    /// <summary>The kernel that computes one of a convolution's three arrays from the other two.</summary>
    public static Kernel Make(
        ConvolutionDescription convolution, ConvolutionForm form, InstructionSet set, ThreadTeam team, MemoryPool pool)
    {
        ConvolutionCheck.Validate(convolution, form);
        return VectorWidths.Choose(set, convolution.DType, new Factory(convolution.Folded(), form, team, pool));
    }

    private sealed class Factory(
        ConvolutionDescription convolution, ConvolutionForm form, ThreadTeam team, MemoryPool pool)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            form == ConvolutionForm.FilterGradient
                ? new FilterGradient<V, T>(convolution, team, pool)
                : new ImageConvolution<V, T>(convolution, form, team, pool);
    }
}
