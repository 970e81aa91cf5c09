namespace Curvature.CSharp;

/// <summary>Layers for sequences [batch, length, features], and attention itself. Names, shapes and order of parameters
/// are PyTorch's.</summary>
public static class Attention
{
    extension(Layer)
    {
        /// <inheritdoc cref="FSharp.Attention.embedding"/>
        public static Layer Embedding(int count, int features) => FSharp.Attention.embedding(count, features);

        /// <inheritdoc cref="FSharp.Attention.multiHead"/>
        public static Layer MultiHeadAttention(int features, int heads, bool causal = false) =>
            FSharp.Attention.multiHead(features, heads, causal);

        /// <inheritdoc cref="FSharp.Attention.groupedQuery"/>
        public static Layer GroupedQueryAttention(int features, int heads, int groups, bool causal = false) =>
            FSharp.Attention.groupedQuery(features, heads, groups, causal);

        /// <inheritdoc cref="FSharp.Attention.rotaryGroupedQuery"/>
        public static Layer RotaryGroupedQueryAttention(
            int features, int heads, int groups, bool causal = false, double theta = 10000) =>
            FSharp.Attention.rotaryGroupedQuery(theta, features, heads, groups, causal);
    }

    /// <inheritdoc cref="FSharp.Attention.scaledDotProduct"/>
    public static Tensor ScaledDotProduct(
        Tensor queries, Tensor keys, Tensor values, int heads = 1, bool causal = false) =>
        FSharp.Attention.scaledDotProduct(heads, causal, queries.NotNull(), keys.NotNull(), values.NotNull());

    /// <inheritdoc cref="FSharp.Attention.groupedScaledDotProduct"/>
    public static Tensor GroupedScaledDotProduct(
        Tensor queries, Tensor keys, Tensor values, int heads, int groups, bool causal = false) =>
        FSharp.Attention.groupedScaledDotProduct(
            heads, groups, causal, queries.NotNull(), keys.NotNull(), values.NotNull());

    /// <inheritdoc cref="FSharp.Attention.rotaryFrom"/>
    public static Tensor Rotary(Tensor x, int heads = 1, double theta = 10000, int first = 0) =>
        FSharp.Attention.rotaryFrom(first, theta, heads, x.NotNull());
}
