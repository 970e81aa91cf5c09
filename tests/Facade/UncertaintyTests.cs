using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

/// <summary>Samples, posteriors, standard errors and influence, of a regression y = θx solved by hand.</summary>
public sealed class UncertaintyTests
{
    private static readonly Tensor X = Tensor.FromArray(new[,] { { 1.0 }, { 2.0 }, { -1.0 } });

    private static readonly Tensor Y = Tensor.FromArray([2.0, 3.0, 0.0]);

    /// <summary>Σxy/Σx² = 8/6.</summary>
    private static readonly Tensor Fitted = Tensor.FromArray([8.0 / 6]);

    private static readonly EmpiricalRisk Squares = Risk.OfModel(
        (x, theta) => x.MatMul(theta),
        (y, outputs) => Likelihood.Gaussian(1).Loss(y, outputs, Reduction.Sum),
        Batches.Split(X, Y, 2),
        Reduction.Sum);

    [Test]
    public void GradientsOfSamples()
    {
        // (xθ − y)x at θ = 0.
        var theta = Tensor.FromArray([0.0]);
        Assert.That(Squares.SampleGradients(theta).ToArray(), Is.EqualTo(new[] { -2.0, -6, 0 }));
        var moments = Squares.GradientMoments(theta);
        Assert.That(moments.Mean.ToArray(), Is.EqualTo(new[] { -8.0 / 3 }).Within(1e-14));
        Assert.That(moments.SecondMoment.ToArray(), Is.EqualTo(new[] { 40.0 / 3 }).Within(1e-14));
        Assert.That(Squares.NoiseScale(theta).CovarianceTrace, Is.EqualTo(28.0 / 3).Within(1e-13));
        Assert.That(Squares.GaussNewtonDiagonal(theta).ToArray(), Is.EqualTo(new[] { 6.0 }));
        Assert.That(
            Squares.FisherDiagonal(Likelihood.Gaussian(1), theta).ToArray(), Is.EqualTo(new[] { 2.0 }).Within(1e-15));
        Assert.That(
            Squares.TangentKernel(theta).Matrix.ToArray(), Is.EqualTo(new double[] { 1, 2, -1, 2, 4, -2, -1, -2, 1 }));
        Assert.That(Squares.GaussNewtonGram(theta).Eigenvalues()[0], Is.EqualTo(6).Within(1e-13));
        Assert.That(
            Squares.FisherGram(Likelihood.Gaussian(1), theta).Eigenvalues()[0], Is.EqualTo(2).Within(1e-13));
        Assert.Throws<DataException>(() => Risk.OfFunction(t => t.Sum()).SampleGradients(theta));
    }

    [Test]
    public void APosterior()
    {
        var posterior = Squares.Laplace(Likelihood.Gaussian(1), Fitted, LaplaceOptions.Default.WithPriorPrecision(2));
        Assert.That(posterior.Variances.ToArray(), Is.EqualTo(new[] { 1.0 / 8 }).Within(1e-15));
        Assert.That(posterior.EffectiveParameters, Is.EqualTo(0.75).Within(1e-14));
        var predictive = posterior.Predict(Tensor.FromArray(new[,] { { 3.0 } }));
        Assert.That(predictive.Mean.ToArray(), Is.EqualTo(new[] { 4.0 }).Within(1e-14));
        Assert.That(predictive.TargetVariance.ToArray(), Is.EqualTo(new[] { 1 + 9.0 / 8 }).Within(1e-14));
        Assert.That(posterior.Tune().LogPriorPrecisionGradient, Is.EqualTo(0).Within(1e-9));
        Assert.That(posterior.PredictBySamples(X, draws: 10).Draws, Is.EqualTo(10));
        Assert.That(posterior.Check(draws: 50).Weights.Sum(), Is.EqualTo(1).Within(1e-12));
        Assert.Throws<ArgumentRangeException>(() => posterior.Check(draws: 1));
        Assert.Throws<OperatorException>(() => _ = predictive.Probabilities);
    }

    [Test]
    public void StandardErrorsAndCalibration()
    {
        var layout = ParameterLayout.FromShapes(("slope", [1]));
        var table = Squares.StandardErrors(layout, Fitted);
        Assert.That(table["slope"].StandardError, Is.EqualTo(Math.Sqrt(1.0 / 6)).Within(1e-14));
        // Residuals −2/3, −1/3 and −4/3 times x.
        var squares = (4.0 / 9) + (4 * 1.0 / 9) + (16.0 / 9);
        Assert.That(
            Squares.SandwichErrors(layout, Fitted)["slope"].StandardError,
            Is.EqualTo(Math.Sqrt(squares) / 6).Within(1e-14));
        var profile = Squares.ProfileInterval("slope", layout, Fitted, 0.9);
        Assert.That(profile.Interval.High, Is.EqualTo(table["slope"].Interval(0.9).High).Within(1e-8));
        var found = Calibration.OfNumbers(Y, Y, Y + 1);
        Assert.That(found.Coverages, Is.All.EqualTo(1));
        var labels = Tensor.FromIndices([1, 0]);
        var ofYes = Calibration.OfClasses(labels, Tensor.FromArray([0.75, 0.25]));
        Assert.That(ofYes.Error, Is.EqualTo(0.25).Within(1e-15));
    }

    [Test]
    public void InfluenceOfSamples()
    {
        var options = InfluenceOptions.Default.WithDamping(0);
        // A⁻¹g = x(xθ − y)/6.
        var moves = Squares.InfluenceOnParameters([0, 2], Fitted, options).ToArray();
        Assert.That(moves, Is.EqualTo(new[] { -2.0 / 18, 4.0 / 18 }).Within(1e-14));
        var influence = Squares.InfluenceOnLoss(Squares, Fitted + 1, options);
        var check = influence.Retrain(
            (risk, theta) => risk.MinimizeByLbfgs(theta).Theta, Squares, Squares, [0, 1, 2], Fitted);
        Assert.That(check.Actual, Is.All.GreaterThanOrEqualTo(-1e-9));
        Assert.That(
            Squares.GradientProducts(Squares, Fitted + 1, options).Values, Has.Length.EqualTo(3));
        Assert.That(Squares.GradientCosines(Squares, Fitted + 1, options).Values, Is.All.InRange(-1.0, 1.0));
    }
}
