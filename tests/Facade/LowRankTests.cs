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

    private static readonly Key Key = Key.OfSeed(1);

    private static T After<T>(int matvecs, Estimator<T> estimator) =>
        Operator.Estimate(estimator, StoppingRule.Matvecs(matvecs), Key);

    [Test]
    public void TracesAreNearTheTruth()
    {
        var truth = Operator.ExactTrace().Value;
        Estimate<double>[] traces =
        [
            After(30, Estimators.XTrace()),
            After(30, Estimators.XNysTrace()),
            After(30, Estimators.HutchPlusPlus()),
            After(30, Estimators.NonadaptiveHutchPlusPlus),
        ];

        foreach (var trace in traces)
        {
            Assert.That(Math.Abs(trace.Value - truth), Is.LessThan(6 * trace.StandardError));
            Assert.That(trace.Matvecs + trace.QuadraticForms, Is.EqualTo(30));
        }

        var adaptive = Operator.AdaptiveHutchPlusPlus(0.05 * truth);
        Assert.That(adaptive.Value, Is.EqualTo(truth).Within(5).Percent);
        var surer = Operator.AdaptiveHutchPlusPlus(0.05 * truth, risk: 1e-6);
        Assert.That(surer.Matvecs, Is.GreaterThan(adaptive.Matvecs));
    }

    [Test]
    public void DiagonalsAreNearTheTruth()
    {
        var truth = Operator.ExactDiagonal().Value;
        Estimate<Tensor>[] diagonals =
            [After(30, Estimators.XDiag()), After(30, Estimators.XNysDiag()), After(30, Estimators.UDiagPlusPlus)];

        foreach (var diagonal in diagonals)
        {
            Assert.That(((diagonal.Value - truth).Abs() / diagonal.StandardError).Max().ToScalar(), Is.LessThan(12));
        }
    }

    [Test]
    public void BlockTracesAddUpToTheDiagonal()
    {
        var first = After(30, Estimators.XDiag()).Value.Slice(0, 0, 30).Sum().ToScalar();
        Assert.That(After(30, Estimators.XDiagBlockTraces(Halves))[0].Trace.Value, Is.EqualTo(first).Within(1e-10));

        first = After(30, Estimators.XNysDiag()).Value.Slice(0, 0, 30).Sum().ToScalar();
        Assert.That(After(30, Estimators.XNysDiagBlockTraces(Halves))[0].Trace.Value, Is.EqualTo(first).Within(1e-10));
    }

    [Test]
    public void EstimatorsAreValuesThatAnOperatorRuns()
    {
        var stop = StoppingRule.Matvecs(30);
        Assert.That(After(30, Estimators.XTrace()).Matvecs, Is.EqualTo(30));
        var signs = Estimators.Hutchinson(Measurement.Trace);
        Assert.That(After(30, signs).Value, Is.EqualTo(Operator.EstimateTrace(stop, Key).Value));
        var inBlocks = Operator.Estimate(Estimators.XDiag(), stop, Key, RunOptions.Default.WithBlockSize(4));
        Assert.That(
            inBlocks.Value.ToArray(), Is.EqualTo(After(30, Estimators.XDiag()).Value.ToArray()).Within(1e-10));

        Assert.That(
            (signs.Name, signs.KeepsVectors, signs.Need), Is.EqualTo(("Hutchinson", false, OperatorNeed.Nothing)));
        var nystrom = Estimators.XNysTrace();
        Assert.That(
            (nystrom.Name, nystrom.KeepsVectors, nystrom.Need),
            Is.EqualTo(("XNysTrace", true, OperatorNeed.Semidefinite)));
        Assert.That($"{Estimators.HutchPlusPlus()}", Is.EqualTo("Hutch++"));
        Assert.That(Estimators.HutchPlusPlus().LeastMatvecs, Is.EqualTo(3));
    }

    [Test]
    public void AnotherProbeGivesAnotherEstimate()
    {
        var signs = Probe.Rademacher;
        Assert.That(After(30, Estimators.XTrace(signs)).Value, Is.Not.EqualTo(After(30, Estimators.XTrace()).Value));
        Assert.That(
            After(30, Estimators.XDiag(signs)).Value.ToArray(),
            Is.EqualTo(After(30, Estimators.XDiag()).Value.ToArray()));
    }

    [Test]
    public void WhatWasChosenIsSaid()
    {
        var rule = StoppingRule.RelativeError(0.1);
        var trace = Operator.AutomaticTrace(rule, Key);
        Assert.That(trace.Method, Is.EqualTo("XNysTrace"));
        Assert.That(trace.Reason, Does.Contain("semidefinite"));
        Assert.That(trace.Estimate.Value, Is.EqualTo(Operator.ExactTrace().Value).Within(10).Percent);

        var diagonal = Operator.AutomaticDiagonal(StoppingRule.Matvecs(20), Key);
        Assert.That(diagonal.Method, Is.EqualTo("XNysDiag"));

        var tight = Operator.AutomaticTrace(StoppingRule.Matvecs(20), memory: 1000);
        Assert.That(tight.Method, Is.EqualTo("Hutchinson's estimator"));
        Assert.That(tight.Reason, Does.Contain("1000 bytes"));
    }

    [Test]
    public void NormsHaveErrorBarsOfTheirOwn()
    {
        var rows = Operator.EstimateRowNorms(StoppingRule.Matvecs(300));
        Assert.That(
            ((rows.Value - Operator.ExactRowNorms().Value).Abs() / rows.StandardError).Max().ToScalar(),
            Is.LessThan(6));

        var norm = Operator.SpectralNorm(relativeError: 0.1, confidence: 0.9);
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
        var two = StoppingRule.Matvecs(2);
        Assert.That(Divergence.Estimate(Field, point, two).Value, Is.EqualTo(42).Within(1e-12));
        Assert.That(Divergence.EstimateAtPoints(Field, points, two)[1].Value, Is.EqualTo(231).Within(1e-12));
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(
            () => After(1, Estimators.XTrace()),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("XTrace"));
        Assert.That(
            () => (Operator - Operator).Estimate(Estimators.XNysTrace(), StoppingRule.Matvecs(10)),
            Throws.TypeOf<OperatorException>().With.Message.Contains("semidefinite"));
        Assert.That(() => After(2, Estimators.HutchPlusPlus()), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.SpectralNorm(relativeError: 0), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.AdaptiveHutchPlusPlus(-1), Throws.TypeOf<ArgumentRangeException>());
    }
}
