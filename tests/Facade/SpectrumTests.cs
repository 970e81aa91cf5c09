using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class SpectrumTests
{
    /// <summary>Eigenvalues 1 … 40.</summary>
    private static readonly double[] Eigenvalues = Enumerable.Range(1, 40).Select(i => (double)i).ToArray();

    private static readonly LinearOperator Operator = LinearOperator.FromDiagonal(Tensor.FromArray(Eigenvalues));

    [Test]
    public void SearchesFindTheEndsAndTheSameKeyGivesTheSameResult()
    {
        var found = Operator.ThickRestartLanczos(SpectrumEnd.Largest, 3);
        Assert.That(found.Values, Is.EqualTo(new[] { 40.0, 39, 38 }).Within(1e-7));
        Assert.That(Operator.ThickRestartLanczos(SpectrumEnd.Largest, 3).Values, Is.EqualTo(found.Values));

        var block = Operator.Lobpcg(SpectrumEnd.Smallest, 2);
        Assert.That(block.Values, Is.EqualTo(new[] { 1.0, 2 }).Within(1e-7));
        Assert.That(Operator.Lobpcg(SpectrumEnd.Smallest, 2).Values, Is.EqualTo(block.Values));

        var powers = Operator.PowerIteration(1);
        Assert.That(powers.Values, Is.EqualTo(new[] { 40.0 }).Within(1e-7));
        Assert.That(Operator.PowerIteration(1).Values, Is.EqualTo(powers.Values));

        var steps = Operator.Lanczos(8, Key.OfSeed(3));
        Assert.That(Operator.Lanczos(8, Key.OfSeed(3)).Diagonal, Is.EqualTo(steps.Diagonal));
        var start = Tensor.Ones(DType.Float64, 40);
        var from = Operator.LanczosFrom(start, 8);
        Assert.That(from.Diagonal, Is.EqualTo(Operator.LanczosFrom(start, 8).Diagonal));
    }

    [Test]
    public void SamplesTellOfTheTraceWhileTheyRun()
    {
        var reports = new List<SamplingProgress>();
        var inTwos = RunOptions.Default.WithBlockSize(2);
        var told = inTwos.WithProgress(new Listener<SamplingProgress>(reports.Add), 0);
        var sample = Operator.StochasticLanczos(probes: 5, steps: 4, options: told);
        Assert.That(reports.Select(report => report.Samples), Is.EqualTo(new[] { 0, 2, 4, 5 }));
        Assert.That(reports[0].ForecastMatvecs, Is.EqualTo(20));
        Assert.That(reports[^1].Value, Is.EqualTo(820).Within(1e-9));
        Assert.That(sample.Rules, Has.Length.EqualTo(5));
        Assert.That(sample.Ledger.Matvecs, Is.EqualTo(20));
        var again = Operator.StochasticLanczos(probes: 5, steps: 4, options: inTwos);
        Assert.That(again.Rules[4].Nodes, Is.EqualTo(sample.Rules[4].Nodes).Within(1e-12));

        reports.Clear();
        var moments = Operator.ChebyshevMoments(probes: 3, moments: 10, options: told);
        Assert.That(reports.Select(report => report.Completed), Is.EqualTo(new[] { 0, 2 / 3.0, 1 }).Within(1e-12));
        Assert.That(reports[0].ForecastMatvecs, Is.EqualTo(24 + 15));
        Assert.That(reports[^1].Value, Is.EqualTo(820).Within(1e-9));
        Assert.That(moments.Moments, Has.Length.EqualTo(10));
        var others = Operator.ChebyshevMoments(probes: 3, moments: 10, options: inTwos);
        Assert.That(others.Moments, Is.EqualTo(moments.Moments).Within(1e-12));
        Assert.That(ChebyshevSample.Jackson(10)[0], Is.EqualTo(1).Within(1e-15));
    }

    [Test]
    public void BoundsOfTheSpectrumResolveWhatFewStepsDoNot()
    {
        var sample = Operator.StochasticLanczos(probes: 5, steps: 6);
        Assert.That(sample.TraceOfInverse().IsResolved, Is.False);
        var bounded = sample.Within(SpectrumBounds.Unknown.WithLow(1).WithHigh(40)).TraceOfInverse();
        Assert.That(bounded.Interval(0.95).High, Is.GreaterThan(Eigenvalues.Sum(x => 1 / x)).And.LessThan(100));
        Assert.That(bounded.Bias, Is.GreaterThan(0).And.LessThan(100));
    }

    [Test]
    public void QuestionsToASampleAreAnsweredByTheSpectrum()
    {
        var sample = Operator.StochasticLanczos(probes: 2, steps: 40);
        Assert.That(sample.LogDeterminant().Value, Is.EqualTo(Eigenvalues.Sum(Math.Log)).Within(1e-9));
        Assert.That(sample.LogDeterminant(2).Value, Is.EqualTo(Eigenvalues.Sum(x => Math.Log(x + 2))).Within(1e-9));
        Assert.That(sample.Trace(Math.Sqrt).Value, Is.EqualTo(Eigenvalues.Sum(Math.Sqrt)).Within(1e-9));
        Assert.That(sample.SchattenNorm(2).Value, Is.EqualTo(Math.Sqrt(Eigenvalues.Sum(x => x * x))).Within(1e-9));
        Assert.That(sample.CumulativeDensity().At(10.5), Is.EqualTo(0.25).Within(1e-9));
        Assert.That(sample.CountEigenvalues(10.5, 20.5).Value, Is.EqualTo(10).Within(1e-9));
        Assert.That(sample.Density().Width, Is.EqualTo(sample.Density(Smoothing.Papyan).Width));
        Assert.That(sample.Density(Smoothing.Gaussian(0.5)).Width, Is.EqualTo(0.5));
        Assert.That(sample.Density(Smoothing.PyHessian).Grid, Has.Length.EqualTo(10000));
    }

    [Test]
    public void CancelledBeforehandNothingWasFoundAndThatIsSaid()
    {
        var cancelled = new CancellationToken(true);
        var search = EigenOptions.Default.WithCancellation(cancelled);
        var run = RunOptions.Default.WithCancellation(cancelled);
        Action[] calls =
        [
            () => Operator.ThickRestartLanczos(SpectrumEnd.Largest, 1, search),
            () => Operator.Lobpcg(SpectrumEnd.Largest, 1, search),
            () => Operator.PowerIteration(1, cancellationToken: cancelled),
            () => Operator.Lanczos(3, cancellationToken: cancelled),
            () => Operator.LanczosFrom(Tensor.Ones(DType.Float64, 40), 3, cancelled),
            () => Operator.StochasticLanczos(options: run),
            () => Operator.ChebyshevMoments(options: run),
        ];
        foreach (var call in calls)
        {
            Assert.That(call, Throws.InstanceOf<OperationCanceledException>());
        }
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(() => EigenOptions.Default.WithBasisSize(1), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(EigenOptions.Default.BasisSize, Is.EqualTo(EigenOptions.AutomaticBasisSize));
        Assert.That(EigenOptions.Default.Tolerance, Is.EqualTo(Tolerance.Automatic));
        Assert.That(
            () => Operator.StochasticLanczos(probes: 0),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("random vectors"));
        Assert.That(() => PowerStop.Residual(0), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => MatrixMarket.Read("no-such.mtx"), Throws.TypeOf<DataException>());
        Assert.That(
            () => LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(1), DType.Float64, 3, 3)).Lanczos(2),
            Throws.TypeOf<OperatorException>().With.Message.Contains("claim"));
    }

    /// <summary>Reports at once, on the thread that reports, unlike System.Progress.</summary>
    private sealed class Listener<T>(Action<T> action) : IProgress<T>
    {
        public void Report(T value) => action(value);
    }
}
