namespace Curvature.CSharp;

/// <summary>Fisher information of a model, as an average over samples of outer products of gradients.</summary>
public static class Fisher
{
    extension(Likelihood likelihood)
    {
        /// <inheritdoc cref="FSharp.Likelihood.categorical"/>
        public static Likelihood Categorical => FSharp.Likelihood.categorical;

        /// <inheritdoc cref="FSharp.Likelihood.bernoulli"/>
        public static Likelihood Bernoulli => FSharp.Likelihood.bernoulli;

        /// <inheritdoc cref="FSharp.Likelihood.gaussian"/>
        public static Likelihood Gaussian(double variance) => FSharp.Likelihood.gaussian(variance);

        /// <inheritdoc cref="FSharp.Likelihood.loss"/>
        public Tensor Loss(Tensor targets, Tensor outputs, Reduction reduction = Reduction.Mean) =>
            FSharp.Likelihood.loss(likelihood.NotNull(), reduction, targets.NotNull(), outputs.NotNull());
    }

    /// <inheritdoc cref="FSharp.Fisher.exact"/>
    public static LinearOperator Exact(Likelihood likelihood, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.exact(likelihood.NotNull(), model.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.Fisher.monteCarlo"/>
    public static LinearOperator MonteCarlo(
        Likelihood likelihood, int draws, Key key, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.monteCarlo(likelihood.NotNull(), draws, key, model.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.Fisher.empirical"/>
    public static LinearOperator Empirical(Func<Tensor, Tensor> losses, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.empirical(losses.ToFSharp(), model.ToFSharp(), theta.NotNull());

    extension(FisherKind)
    {
        /// <inheritdoc cref="FSharp.FisherKind.exact"/>
        public static FisherKind Exact(Likelihood likelihood) => FSharp.FisherKind.exact(likelihood.NotNull());

        /// <inheritdoc cref="FSharp.FisherKind.monteCarlo"/>
        public static FisherKind MonteCarlo(Likelihood likelihood, int draws, Key key) =>
            FSharp.FisherKind.monteCarlo(likelihood.NotNull(), draws, key);

        /// <inheritdoc cref="FSharp.FisherKind.empirical"/>
        public static FisherKind Empirical(Func<Tensor, Tensor, Tensor> losses) =>
            FSharp.FisherKind.empirical(losses.ToFSharp());
    }
}
