using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/tutorials.</summary>
public sealed class TutorialScripts
{
    [Test]
    public void TheFirstHour()
    {
        var small = Hessian.At(x => x.Dot(x).Square(), Tensor.FromArray([1.0, 2.0, 3.0], 3));
        Console.WriteLine($"product {small.Apply(Tensor.FromArray([1.0, 0.0, 0.0], 3))}");
        Console.WriteLine($"trace   {small.ExactTrace()}");

        Assert.That(small.ExactTrace().Value, Is.EqualTo(280).Within(1e-9));
    }

    [Test]
    public void SignsOrGaussianVectors()
    {
        var shifted = LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(2), DType.Float64, 20, 20)).Shift(5);

        var signs = shifted.EstimateTrace(StoppingRule.Matvecs(5000));
        var gaussian = shifted.EstimateTrace(StoppingRule.Matvecs(5000), probe: Probe.Gaussian);
        Console.WriteLine($"{signs.StandardError} and {gaussian.StandardError}");

        Assert.That(gaussian.StandardError, Is.GreaterThan(1.5 * signs.StandardError));
    }
}
