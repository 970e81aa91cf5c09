namespace Curvature.CSharp;

/// <summary>Layers for sequences [batch, length, features], and attention itself. Names, shapes and order of parameters are
/// PyTorch's.</summary>
public static class Attention
{
    extension(Layer)
    {
        /// <summary>A row of <c>weight</c> [count, features] for each <see cref="DType.Int32"/> index, as torch.nn.Embedding: [batch, …] to
        /// [batch, …, features]. Rows are standard normal at first.</summary>
        /// <exception cref="ArgumentRangeException">A size is less than 1.</exception>
        public static Layer Embedding(int count, int features) => FSharp.Attention.embedding(count, features);

        /// <summary>Attention of a sequence to itself, as torch.nn.MultiheadAttention with batch_first: <c>in_proj_weight</c>
        /// [3·features, features], <c>in_proj_bias</c>, <c>out_proj.weight</c> [features, features] and <c>out_proj.bias</c>.
        /// [batch, length, features] to the same shape.</summary>
        /// <param name="features">The number of features.</param>
        /// <param name="heads">The number of heads, which divides the features.</param>
        /// <param name="causal">Whether places look only at themselves and at earlier ones.</param>
        /// <exception cref="ArgumentRangeException">The heads do not divide the features.</exception>
        public static Layer MultiHeadAttention(int features, int heads, bool causal = false) =>
            FSharp.Attention.multiHead(features, heads, causal);
    }

    /// <summary>softmax(q·kᵀ/√d)·v for each of the heads into which the features fall (Vaswani et al. 2017, eq. 1).</summary>
    /// <param name="queries">[batch, length, features].</param>
    /// <param name="keys">The same shape.</param>
    /// <param name="values">The same shape.</param>
    /// <param name="heads">The number of heads, which divides the features.</param>
    /// <param name="causal">Whether places look only at themselves and at earlier ones.</param>
    /// <exception cref="ShapeException">The shapes differ, or have another number of axes.</exception>
    /// <exception cref="ArgumentRangeException">The heads do not divide the features.</exception>
    public static Tensor ScaledDotProduct(Tensor queries, Tensor keys, Tensor values, int heads = 1, bool causal = false) =>
        FSharp.Attention.scaledDotProduct(heads, causal, queries.NotNull(), keys.NotNull(), values.NotNull());
}
