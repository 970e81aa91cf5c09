namespace Curvature.CSharp;

/// <summary>Gradients and Jacobians of single samples of a risk, and what is made of them.</summary>
public static class PerSample
{
    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.SampleGradients.matrix"/>
        public Tensor SampleGradients(Tensor theta, SampleOptions? options = null) =>
            FSharp.SampleGradients.matrix(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.SampleGradients.moments"/>
        public GradientMoments GradientMoments(Tensor theta, SampleOptions? options = null) =>
            FSharp.SampleGradients.moments(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.SampleGradients.covariance"/>
        public LinearOperator GradientCovariance(Tensor theta, SampleOptions? options = null) =>
            FSharp.SampleGradients.covariance(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.SampleGradients.noiseScale"/>
        public NoiseScale NoiseScale(Tensor theta, SampleOptions? options = null) =>
            FSharp.SampleGradients.noiseScale(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.CurvatureDiagonal.gaussNewton"/>
        public Tensor GaussNewtonDiagonal(Tensor theta, SampleOptions? options = null) =>
            FSharp.CurvatureDiagonal.gaussNewton(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.CurvatureDiagonal.fisher"/>
        public Tensor FisherDiagonal(Likelihood likelihood, Tensor theta, SampleOptions? options = null) =>
            FSharp.CurvatureDiagonal.fisher(
                options.OrDefault(), likelihood.NotNull(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.GramMatrix.tangentKernel"/>
        public GramMatrix TangentKernel(Tensor theta, SampleOptions? options = null) =>
            FSharp.GramMatrix.tangentKernel(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.GramMatrix.gaussNewton"/>
        public GramMatrix GaussNewtonGram(Tensor theta, SampleOptions? options = null) =>
            FSharp.GramMatrix.gaussNewton(options.OrDefault(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.GramMatrix.fisher"/>
        public GramMatrix FisherGram(Likelihood likelihood, Tensor theta, SampleOptions? options = null) =>
            FSharp.GramMatrix.fisher(options.OrDefault(), likelihood.NotNull(), risk.NotNull(), theta.NotNull());
    }

    /// <inheritdoc cref="FSharp.GramMatrix.eigenvalues"/>
    public static double[] Eigenvalues(this GramMatrix gram) => FSharp.GramMatrix.eigenvalues(gram.NotNull());
}
