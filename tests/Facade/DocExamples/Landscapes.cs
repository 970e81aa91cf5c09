using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/landscapes.md.</summary>
public sealed class Landscapes
{
    private static (Network Network, Tensor Theta, EmpiricalRisk Risk) Problem()
    {
        var network = Network.Mlp(Layer.Tanh, 8, 6, 3);
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 30, 8);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 30).Select(row => row % 3).ToArray());
        return (
            network,
            network.Initialize(Key.OfSeed(2), DType.Float64),
            Risk.OfFunction(theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs))));
    }

    [Test]
    public void AlongALine()
    {
        var (_, theta, risk) = Problem();
        var point = risk.Evaluate(theta);

        var line = risk.LossLine(theta, Direction.Gradient(point.Gradient), Landscape.Grid(radius: 1, count: 41));
        var departure = line.Departure(tolerance: 0.1);     // by more than a tenth
        foreach (var (t, value, model) in line.Positions.Zip(line.Losses, line.ModelLosses))
        {
            Console.WriteLine($"{t:f2}: {value:f4}, and {model:f4} by slope and curvature");
        }

        Console.WriteLine($"the model holds from {departure.Below} to {departure.Above}");

        Assert.That(line.Losses[20], Is.EqualTo(point.Loss).Within(1e-14));
    }

    [Test]
    public void OverAPlane()
    {
        var (network, theta, risk) = Problem();
        var first = Direction.Random(Key.OfSeed(1), theta).FilterNormalized(network.Layout, theta);
        var second = Direction.Random(Key.OfSeed(2), theta).FilterNormalized(network.Layout, theta);
        var positions = Landscape.Grid(1, 21);
        var plane = risk.LossPlane(theta, first.Axis(positions), second.Axis(positions));
        Console.WriteLine($"{plane.Losses[10, 10]} in the middle, {plane.Losses[0, 0]} in a corner");

        Assert.That(plane.Losses.GetLength(0), Is.EqualTo(21));
    }

    [Test]
    public void OverADataSet()
    {
        var (network, theta, _) = Problem();
        var direction = Direction.Random(Key.OfSeed(5), theta);
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 30, 8);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 30).Select(row => row % 3).ToArray());

        var batches = Batches.Split(inputs, labels, size: 8);
        var risk = network.Risk((targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs), batches);
        var line = risk.LossLine(theta, direction, Landscape.Grid(1, 41));

        Assert.That(line.Evaluations, Is.EqualTo(4 * 41));
    }

    [Test]
    public void WithOptions()
    {
        var (_, theta, risk) = Problem();
        var progress = new Progress<LandscapeProgress>(
            told => Console.WriteLine($"{told.Evaluations} of {told.Total}"));
        var cancellationToken = CancellationToken.None;

        var options = LandscapeOptions.Default
            .WithNonFinite()
            .WithQuadraticForms()
            .WithProgress(progress)
            .WithCancellation(cancellationToken);
        var direction = Direction.FromVector("towards 0", -theta);
        var line = risk.LossLine(theta, direction, [0, 0.5, 1], options);
        Console.WriteLine($"{line.NonFinite.Length} losses are not finite");

        Assert.That(line.NonFinite, Is.Empty);
    }
}
