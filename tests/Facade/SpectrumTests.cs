using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class SpectrumTests
{
    /// <summary>Eigenvalues 1 … 40.</summary>
    private static readonly double[] Eigenvalues = Enumerable.Range(1, 40).Select(i => (double)i).ToArray();

    private static readonly LinearOperator Operator = LinearOperator.FromDiagonal(Tensor.FromArray(Eigenvalues));

    [Test]
    public async Task EverySearchHasATwinInTheBackgroundWithTheSameResult()
    {
        var found = ThickRestartLanczos.Find(Operator, SpectrumEnd.Largest, 3);
        Assert.That(found.Values, Is.EqualTo(new[] { 40.0, 39, 38 }).Within(1e-7));
        Assert.That((await ThickRestartLanczos.FindAsync(Operator, SpectrumEnd.Largest, 3)).Values, Is.EqualTo(found.Values));

        var block = Lobpcg.Find(Operator, SpectrumEnd.Smallest, 2);
        Assert.That(block.Values, Is.EqualTo(new[] { 1.0, 2 }).Within(1e-7));
        Assert.That((await Lobpcg.FindAsync(Operator, SpectrumEnd.Smallest, 2)).Values, Is.EqualTo(block.Values));

        var powers = PowerIteration.Find(Operator, 1);
        Assert.That(powers.Values, Is.EqualTo(new[] { 40.0 }).Within(1e-7));
        Assert.That((await PowerIteration.FindAsync(Operator, 1)).Values, Is.EqualTo(powers.Values));

        var steps = Lanczos.Run(Operator, 8, Key.OfSeed(3));
        Assert.That((await Lanczos.RunAsync(Operator, 8, Key.OfSeed(3))).Diagonal, Is.EqualTo(steps.Diagonal));
        var start = Tensor.Ones(DType.Float64, 40);
        var from = await Lanczos.FromAsync(Operator, start, 8);
        Assert.That(from.Diagonal, Is.EqualTo(Lanczos.From(Operator, start, 8).Diagonal));
    }

    [Test]
    public void SamplesTellOfTheTraceWhileTheyRun()
    {
        var reports = new List<SamplingProgress>();
        var options = new SpectrumOptions { Probes = 5, Steps = 4, BlockSize = 2 };
        var sample = StochasticLanczos.Sample(Operator, options, new Listener<SamplingProgress>(reports.Add));
        Assert.That((reports[0].Samples, reports[^1].Samples), Is.EqualTo((0, 5)));
        Assert.That(reports[0].ForecastMatvecs, Is.EqualTo(20));
        Assert.That(reports[^1].Value, Is.EqualTo(820).Within(1e-9));
        Assert.That(sample.Rules, Has.Length.EqualTo(5));
        Assert.That(sample.Ledger.Matvecs, Is.EqualTo(20));
        Assert.That(StochasticLanczos.Sample(Operator, options).Rules[4].Nodes, Is.EqualTo(sample.Rules[4].Nodes).Within(1e-12));

        reports.Clear();
        var few = new ChebyshevOptions { Probes = 3, Moments = 10, BlockSize = 2 };
        var moments = ChebyshevMoments.Sample(Operator, few, new Listener<SamplingProgress>(reports.Add));
        Assert.That((reports[0].Completed, reports[^1].Completed), Is.EqualTo((0, 1)));
        Assert.That(reports[0].ForecastMatvecs, Is.EqualTo(24 + 15));
        Assert.That(reports[^1].Value, Is.EqualTo(820).Within(1e-9));
        Assert.That(moments.Moments, Has.Length.EqualTo(10));
        Assert.That(ChebyshevMoments.Sample(Operator, few).Moments, Is.EqualTo(moments.Moments).Within(1e-12));
        Assert.That(ChebyshevMoments.Jackson(10)[0], Is.EqualTo(1).Within(1e-15));
    }

    [Test]
    public void BoundsOfTheSpectrumResolveWhatFewStepsDoNot()
    {
        var sample = StochasticLanczos.Sample(Operator, new() { Probes = 5, Steps = 6 });
        Assert.That(sample.TraceOfInverse().IsResolved, Is.False);
        var bounded = sample.Within(SpectrumBounds.Unknown.WithLow(1).WithHigh(40)).TraceOfInverse();
        Assert.That(bounded.Interval(0.95).High, Is.GreaterThan(Eigenvalues.Sum(x => 1 / x)).And.LessThan(100));
        Assert.That(bounded.Bias, Is.GreaterThan(0).And.LessThan(100));
    }

    [Test]
    public void QuestionsToASampleAreAnsweredByTheSpectrum()
    {
        var sample = StochasticLanczos.Sample(Operator, new() { Probes = 2, Steps = 40 });
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
        Assert.That(
            () => ThickRestartLanczos.Find(Operator, SpectrumEnd.Largest, 1, null, cancelled),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            () => Lobpcg.Find(Operator, SpectrumEnd.Largest, 1, cancellationToken: cancelled),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => PowerIteration.Find(Operator, 1, null, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => Lanczos.Run(Operator, 3, default, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            () => StochasticLanczos.Sample(Operator, null, null, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            () => ChebyshevMoments.Sample(Operator, null, null, cancelled), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(() => new SpectrumOptions { BlockSize = -1 }, Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => new ChebyshevOptions { BlockSize = -1 }, Throws.TypeOf<ArgumentRangeException>());
        Assert.That(
            () => StochasticLanczos.Sample(Operator, new() { Probes = 0 }),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("random vectors"));
        Assert.That(() => PowerStop.Residual(0), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => MatrixMarket.Read("no-such.mtx"), Throws.TypeOf<DataException>());
        Assert.That(
            () => Lanczos.Run(LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(1), DType.Float64, 3, 3)), 2),
            Throws.TypeOf<OperatorException>().With.Message.Contains("claim"));
    }

    /// <summary>Reports at once, on the thread that reports, unlike System.Progress.</summary>
    private sealed class Listener<T>(Action<T> action) : IProgress<T>
    {
        public void Report(T value) => action(value);
    }
}
