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

        var asPyHessian = PowerIteration.Find(hessian, 2, new() { Stop = PowerStop.PyHessian(1e-3), MaximumMatvecs = 100 });
        var pairs = ThickRestartLanczos.Find(hessian, SpectrumEnd.LargestMagnitude, 2);
        Console.WriteLine($"{asPyHessian.Values[0]:f4} by power iteration, {pairs.Values[0]:f8} ± {pairs.Residuals[0]:g2}");

        Direction[] directions = [pairs.Direction(0), Direction.Random(Key.OfSeed(3), theta), Direction.Gradient(point.Gradient)];
        var lines = directions.Select(direction => Landscape.Line(risk, theta, direction, Landscape.Grid(0.5, 21))).ToArray();
        var chart = Chart.Create(
            "Loss along three directions",
            Axis.Linear("distance"),
            Axis.Linear("loss in nats"),
            lines.Select(line => Series.Line(line.Direction.Name, line.Positions, line.Losses)));

        foreach (var probe in new[] { Probe.Gaussian, Probe.Rademacher })
        {
            var options = new EstimateOptions { Probe = probe, Stop = StoppingRule.Matvecs(1000) };
            Console.WriteLine($"{probe}: {hessian.EstimateTrace(options)}, exactly {hessian.ExactTrace().Value:f4}");
        }

        var diagonal = hessian.EstimateDiagonal(new EstimateOptions { Stop = StoppingRule.Matvecs(1000) });
        var density = StochasticLanczos.Sample(hessian, new() { Probes = 8, Steps = 80 }).Density(Smoothing.PyHessian);

        Assert.That(pairs.Values[0], Is.EqualTo(asPyHessian.Values[0]).Within(2).Percent);
        Assert.That(chart.ToSvg(), Does.Contain("gradient"));
        Assert.That(diagonal.Value.Shape, Is.EqualTo(new[] { theta.Shape[0] }));
        Assert.That(density.Grid, Has.Length.EqualTo(10000));
    }
}
