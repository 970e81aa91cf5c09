namespace Curvature.Kernels;

/// <summary>Makes something that is compiled for one width of vectors and one type of elements.</summary>
/// <typeparam name="TResult">What is made.</typeparam>
internal interface IVectorFactory<out TResult>
{
    /// <typeparam name="V">Vectors of elements.</typeparam>
    /// <typeparam name="D">Vectors of doubles, of the same width.</typeparam>
    /// <typeparam name="T">The elements: float or double.</typeparam>
    TResult Make<V, D, T>()
        where V : struct, ILanes<V>
        where D : struct, ILanes<D>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>The one choice of vectors for an instruction set and a type of elements.</summary>
internal static class VectorWidths
{
    /// <summary>What a factory makes for an instruction set and a type of elements.</summary>
    public static TResult Choose<TResult>(InstructionSet set, DType dtype, IVectorFactory<TResult> factory)
    {
        InstructionSets.Require(set);
        return (set, dtype) switch
        {
            (InstructionSet.Avx512, DType.Float32) => factory.Make<Lanes512<float>, Lanes512<double>, float>(),
            (InstructionSet.Avx512, DType.Float64) => factory.Make<Lanes512<double>, Lanes512<double>, double>(),
            (InstructionSet.Avx2, DType.Float32) => factory.Make<Lanes256<float>, Lanes256<double>, float>(),
            (InstructionSet.Avx2, DType.Float64) => factory.Make<Lanes256<double>, Lanes256<double>, double>(),
            (_, DType.Float32) => factory.Make<Lanes128<float>, Lanes128<double>, float>(),
            (_, DType.Float64) => factory.Make<Lanes128<double>, Lanes128<double>, double>(),
            _ => throw new DescriptionException($"Expected Float32 or Float64, got {dtype}.", nameof(dtype)),
        };
    }
}
