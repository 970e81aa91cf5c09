using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class SensitivityTests
{
    private static readonly ParameterLayout Layout = ParameterLayout.FromShapes(
        ("a", [2, 1]), ("bias", [1]), ("b", [1, 1]));

    private static readonly Tensor Theta = Tensor.FromArray([7.0, 2.4, 5.0, 2.0]);

    private static readonly Tensor Curvatures = Tensor.FromArray([1.0, 2.0, 3.0, 4.0]);

    private static Tensor Loss(Tensor theta) => (Curvatures * (theta - Theta).Square()).Sum() * 0.5;

    private static CurvatureByTensor Table => Hessian.At(Loss, Theta).ExactByTensor(Layout);

    [Test]
    public void ScoresAndBits()
    {
        var scores = Table.QuantizationScores(Theta);
        Assert.That(scores.Bits, Is.EqualTo(new[] { 2, 4, 8 }));
        Assert.That(scores["a"].Score(4).Value, Is.EqualTo(1.5 * 0.16).Within(1e-14));
        Assert.That(scores.Stability(bits: 4).MeanTau, Is.EqualTo(1));

        var assignment = scores.Assign(budget: 10);
        Assert.That(assignment.Bits, Is.EqualTo(new[] { 4, 2 }));
        Assert.That(assignment.Agreement, Is.All.EqualTo(1));
        Assert.Throws<ArgumentRangeException>(() => scores.Assign(budget: 5));
        Assert.Throws<ArgumentRangeException>(() => scores.Assign(10, draws: 0));
    }

    [Test]
    public void ACurveOfPruning()
    {
        var saliencies = Table.Saliencies(Theta);
        Assert.That(saliencies.Values.Value.ToArray(), Is.EqualTo(new[] { 24.5, 5.76, 8 }).Within(1e-14));
        Assert.That(saliencies.Order, Is.EqualTo(new[] { 1, 3, 0 }));

        var curve = saliencies.PruningCurve(Risk.OfFunction(Loss), [0, 1.0 / 3, 1]);
        Assert.That(curve.Select(point => point.Measured), Is.EqualTo(new[] { 0, 5.76, 38.26 }).Within(1e-13));
        Assert.That(curve.Select(point => point.Predicted.Value), Is.EqualTo(new[] { 0, 5.76, 38.26 }).Within(1e-13));
        Assert.That(Table.Saliencies(Theta, tensor => tensor.Name == "b").Positions, Is.EqualTo(new[] { 3 }));
        Assert.That(saliencies.Stability([0.5]).Overlaps, Is.EqualTo(new[] { 1.0 }));
    }

    [Test]
    public void ACurveOverBatches()
    {
        var data = Tensor.FromArray([1.0, 2, 6]);
        var risk = Risk.OfBatches((batch, theta) => (batch.Inputs * theta.Sum()).Mean(), Batches.Split(data, data, 2));
        var curve = Table.Saliencies(Theta).PruningCurve(risk, [0, 1]);
        Assert.That(curve.Select(point => point.Measured), Is.EqualTo(new[] { 3 * 16.4, 3 * 5 }).Within(1e-13));
    }
}
