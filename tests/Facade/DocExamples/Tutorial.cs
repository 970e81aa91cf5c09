using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/tutorial.md.</summary>
public sealed class Tutorial
{
    [Test]
    public void TheSameInCSharp()
    {
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 100, 2);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 100).Select(row => row % 2).ToArray());
        var network = Network.Mlp(Layer.Tanh, 2, 16, 2);
        var theta = network.Initialize(Key.OfSeed(2), DType.Float64);

        Func<Tensor, Tensor> loss = theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs));
        var risk = Risk.OfFunction(loss);
        var point = risk.Evaluate(theta);
        var hessian = point.Hessian;

        var asPyHessian = hessian.PowerIteration(2, PowerStop.PyHessian(1e-3), maximumMatvecs: 100);
        var pairs = hessian.ThickRestartLanczos(SpectrumEnd.LargestMagnitude, 2);
        Console.WriteLine(
            $"{asPyHessian.Values[0]:f4} by power iteration, {pairs.Values[0]:f8} ± {pairs.Residuals[0]:g2}");

        var (random, uphill) = (Direction.Random(Key.OfSeed(3), theta), Direction.Gradient(point.Gradient));
        Direction[] directions = [pairs.Direction(0), random, uphill];
        var lines = directions.Select(direction => risk.LossLine(theta, direction, Landscape.Grid(0.5, 21))).ToArray();
        var chart = Chart.Create(
            "Loss along three directions",
            Axis.Linear("distance"),
            Axis.Linear("loss in nats"),
            lines.Select(line => Series.Line(line.Direction.Name, line.Positions, line.Losses)));

        foreach (var probe in new[] { Probe.Gaussian, Probe.Rademacher })
        {
            var trace = hessian.EstimateTrace(StoppingRule.Matvecs(1000), probe: probe);
            Console.WriteLine($"{probe}: {trace}, exactly {hessian.ExactTrace().Value:f4}");
        }

        var diagonal = hessian.EstimateDiagonal(StoppingRule.Matvecs(1000));
        var density = hessian.StochasticLanczos(probes: 8, steps: 80).Density(Smoothing.PyHessian);

        Assert.That(pairs.Values[0], Is.EqualTo(asPyHessian.Values[0]).Within(2).Percent);
        Assert.That(chart.ToSvg(), Does.Contain("gradient"));
        Assert.That(diagonal.Value.Shape, Is.EqualTo(new[] { theta.Shape[0] }));
        Assert.That(density.Grid, Has.Length.EqualTo(10000));
    }
}
