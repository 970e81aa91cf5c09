using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/low-rank.md.</summary>
public sealed class LowRank
{
    private const int Size = 200;

    private static readonly LinearOperator GaussNewton = LinearOperator.FromMatrix(
        Tensor.FromArray(Enumerable.Range(1, Size).Select(i => 1.0 / i).ToArray(), Size, 1)
            * Tensor.Normal(Key.OfSeed(5), DType.Float64, Size, Size)).Gram();

    private static readonly double Truth = GaussNewton.ExactTrace().Value;

    [Test]
    public void WithoutChoosing()
    {
        var (hessian, gaussNewton) = (GaussNewton, GaussNewton);

        var chosen = gaussNewton.AutomaticTrace(StoppingRule.RelativeError(0.01));
        Console.WriteLine($"{chosen.Estimate.Value} by {chosen.Method}: {chosen.Reason}");
        var diagonal = hessian.AutomaticDiagonal(StoppingRule.RelativeError(0.05));

        AssertNear(chosen.Estimate);
        Assert.That(diagonal.Method, Is.Not.Empty);
    }

    [Test]
    public void ATraceToOnePercent()
    {
        var (hessian, gaussNewton) = (GaussNewton, GaussNewton);

        var stop = StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(300));
        var trace = hessian.Estimate(Estimators.XTrace(), stop);
        var ofGaussNewton = gaussNewton.Estimate(Estimators.XNysTrace(), stop);
        Console.WriteLine($"{trace.Value} ± {trace.StandardError} from {trace.Matvecs} products");

        AssertNear(trace);
        AssertNear(ofGaussNewton);
    }

    [Test]
    public void ANumberOfProducts()
    {
        var hessian = GaussNewton;

        var trace = hessian.Estimate(Estimators.HutchPlusPlus(), StoppingRule.Matvecs(90));
        var atOnce = hessian.Estimate(Estimators.NonadaptiveHutchPlusPlus, StoppingRule.Matvecs(90));

        AssertNear(trace);
        AssertNear(atOnce);
    }

    [Test]
    public void AnErrorThatIsPromised()
    {
        var hessian = GaussNewton;

        var trace = hessian.AdaptiveHutchPlusPlus(absoluteError: 2.0, risk: 0.025);

        Assert.That(trace.Value, Is.EqualTo(Truth).Within(2.0));
    }

    [Test]
    public void Diagonals()
    {
        var (hessian, gaussNewton) = (GaussNewton, GaussNewton);

        var stop = StoppingRule.Matvecs(60);
        var diagonal = hessian.Estimate(Estimators.XDiag(), stop);
        var inThreeParts = hessian.Estimate(Estimators.UDiagPlusPlus, stop);
        var ofGaussNewton = gaussNewton.Estimate(Estimators.XNysDiag(), stop);

        ParameterBlock[] blocks = [new("first", 0, 50), new("rest", 50, 150)];
        foreach (var block in gaussNewton.Estimate(Estimators.XNysDiagBlockTraces(blocks), stop))
        {
            Console.WriteLine($"{block.Block.Name}: {block.Trace}");
        }

        var entries = hessian.ExactDiagonal().Value;
        foreach (var estimate in new[] { diagonal, inThreeParts, ofGaussNewton })
        {
            Assert.That(((estimate.Value - entries).Abs() / estimate.StandardError).Max().ToScalar(), Is.LessThan(12));
        }
    }

    [Test]
    public void NormsOfAllKinds()
    {
        var hessian = GaussNewton;

        var frobenius = hessian.EstimateFrobenius(StoppingRule.RelativeError(0.05));
        var rows = hessian.EstimateRowNorms(StoppingRule.Matvecs(200));
        var spectral = hessian.SpectralNorm(relativeError: 0.01);
        Console.WriteLine($"‖A‖₂ is {spectral.Value} or more, and {spectral.Interval(0.95).High} at most");

        Assert.That(frobenius.Value, Is.EqualTo(hessian.ExactFrobenius().Value).Within(15).Percent);
        Assert.That(rows.Value.Size, Is.EqualTo(Size));
        Assert.That(spectral.Interval(0.95).High, Is.LessThan(1.011 * spectral.Value));
    }

    [Test]
    public void DivergenceOfAFlow()
    {
        var weights = Tensor.Normal(Key.OfSeed(6), DType.Float64, 5, 5);
        var points = Tensor.Normal(Key.OfSeed(7), DType.Float64, 3, 5);
        var point = Tensor.Normal(Key.OfSeed(8), DType.Float64, 5);

        Tensor Field(Tensor x) => weights.MatMul(x).Tanh();
        var exact = Divergence.Exact(Field, point);
        var estimate = Divergence.Estimate(Field, point, StoppingRule.Matvecs(100));
        var atPoints = Divergence.EstimateAtPoints(Field, points, StoppingRule.Matvecs(100));

        Assert.That(Math.Abs(estimate.Value - exact.Value), Is.LessThan(6 * estimate.StandardError));
        Assert.That(atPoints, Has.Count.EqualTo(3));
    }

    private static void AssertNear(Estimate<double> trace) =>
        Assert.That(Math.Abs(trace.Value - Truth), Is.LessThan(6 * trace.StandardError));
}
