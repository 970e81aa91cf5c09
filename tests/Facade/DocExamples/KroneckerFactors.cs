using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/kfac.md.</summary>
public sealed class KroneckerFactors
{
    private static readonly Network Network = Network.Mlp(Layer.Tanh, 4, 6, 3);

    private static readonly Tensor Theta = Network.Initialize(Key.OfSeed(1), DType.Float64);

    private static readonly EmpiricalRisk Data = Network.Risk(
        (labels, outputs) => Loss.SoftmaxCrossEntropy(labels, outputs),
        Batches.Split(
            Tensor.Normal(Key.OfSeed(2), DType.Float64, 30, 4),
            Tensor.FromIndices([.. Enumerable.Range(0, 30).Select(i => i % 3)], 30),
            10));

    [Test]
    public void AFirstApproximation()
    {
        var (network, risk, theta) = (Network, Data, Theta);

        var k = risk.Kfac(network.Layout, theta);
        Console.WriteLine(k);
        var block = k["0.weight"];
        Console.WriteLine($"{block.InputFactor.Shape.Length} axes, {block.Trace}");

        Assert.That(block.Inputs, Is.EqualTo(5));
    }

    [Test]
    public void OtherOptions()
    {
        var (network, risk, theta) = (Network, Data, Theta);

        var options = KfacOptions.Default
            .WithKind(KfacKind.Fisher(FisherKind.MonteCarlo(Likelihood.Categorical, 1, Key.OfSeed(1))))
            .WithSharing(WeightSharing.Reduce)
            .WithCorrectedEigenvalues(true);
        var ek = risk.Kfac(network.Layout, theta, options);

        Assert.That(ek["2.bias"].Kind, Is.EqualTo(KroneckerBlockKind.Corrected));
    }

    [Test]
    public void ClosedForms()
    {
        var (network, risk, theta) = (Network, Data, Theta);
        var gradient = risk.Gradient(theta).Gradient;
        var k = risk.Kfac(network.Layout, theta);

        var damped = k.Damped(1e-3);
        var naturalGradient = damped.Inverse().Apply(gradient);
        var evidence = 0.5 * damped.LogDeterminant;
        var samples = k.Sample(1e-3, Key.OfSeed(2), 10);
        var largest = k.Eigenvalues.Max();

        Assert.That(
            (damped.Apply(naturalGradient) - gradient).Norm().ToScalar(),
            Is.LessThan(1e-10));
        Assert.That(evidence, Is.Not.NaN);
        Assert.That(samples.Shape, Is.EqualTo(new[] { 10, network.ParameterCount }));
        Assert.That(largest.ToScalar(), Is.Positive);
    }

    [Test]
    public void APreconditionerAndHowWrongItIs()
    {
        var (network, risk, theta) = (Network, Data, Theta);
        var gradient = risk.Gradient(theta).Gradient;
        var k = risk.Kfac(network.Layout, theta);

        var inverse = k.Damped(1e-4).Inverse().Operator;
        var solver = Solver.ConjugateGradients(inverse);
        var gaussNewton = risk.GaussNewton(theta);
        var solution = gaussNewton.Damped(1e-4).Solve(gradient, solver);

        Assert.That(solution.IsConverged);

        var stop = StoppingRule.RelativeError(0.05).OrElse(StoppingRule.Matvecs(200));
        var error = k.EstimateError(gaussNewton, stop, Key.OfSeed(3));
        Console.WriteLine(error);
        var ofHessian = k.RelativeError(risk.Hessian(theta), stop, Key.OfSeed(4));

        Assert.That(error.RelativeError.Value, Is.LessThan(1.0));
        Assert.That(ofHessian.Value, Is.Positive);
        Assert.That(k.RelativeError(gaussNewton).Value, Is.EqualTo(error.RelativeError.Value).Within(20).Percent);
    }
}
