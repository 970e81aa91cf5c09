using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class LowRankTests
{
    /// <summary>A semidefinite matrix of size 60 whose eigenvalues fall.</summary>
    private static readonly LinearOperator Operator = LinearOperator.FromMatrix(
        Tensor.FromArray(Enumerable.Range(1, 60).Select(i => 1.0 / i).ToArray(), 60, 1)
            * Tensor.Normal(Key.OfSeed(5), DType.Float64, 60, 60)).Gram();

    private static readonly ParameterBlock[] Halves = [new("first", 0, 30), new("second", 30, 30)];

    private static EstimateOptions After(int matvecs) =>
        new() { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(matvecs) };

    [Test]
    public void TracesAreNearTheTruth()
    {
        var truth = Operator.ExactTrace().Value;
        Estimate<double>[] traces =
        [
            Operator.XTrace(After(30)),
            Operator.XNysTrace(After(30)),
            Operator.HutchPlusPlus(After(30)),
            Operator.NonadaptiveHutchPlusPlus(After(30)),
        ];

        foreach (var trace in traces)
        {
            Assert.That(Math.Abs(trace.Value - truth), Is.LessThan(6 * trace.StandardError));
            Assert.That(trace.Matvecs + trace.QuadraticForms, Is.EqualTo(30));
        }

        var adaptive = Operator.AdaptiveHutchPlusPlus(0.05 * truth);
        Assert.That(adaptive.Value, Is.EqualTo(truth).Within(5).Percent);
        var surer = Operator.AdaptiveHutchPlusPlus(0.05 * truth, new() { Risk = 1e-6 });
        Assert.That(surer.Matvecs, Is.GreaterThan(adaptive.Matvecs));
    }

    [Test]
    public void DiagonalsAreNearTheTruth()
    {
        var truth = Operator.ExactDiagonal().Value;
        Estimate<Tensor>[] diagonals =
            [Operator.XDiag(After(30)), Operator.XNysDiag(After(30)), Operator.UDiagPlusPlus(After(30))];

        foreach (var diagonal in diagonals)
        {
            Assert.That(((diagonal.Value - truth).Abs() / diagonal.StandardError).Max().ToScalar(), Is.LessThan(12));
        }
    }

    [Test]
    public void BlockTracesAddUpToTheDiagonal()
    {
        var first = Operator.XDiag(After(30)).Value.Slice(0, 0, 30).Sum().ToScalar();
        Assert.That(Operator.XDiagBlockTraces(Halves, After(30))[0].Trace.Value, Is.EqualTo(first).Within(1e-10));

        first = Operator.XNysDiag(After(30)).Value.Slice(0, 0, 30).Sum().ToScalar();
        Assert.That(Operator.XNysDiagBlockTraces(Halves, After(30))[0].Trace.Value, Is.EqualTo(first).Within(1e-10));
    }

    [Test]
    public void EstimatorsAreValuesThatAnOperatorRuns()
    {
        var (stop, key) = (StoppingRule.Matvecs(30), Key.OfSeed(1));
        Assert.That(Operator.Estimate(Estimators.XTrace(), stop, key).Value, Is.EqualTo(Operator.XTrace(After(30)).Value));
        var signs = Estimators.Hutchinson(Measurement.Trace);
        Assert.That(Operator.Estimate(signs, stop, key).Value, Is.EqualTo(Operator.EstimateTrace(After(30)).Value));
        var inBlocks = Operator.Estimate(Estimators.XDiag(), stop, key, RunOptions.Default.WithBlockSize(4));
        Assert.That(
            inBlocks.Value.ToArray(), Is.EqualTo(Operator.XDiag(After(30)).Value.ToArray()).Within(1e-10));

        Assert.That((signs.Name, signs.KeepsVectors, signs.Need), Is.EqualTo(("Hutchinson", false, OperatorNeed.Nothing)));
        var nystrom = Estimators.XNysTrace();
        Assert.That((nystrom.Name, nystrom.KeepsVectors, nystrom.Need), Is.EqualTo(("XNysTrace", true, OperatorNeed.Semidefinite)));
        Assert.That($"{Estimators.HutchPlusPlus()}", Is.EqualTo("Hutch++"));
        Assert.That(Estimators.HutchPlusPlus().LeastMatvecs, Is.EqualTo(3));
    }

    [Test]
    public void AnotherProbeGivesAnotherEstimate()
    {
        var signs = new EstimateOptions { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(30), Probe = Probe.Rademacher };
        Assert.That(Operator.XTrace(signs).Value, Is.Not.EqualTo(Operator.XTrace(After(30)).Value));
        Assert.That(Operator.XDiag(signs).Value.ToArray(), Is.EqualTo(Operator.XDiag(After(30)).Value.ToArray()));
    }

    [Test]
    public void WhatWasChosenIsSaid()
    {
        var rule = new AutomaticOptions { Key = Key.OfSeed(1), Stop = StoppingRule.RelativeError(0.1) };
        var trace = Operator.AutomaticTrace(rule);
        Assert.That(trace.Method, Is.EqualTo("XNysTrace"));
        Assert.That(trace.Reason, Does.Contain("semidefinite"));
        Assert.That(trace.Estimate.Value, Is.EqualTo(Operator.ExactTrace().Value).Within(10).Percent);

        var diagonal = Operator.AutomaticDiagonal(rule);
        Assert.That(diagonal.Method, Is.EqualTo("XNysDiag"));

        var tight = Operator.AutomaticTrace(new() { Memory = 1000 });
        Assert.That(tight.Method, Is.EqualTo("Hutchinson's estimator"));
        Assert.That(tight.Reason, Does.Contain("1000 bytes"));
    }

    [Test]
    public void NormsHaveErrorBarsOfTheirOwn()
    {
        var rows = Operator.EstimateRowNorms(new() { Stop = StoppingRule.Matvecs(300) });
        Assert.That(
            ((rows.Value - Operator.ExactRowNorms().Value).Abs() / rows.StandardError).Max().ToScalar(), Is.LessThan(6));

        var norm = Operator.SpectralNorm(new() { RelativeError = 0.1, Confidence = 0.9 });
        Assert.That(norm.Interval(0.9).High, Is.LessThanOrEqualTo(1.1 * norm.Value * (1 + 1e-12)));
        Assert.That(norm.Value, Is.LessThanOrEqualTo(Operator.ExactFrobenius().Value));
    }

    [Test]
    public void TheDivergenceOfAFieldIsTheTraceOfItsJacobian()
    {
        static Tensor Field(Tensor x) => x * x * x;
        var points = Tensor.FromArray([1, 2, 3, 4, 5, 6], 2, 3);
        var point = points.Item(0, 0);
        Assert.That(Divergence.Exact(Field, point).Value, Is.EqualTo(3 * (1 + 4 + 9)));
        Assert.That(Divergence.ExactAtPoints(Field, points).Value.ToArray(), Is.EqualTo(new[] { 42.0, 231.0 }));

        // The Jacobian is diagonal, of which signs give the trace exactly.
        var two = new EstimateOptions { Stop = StoppingRule.Matvecs(2) };
        Assert.That(Divergence.Estimate(Field, point, two).Value, Is.EqualTo(42).Within(1e-12));
        Assert.That(Divergence.EstimateAtPoints(Field, points, two)[1].Value, Is.EqualTo(231).Within(1e-12));
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(() => Operator.XTrace(After(1)), Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("XTrace"));
        Assert.That(
            () => (Operator - Operator).XNysTrace(After(10)),
            Throws.TypeOf<OperatorException>().With.Message.Contains("semidefinite"));
        Assert.That(() => Operator.HutchPlusPlus(After(2)), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.SpectralNorm(new() { RelativeError = 0 }), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.AdaptiveHutchPlusPlus(-1), Throws.TypeOf<ArgumentRangeException>());
    }
}
