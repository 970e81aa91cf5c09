namespace Curvature.CSharp;

/// <summary>Rounding of weights to few bits: symmetric and uniform. With b bits the levels are −L·s, …, 0, …, L·s with
/// L = 2^(b−1) − 1 and the step s = max|w|/L. Weights go to the nearest level, halves to the even one.</summary>
public static class Quantization
{
    /// <inheritdoc cref="FSharp.Quantization.perTensor"/>
    public static Tensor PerTensor(Tensor weights, int bits) => FSharp.Quantization.perTensor(bits, weights.NotNull());

    /// <inheritdoc cref="FSharp.Quantization.perRow"/>
    public static Tensor PerRow(Tensor weights, int bits) => FSharp.Quantization.perRow(bits, weights.NotNull());
}

/// <summary>Which tensors of weights may be stored in few bits: scores of HAWQ-V2 (Dong et al. 2020), and the bits that
/// they lead to.</summary>
public static class Sensitivity
{
    private const int DefaultDraws = 1000;

    extension(CurvatureByTensor table)
    {
        /// <inheritdoc cref="FSharp.QuantizationSensitivity.scores"/>
        /// <remarks>Without numbers of bits, scores are for 2, 4 and 8. A quantizer takes a number of bits and
        /// weights; without one, it is <see cref="Quantization.PerTensor"/>. <paramref name="isQuantized"/> chooses
        /// tensors; without it, they are those of two or more axes.</remarks>
        public QuantizationSensitivity QuantizationScores(
            Tensor theta,
            IReadOnlyList<int>? bits = null,
            Func<int, Tensor, Tensor>? quantizer = null,
            Func<ParameterTensor, bool>? isQuantized = null) =>
            FSharp.QuantizationSensitivity.scoresWith(
                (quantizer ?? ((count, weights) => Quantization.PerTensor(weights, count))).ToFSharp(nameof(quantizer)),
                (isQuantized ?? (tensor => tensor.Shape.Length >= 2)).ToFSharp(nameof(isQuantized)),
                (bits ?? [2, 4, 8]).ToFSharpList(),
                theta.NotNull(),
                table.NotNull());
    }

    extension(QuantizationSensitivity sensitivity)
    {
        /// <inheritdoc cref="FSharp.QuantizationSensitivity.stability"/>
        public RankingStability Stability(int bits, int draws = DefaultDraws, Key key = default) =>
            FSharp.QuantizationSensitivity.stability(key, draws, bits, sensitivity.NotNull());

        /// <inheritdoc cref="FSharp.QuantizationSensitivity.assign"/>
        public BitAssignment Assign(long budget, int draws = DefaultDraws, Key key = default) =>
            FSharp.QuantizationSensitivity.assign(key, draws, budget, sensitivity.NotNull());
    }
}
