using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade.DocExamples;

/// <summary>The examples of dense decompositions, ranks and shift-invert.</summary>
public sealed class Results
{
    private static LinearOperator Hessian =>
        LinearOperator.FromDiagonal(Tensor.FromArray([.. Enumerable.Range(1, 30).Select(i => (double)i)]))
            .Claim(OperatorProperties.PositiveSemidefinite);

    [Test]
    public void DenseDecompositions()
    {
        var hessian = Hessian;

        var eigenvalues = hessian.ExactEigenvalues();    // n products, and a dense decomposition
        var logDeterminant = hessian.ExactLogDeterminant();
        var condition = hessian.ExactConditionNumber();
        Console.WriteLine($"{logDeterminant}, shorter {logDeterminant:F2}; your own: {Numbers.WithError(3.456, 0.12)}");

        Assert.That(eigenvalues.Value.Sum().ToScalar(), Is.EqualTo(465.0).Within(1e-9));
        Assert.That(condition.Value, Is.EqualTo(30.0).Within(1e-9));
    }

    [Test]
    public void SmallestEigenvaluesByTheInverse()
    {
        var hessian = Hessian;

        var smallest = hessian.ShiftInvert(3, shift: 0.1);    // of A, by systems with A + 0.1·I
        Console.WriteLine(smallest);

        Assert.That(smallest.Values[2], Is.EqualTo(3.0).Within(1e-6));
    }

    [Test]
    public void Ranks()
    {
        var hessian = Hessian;

        var spectrum = hessian.AutomaticSpectrum(probes: 10, steps: 25, Key.OfSeed(1));
        var rank = spectrum.EffectiveRank();               // exp(−Σ pᵢ ln pᵢ) for pᵢ = λᵢ/tr A
        var share = spectrum.NormalisedEffectiveRank();    // of n
        var stable = hessian.StableRank(StoppingRule.Matvecs(100), Key.OfSeed(1));    // ‖A‖²_F/‖A‖₂²

        Assert.That(rank.Value, Is.EqualTo(30 * share.Value).Within(1e-9));
        Assert.That(stable.Value, Is.EqualTo(10.5).Within(5).Percent);
    }
}
