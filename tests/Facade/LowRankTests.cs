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

    private static LowRankOptions After(int matvecs) =>
        new() { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(matvecs) };

    private static SketchOptions Sketch(int matvecs) => new() { Key = Key.OfSeed(1), Matvecs = matvecs };

    [Test]
    public async Task TracesAreNearTheTruthInTheBackgroundToo()
    {
        var truth = Operator.ExactTrace().Value;
        (Estimate<double> Now, Estimate<double> Later)[] traces =
        [
            (Operator.XTrace(After(30)), await Operator.XTraceAsync(After(30))),
            (Operator.XNysTrace(After(30)), await Operator.XNysTraceAsync(After(30))),
            (Operator.HutchPlusPlus(Sketch(30)), await Operator.HutchPlusPlusAsync(Sketch(30))),
            (Operator.NonadaptiveHutchPlusPlus(Sketch(30)), await Operator.NonadaptiveHutchPlusPlusAsync(Sketch(30))),
        ];

        foreach (var (now, later) in traces)
        {
            Assert.That(Math.Abs(now.Value - truth), Is.LessThan(6 * now.StandardError));
            Assert.That(now.Matvecs + now.QuadraticForms, Is.EqualTo(30));
            Assert.That(later.Value, Is.EqualTo(now.Value));
        }

        var adaptive = Operator.AdaptiveHutchPlusPlus(0.05 * truth);
        Assert.That(adaptive.Value, Is.EqualTo(truth).Within(5).Percent);
        Assert.That((await Operator.AdaptiveHutchPlusPlusAsync(0.05 * truth)).Value, Is.EqualTo(adaptive.Value));
        var surer = Operator.AdaptiveHutchPlusPlus(0.05 * truth, new() { Risk = 1e-6 });
        Assert.That(surer.Matvecs, Is.GreaterThan(adaptive.Matvecs));
    }

    [Test]
    public async Task DiagonalsAreNearTheTruthInTheBackgroundToo()
    {
        var truth = Operator.ExactDiagonal().Value;
        (Estimate<Tensor> Now, Estimate<Tensor> Later)[] diagonals =
        [
            (Operator.XDiag(After(30)), await Operator.XDiagAsync(After(30))),
            (Operator.XNysDiag(After(30)), await Operator.XNysDiagAsync(After(30))),
            (Operator.UDiagPlusPlus(Sketch(30)), await Operator.UDiagPlusPlusAsync(Sketch(30))),
        ];

        foreach (var (now, later) in diagonals)
        {
            Assert.That(((now.Value - truth).Abs() / now.StandardError).Max().ToScalar(), Is.LessThan(12));
            Assert.That(later.Value.ToArray(), Is.EqualTo(now.Value.ToArray()));
        }
    }

    [Test]
    public async Task BlockTracesAddUpToTheDiagonal()
    {
        var first = Operator.XDiag(After(30)).Value.Slice(0, 0, 30).Sum().ToScalar();
        var traces = Operator.XDiagBlockTraces(Halves, After(30));
        Assert.That(traces[0].Trace.Value, Is.EqualTo(first).Within(1e-10));
        Assert.That((await Operator.XDiagBlockTracesAsync(Halves, After(30)))[1].Trace.Value, Is.EqualTo(traces[1].Trace.Value));

        first = Operator.XNysDiag(After(30)).Value.Slice(0, 0, 30).Sum().ToScalar();
        traces = Operator.XNysDiagBlockTraces(Halves, After(30));
        Assert.That(traces[0].Trace.Value, Is.EqualTo(first).Within(1e-10));
        Assert.That((await Operator.XNysDiagBlockTracesAsync(Halves, After(30)))[1].Trace.Value, Is.EqualTo(traces[1].Trace.Value));
    }

    [Test]
    public void AnotherProbeGivesAnotherEstimate()
    {
        var signs = new LowRankOptions { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(30), Probe = Probe.Rademacher };
        Assert.That(Operator.XTrace(signs).Value, Is.Not.EqualTo(Operator.XTrace(After(30)).Value));
        Assert.That(Operator.XDiag(signs).Value.ToArray(), Is.EqualTo(Operator.XDiag(After(30)).Value.ToArray()));
    }

    [Test]
    public async Task WhatWasChosenIsSaid()
    {
        var rule = new AutomaticOptions { Key = Key.OfSeed(1), Stop = StoppingRule.RelativeError(0.1) };
        var trace = Operator.AutomaticTrace(rule);
        Assert.That(trace.Method, Is.EqualTo("XNysTrace"));
        Assert.That(trace.Reason, Does.Contain("semidefinite"));
        Assert.That(trace.Estimate.Value, Is.EqualTo(Operator.ExactTrace().Value).Within(10).Percent);
        Assert.That((await Operator.AutomaticTraceAsync(rule)).Estimate.Value, Is.EqualTo(trace.Estimate.Value));

        var diagonal = Operator.AutomaticDiagonal(rule);
        Assert.That(diagonal.Method, Is.EqualTo("XNysDiag"));
        var later = await Operator.AutomaticDiagonalAsync(rule);
        Assert.That(later.Estimate.Value.ToArray(), Is.EqualTo(diagonal.Estimate.Value.ToArray()));

        var tight = Operator.AutomaticTrace(new() { Memory = 1000 });
        Assert.That(tight.Method, Is.EqualTo("Hutchinson's estimator"));
        Assert.That(tight.Reason, Does.Contain("1000 bytes"));
    }

    [Test]
    public async Task NormsHaveErrorBarsOfTheirOwn()
    {
        var rows = Operator.EstimateRowNorms(new() { Stop = StoppingRule.Matvecs(300) });
        Assert.That(
            ((rows.Value - Operator.ExactRowNorms().Value).Abs() / rows.StandardError).Max().ToScalar(), Is.LessThan(6));
        var later = await Operator.EstimateRowNormsAsync(new() { Stop = StoppingRule.Matvecs(300) });
        Assert.That(later.Value.ToArray(), Is.EqualTo(rows.Value.ToArray()));

        var norm = Operator.SpectralNorm(new() { RelativeError = 0.1, Confidence = 0.9 });
        Assert.That(norm.Interval(0.9).High, Is.LessThanOrEqualTo(1.1 * norm.Value * (1 + 1e-12)));
        Assert.That(norm.Value, Is.LessThanOrEqualTo(Operator.ExactFrobenius().Value));
        Assert.That((await Operator.SpectralNormAsync(new() { RelativeError = 0.1, Confidence = 0.9 })).Value, Is.EqualTo(norm.Value));
    }

    [Test]
    public async Task TheDivergenceOfAFieldIsTheTraceOfItsJacobian()
    {
        static Tensor Field(Tensor x) => x * x * x;
        var points = Tensor.FromArray([1, 2, 3, 4, 5, 6], 2, 3);
        var point = points.Item(0, 0);
        Assert.That(Divergence.Exact(Field, point).Value, Is.EqualTo(3 * (1 + 4 + 9)));
        Assert.That(Divergence.ExactAtPoints(Field, points).Value.ToArray(), Is.EqualTo(new[] { 42.0, 231.0 }));

        // The Jacobian is diagonal, of which signs give the trace exactly.
        var two = new EstimateOptions { Stop = StoppingRule.Matvecs(2) };
        Assert.That(Divergence.Estimate(Field, point, two).Value, Is.EqualTo(42).Within(1e-12));
        Assert.That((await Divergence.EstimateAsync(Field, point, two)).Matvecs, Is.EqualTo(2));
        Assert.That(Divergence.EstimateAtPoints(Field, points, two)[1].Value, Is.EqualTo(231).Within(1e-12));
        Assert.That((await Divergence.EstimateAtPointsAsync(Field, points, two))[0].Value, Is.EqualTo(42).Within(1e-12));
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(() => Operator.XTrace(After(1)), Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("XTrace"));
        Assert.That(
            () => (Operator - Operator).XNysTrace(After(10)),
            Throws.TypeOf<OperatorException>().With.Message.Contains("semidefinite"));
        Assert.That(() => Operator.HutchPlusPlus(Sketch(2)), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.SpectralNorm(new() { RelativeError = 0 }), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Operator.AdaptiveHutchPlusPlus(-1), Throws.TypeOf<ArgumentRangeException>());
    }
}
