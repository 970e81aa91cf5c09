namespace Curvature.CSharp;

/// <summary>Products of tensors that sum over axes.</summary>
public static class TensorProducts
{
    extension(Tensor)
    {
        /// <inheritdoc cref="FSharp.Tensor.einsum"/>
        public static Tensor Einsum(string formula, Tensor a, Tensor b) =>
            FSharp.Tensor.einsum(formula.NotNull(), a.NotNull(), b.NotNull());

        /// <inheritdoc cref="FSharp.Tensor.einsumOf"/>
        public static Tensor Einsum(string formula, params IReadOnlyList<Tensor> operands) =>
            FSharp.Tensor.einsumOf(formula.NotNull(), operands.ToFSharpList());
    }

    /// <inheritdoc cref="FSharp.Tensor.matmul"/>
    public static Tensor MatMul(this Tensor a, Tensor b) => FSharp.Tensor.matmul(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.dot"/>
    public static Tensor Dot(this Tensor a, Tensor b) => FSharp.Tensor.dot(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.outer"/>
    public static Tensor Outer(this Tensor a, Tensor b) => FSharp.Tensor.outer(a.NotNull(), b.NotNull());
}
