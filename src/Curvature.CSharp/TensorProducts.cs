namespace Curvature.CSharp;

/// <summary>Products of tensors that sum over axes.</summary>
public static class TensorProducts
{
    extension(Tensor)
    {
        /// <summary>A product of two tensors in Einstein's notation, such as <c>"ij,jk->ik"</c>. Each label of an operand occurs in
        /// the other one or in the result.</summary>
        /// <exception cref="ShapeException">The formula is not of that form, or does not fit the shapes.</exception>
        public static Tensor Einsum(string formula, Tensor a, Tensor b) =>
            FSharp.Tensor.einsum(formula.NotNull(), a.NotNull(), b.NotNull());
    }

    /// <summary>The matrix product over the last two axes; leading axes broadcast. A vector on either side is a row or column.</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor MatMul(this Tensor a, Tensor b) => FSharp.Tensor.matmul(a.NotNull(), b.NotNull());

    /// <summary>The inner product of two tensors of the same shape.</summary>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Dot(this Tensor a, Tensor b) => FSharp.Tensor.dot(a.NotNull(), b.NotNull());

    /// <summary>a·bᵀ of two vectors.</summary>
    /// <exception cref="ShapeException">One of the two is not a vector.</exception>
    public static Tensor Outer(this Tensor a, Tensor b) => FSharp.Tensor.outer(a.NotNull(), b.NotNull());
}
