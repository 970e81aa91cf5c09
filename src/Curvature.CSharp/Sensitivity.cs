namespace Curvature.CSharp;

/// <summary>What to quantise, and how. Each property has a default.</summary>
public sealed class QuantizationOptions
{
    /// <summary>The numbers of bits to score. Default: 2, 4 and 8.</summary>
    public IReadOnlyList<int> Bits
    {
        get;
        init => field = value.NotNull();
    } = [2, 4, 8];

    /// <summary>From a number of bits and weights to rounded weights. Default: <see cref="Quantization.PerTensor"/>.</summary>
    public Func<int, Tensor, Tensor> Quantizer
    {
        get;
        init => field = value.NotNull();
    } = (bits, weights) => Quantization.PerTensor(weights, bits);

    /// <summary>Which tensors are quantised. Default: those of two or more axes; biases and the parameters of normalisation layers stay as
    /// they are.</summary>
    public Func<ParameterTensor, bool> IsQuantized
    {
        get;
        init => field = value.NotNull();
    } = tensor => tensor.Shape.Length >= 2;
}

/// <summary>How estimates are drawn again within their errors, to tell how sure a ranking is.</summary>
public sealed class StabilityOptions
{
    /// <summary>How many times they are drawn. Default: 1000.</summary>
    public int Draws { get; init; } = 1000;

    /// <summary>What decides the draws. Default: <c>Key.OfSeed(0)</c>.</summary>
    public Key Key { get; init; } = Key.OfSeed(0);
}

/// <summary>Rounding of weights to few bits: symmetric and uniform. With b bits the levels are −L·s, …, 0, …, L·s with L = 2^(b−1) − 1
/// and the step s = max|w|/L. Weights go to the nearest level, halves to the even one.</summary>
public static class Quantization
{
    /// <summary>Weights rounded to so many bits, with one step for the whole tensor.</summary>
    /// <exception cref="ArgumentRangeException">There are fewer than 2 bits, or more than 32.</exception>
    /// <exception cref="NonFiniteException">A weight is NaN or infinite.</exception>
    public static Tensor PerTensor(Tensor weights, int bits) => FSharp.Quantization.perTensor(bits, weights.NotNull());

    /// <summary>Weights rounded to so many bits, with a step for each row along the leading axis: each filter or neuron.</summary>
    /// <inheritdoc cref="PerTensor"/>
    public static Tensor PerRow(Tensor weights, int bits) => FSharp.Quantization.perRow(bits, weights.NotNull());
}

/// <summary>Which tensors of weights may be stored in few bits: scores of HAWQ-V2 (Dong et al. 2020), and the bits that they lead
/// to.</summary>
public static class Sensitivity
{
    /// <summary>The score of HAWQ-V2 for each tensor and each number of bits: Ω = (tr H/n)·‖Q(w) − w‖², with the trace of the tensor's own
    /// block and its error.</summary>
    /// <exception cref="ShapeException">θ does not fit the table.</exception>
    /// <exception cref="ParameterException">No tensor is to be quantised.</exception>
    public static QuantizationSensitivity QuantizationScores(
        this CurvatureByTensor table, Tensor theta, QuantizationOptions? options = null)
    {
        options ??= new QuantizationOptions();
        return FSharp.QuantizationSensitivity.scoresWith(
            options.Quantizer.ToFSharp(),
            options.IsQuantized.ToFSharp(),
            options.Bits.ToFSharpList(),
            theta.NotNull(),
            table.NotNull());
    }

    /// <summary>How sure the ranking of the tensors by their scores at a number of bits is: the traces are drawn again from Student's t
    /// about the estimates, with the covariance of their samples.</summary>
    /// <exception cref="ArgumentRangeException">There is a single sample, or there are no scores for that number of bits.</exception>
    public static RankingStability Stability(
        this QuantizationSensitivity sensitivity, int bits, StabilityOptions? options = null)
    {
        options ??= new StabilityOptions();
        return FSharp.QuantizationSensitivity.stability(options.Key, options.Draws, bits, sensitivity.NotNull());
    }

    /// <summary>The bits for each tensor of least total score among those whose weights fit into a budget: optimal, by dynamic
    /// programming with bounds. A tensor whose estimated trace is negative counts as one without curvature.</summary>
    /// <param name="sensitivity">The scores.</param>
    /// <param name="budget">The size of all weights, in bits.</param>
    /// <param name="options">How traces are drawn again, to tell how often each tensor gets the same bits.</param>
    /// <exception cref="ArgumentRangeException">The budget is below the smallest size.</exception>
    public static BitAssignment Assign(
        this QuantizationSensitivity sensitivity, long budget, StabilityOptions? options = null)
    {
        options ??= new StabilityOptions();
        return FSharp.QuantizationSensitivity.assign(options.Key, options.Draws, budget, sensitivity.NotNull());
    }
}
