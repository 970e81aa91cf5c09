namespace Curvature.CSharp;

/// <summary>Optimal Brain Damage: which weights may be set to 0 (LeCun, Denker &amp; Solla 1990).</summary>
public static class Pruning
{
    extension(CurvatureByTensor table)
    {
        /// <inheritdoc cref="FSharp.Pruning.saliencies"/>
        /// <remarks><paramref name="isPruned"/> chooses tensors; without it, they are those of two or more
        /// axes.</remarks>
        public Saliencies Saliencies(Tensor theta, Func<ParameterTensor, bool>? isPruned = null) =>
            isPruned is null
                ? FSharp.Pruning.saliencies(theta.NotNull(), table.NotNull())
                : FSharp.Pruning.salienciesWhere(isPruned.ToFSharp(), theta.NotNull(), table.NotNull());
    }

    extension(Saliencies saliencies)
    {
        /// <inheritdoc cref="FSharp.Pruning.orderedBy"/>
        public Saliencies OrderedBy(Saliencies other) =>
            FSharp.Pruning.orderedBy(other.NotNull(), saliencies.NotNull());

        /// <inheritdoc cref="FSharp.Pruning.curveWith"/>
        public IReadOnlyList<PruningPoint> PruningCurve(
            EmpiricalRisk risk, IEnumerable<double> shares, CancellationToken cancellationToken = default) =>
            FSharp.Pruning.curveWith(cancellationToken, risk.NotNull(), shares.NotNull(), saliencies.NotNull());

        /// <inheritdoc cref="FSharp.Pruning.stability"/>
        public PruningStability Stability(IEnumerable<double> shares, int draws = 1000, Key key = default) =>
            FSharp.Pruning.stability(key, draws, shares.NotNull(), saliencies.NotNull());
    }
}
