namespace Curvature.CSharp;

/// <summary>Posteriors of parameters, their predictions, and standard errors of fitted models.</summary>
public static class Uncertainty
{
    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Laplace.fit"/>
        public LaplacePosterior Laplace(Likelihood likelihood, Tensor theta, LaplaceOptions? options = null) =>
            FSharp.Laplace.fit(
                options ?? LaplaceOptions.Default, likelihood.NotNull(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.CoefficientTable.inverseHessian"/>
        public CoefficientTable StandardErrors(ParameterLayout layout, Tensor theta) =>
            FSharp.CoefficientTable.inverseHessian(layout.NotNull(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.CoefficientTable.sandwich"/>
        public CoefficientTable SandwichErrors(ParameterLayout layout, Tensor theta, SampleOptions? options = null) =>
            FSharp.CoefficientTable.sandwich(
                options.OrDefault(), layout.NotNull(), risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.ProfileLikelihood.interval"/>
        public ProfileInterval ProfileInterval(
            string parameter, ParameterLayout layout, Tensor theta, double confidence = 0.95) =>
            FSharp.ProfileLikelihood.interval(
                confidence, parameter.NotNull(), layout.NotNull(), risk.NotNull(), theta.NotNull());
    }

    extension(LaplacePosterior posterior)
    {
        /// <inheritdoc cref="FSharp.Laplace.tune"/>
        public LaplacePosterior Tune() => FSharp.Laplace.tune(posterior.NotNull());

        /// <inheritdoc cref="FSharp.Laplace.predict"/>
        public LinearizedPredictive Predict(Tensor inputs) =>
            FSharp.Laplace.predict(inputs.NotNull(), posterior.NotNull());

        /// <inheritdoc cref="FSharp.Laplace.predictBySamples"/>
        public SampledPredictive PredictBySamples(Tensor inputs, int draws = 1000, Key key = default) =>
            FSharp.Laplace.predictBySamples(key, draws, inputs.NotNull(), posterior.NotNull());

        /// <inheritdoc cref="FSharp.Laplace.check"/>
        public ImportanceCheck Check(int draws = 1000, Key key = default) =>
            FSharp.Laplace.check(key, draws, posterior.NotNull());
    }
}

/// <summary>Whether predicted probabilities and variances are right, on data that were held out.</summary>
public static class Calibration
{
    /// <inheritdoc cref="FSharp.Calibration.classes"/>
    public static ClassCalibration OfClasses(Tensor labels, Tensor probabilities, int bins = 15) =>
        FSharp.Calibration.classes(bins, labels.NotNull(), probabilities.NotNull());

    /// <inheritdoc cref="FSharp.Calibration.numbers"/>
    public static NumberCalibration OfNumbers(Tensor targets, Tensor means, Tensor variances) =>
        FSharp.Calibration.numbers(targets.NotNull(), means.NotNull(), variances.NotNull());
}
