namespace Curvature.CSharp;

/// <summary>Optimal Brain Damage: which weights may be set to 0 (LeCun, Denker &amp; Solla 1990).</summary>
public static class Pruning
{
    /// <summary>The saliencies ½·H_ii·w_i² of weights, from the diagonal of a table, with standard errors. The formula takes θ for a
    /// minimum and leaves out what weights do to each other. Weights come in the order of absolute values.</summary>
    /// <param name="table">Traces and diagonals by tensor.</param>
    /// <param name="theta">The parameters.</param>
    /// <param name="isPruned">Which tensors; those of two or more axes where there is no such function.</param>
    /// <exception cref="ShapeException">θ does not fit the table.</exception>
    /// <exception cref="ParameterException">No weight is left.</exception>
    public static Saliencies Saliencies(
        this CurvatureByTensor table, Tensor theta, Func<ParameterTensor, bool>? isPruned = null) =>
        isPruned is null
            ? FSharp.Pruning.saliencies(theta.NotNull(), table.NotNull())
            : FSharp.Pruning.salienciesWhere(isPruned.ToFSharp(), theta.NotNull(), table.NotNull());

    /// <summary>The same saliencies in the order of others of the same weights. Where the order comes from random vectors of another key,
    /// the predictions are unbiased.</summary>
    /// <exception cref="ParameterException">They are saliencies of other weights.</exception>
    public static Saliencies OrderedBy(this Saliencies saliencies, Saliencies other) =>
        FSharp.Pruning.orderedBy(other.NotNull(), saliencies.NotNull());

    /// <summary>The value of a risk with shares of the weights set to 0, those of the least saliency first: predicted as the value at θ and the
    /// sum of their saliencies, and measured. It costs one loss for each share; batches are read once.</summary>
    /// <exception cref="ArgumentRangeException">There are no shares, or one is outside [0, 1].</exception>
    /// <exception cref="DataException">There are no batches.</exception>
    /// <exception cref="NonFiniteException">A loss is NaN or infinite.</exception>
    public static IReadOnlyList<PruningPoint> PruningCurve(
        this Saliencies saliencies,
        EmpiricalRisk risk,
        IEnumerable<double> shares,
        CancellationToken cancellationToken = default) =>
        FSharp.Pruning.curveWith(cancellationToken, risk.NotNull(), shares.NotNull(), saliencies.NotNull());

    /// <summary>How sure the order of the saliencies is: they are drawn again within their standard errors.</summary>
    /// <param name="saliencies">The saliencies.</param>
    /// <param name="shares">Shares of the weights that are set to 0.</param>
    /// <param name="options">How they are drawn. Each draw sorts all weights.</param>
    /// <exception cref="ArgumentRangeException">There are no shares, one is outside [0, 1], or there is a single sample.</exception>
    public static PruningStability Stability(
        this Saliencies saliencies, IEnumerable<double> shares, StabilityOptions? options = null)
    {
        options ??= new StabilityOptions();
        return FSharp.Pruning.stability(options.Key, options.Draws, shares.NotNull(), saliencies.NotNull());
    }
}
