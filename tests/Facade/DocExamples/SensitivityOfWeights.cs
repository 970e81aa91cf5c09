using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/sensitivity.md.</summary>
public sealed class SensitivityOfWeights
{
    private static (Network Network, Tensor Theta, Func<Tensor, Tensor> Loss) Problem()
    {
        var network = Network.Mlp(Layer.Tanh, 8, 6, 3);
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 30, 8);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 30).Select(row => row % 3).ToArray());
        return (
            network,
            network.Initialize(Key.OfSeed(2), DType.Float64),
            theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs)));
    }

    [Test]
    public void QuantisationAndBitsWithinABudget()
    {
        var (network, theta, loss) = Problem();

        var hessian = Hessian.At(loss, theta);
        var table = hessian.EstimateByTensor(network.Layout, StoppingRule.Matvecs(100));

        var scores = table.QuantizationScores(theta, bits: [2, 4, 8]);
        foreach (var row in scores.Tensors)
        {
            Console.WriteLine($"{row.Name}: {row.Score(4)} at 4 bits, for an error of {row.SquaredError(4):g3}");
        }

        var stability = scores.Stability(bits: 4, draws: 1000);
        Console.WriteLine(
            $"Kendall's tau {stability.MeanTau:f2}, in 95 % of draws above {stability.TauQuantile(0.05):f2}");
        Console.WriteLine($"{stability.Names[0]} is number {stability.Rank(0, 0.95)}");
        var probability = stability.ProbabilityThatFirstIsLarger(0, 1);
        Console.WriteLine($"its score is above that of {stability.Names[1]} with probability {probability}");

        var byFilter = table.QuantizationScores(
            theta,
            bits: [4],
            quantizer: (bits, weights) => Quantization.PerRow(weights, bits),
            isQuantized: tensor => tensor.Name.EndsWith("weight"));
        var coarse = Quantization.PerTensor(Tensor.FromArray([-1.2, 0.4, 1.3, 2.0]), bits: 2);      // −2, 0, 2, 2

        var weights = scores.Tensors.Sum(row => row.Size);
        var assignment = scores.Assign(budget: 4L * weights);       // 4 on average
        Console.WriteLine($"{assignment}");
        Console.WriteLine($"{assignment.TotalBits} of {assignment.Budget} bits, score {assignment.Score}");

        Assert.That(assignment.TotalBits, Is.LessThanOrEqualTo(assignment.Budget));
        Assert.That(byFilter.Tensors, Has.Count.EqualTo(2));
        Assert.That(coarse.ToArray(), Is.EqualTo(new[] { -2.0, 0, 2, 2 }).Within(1e-15));
    }

    [Test]
    public void PruningWeights()
    {
        var (network, theta, loss) = Problem();

        var hessian = Hessian.At(loss, theta);
        var table = hessian.EstimateByTensor(network.Layout, StoppingRule.Matvecs(100));

        var saliencies = table.Saliencies(theta);
        foreach (var point in saliencies.PruningCurve(Risk.OfFunction(loss), [0.1, 0.3, 0.5]))
        {
            Console.WriteLine($"{point.Share:P0}: predicted {point.Predicted}, measured {point.Measured}");
        }

        var order = saliencies.Stability([0.1, 0.3, 0.5], draws: 100);
        Console.WriteLine(
            $"{order.Overlaps[1]:P0} of the least 30 % would be among them again, tau {order.MeanTau:f2}");

        // An order from other random vectors: predictions without the luck of the choice.
        var other = hessian.EstimateByTensor(network.Layout, StoppingRule.Matvecs(100), Key.OfSeed(7));
        var unbiased = saliencies.OrderedBy(other.Saliencies(theta));

        Assert.That(unbiased.Order, Is.EqualTo(other.Saliencies(theta).Order));
    }
}
