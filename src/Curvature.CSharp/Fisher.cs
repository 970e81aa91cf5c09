namespace Curvature.CSharp;

/// <summary>Fisher information of a model, as an average over samples of outer products of gradients.</summary>
public static class Fisher
{
    extension(Likelihood)
    {
        /// <summary>One class of several, with the outputs [batch, classes] as logits: softmax cross-entropy.</summary>
        public static Likelihood Categorical => FSharp.Likelihood.categorical;

        /// <summary>Independent yes-or-no targets, with the outputs [batch, …] as logits: binary cross-entropy, summed over a row.</summary>
        public static Likelihood Bernoulli => FSharp.Likelihood.bernoulli;

        /// <summary>Independent normal targets of the given variance around the outputs [batch, …]: squared error over twice the variance,
        /// summed over a row.</summary>
        /// <exception cref="ArgumentRangeException">The variance is not above 0.</exception>
        public static Likelihood Gaussian(double variance) => FSharp.Likelihood.gaussian(variance);
    }

    /// <summary>The Fisher information 1/N Σ E gₙgₙᵀ of a model θ ↦ outputs [N, …], with the expectation over targets taken exactly: the
    /// Gauss–Newton matrix of the mean loss. Products and quadratic forms cost as much as there.</summary>
    public static LinearOperator Exact(Likelihood likelihood, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.exact(likelihood.NotNull(), model.ToFSharp(), theta.NotNull());

    /// <summary>The Fisher information with the expectation over targets replaced by the mean over <paramref name="draws"/> targets for each
    /// sample, drawn from the key: unbiased.</summary>
    /// <exception cref="ArgumentRangeException">There is less than one draw.</exception>
    public static LinearOperator MonteCarlo(
        Likelihood likelihood, int draws, Key key, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.monteCarlo(likelihood.NotNull(), draws, key, model.ToFSharp(), theta.NotNull());

    /// <summary>The empirical Fisher matrix 1/N Σ gₙgₙᵀ with gₙ the gradient of the loss of sample n at its own target. It is not the Fisher
    /// information (Kunstner, Hennig &amp; Balles 2019).</summary>
    /// <param name="losses">From outputs [N, …] to one loss for each sample, [N]; loss n may depend on row n alone.</param>
    /// <param name="model">From θ to outputs.</param>
    /// <param name="theta">Where to take it.</param>
    /// <exception cref="ShapeException">There is another number of losses.</exception>
    public static LinearOperator Empirical(Func<Tensor, Tensor> losses, Func<Tensor, Tensor> model, Tensor theta) =>
        FSharp.Fisher.empirical(losses.ToFSharp(), model.ToFSharp(), theta.NotNull());

    extension(FisherKind)
    {
        /// <summary>Over all targets that the likelihood may give, exactly.</summary>
        public static FisherKind Exact(Likelihood likelihood) => FSharp.FisherKind.exact(likelihood.NotNull());

        /// <summary>Over <paramref name="draws"/> targets for each sample, drawn from a key; batch number i draws from the key's fold with
        /// i, at every pass the same.</summary>
        /// <exception cref="ArgumentRangeException">There is less than one draw.</exception>
        public static FisherKind MonteCarlo(Likelihood likelihood, int draws, Key key) =>
            FSharp.FisherKind.monteCarlo(likelihood.NotNull(), draws, key);

        /// <summary>The targets of the data themselves.</summary>
        /// <param name="losses">From targets and outputs [N, …] to one loss for each sample, [N]; loss n may depend on row n alone.</param>
        public static FisherKind Empirical(Func<Tensor, Tensor, Tensor> losses) =>
            FSharp.FisherKind.empirical(losses.ToFSharp());
    }
}
