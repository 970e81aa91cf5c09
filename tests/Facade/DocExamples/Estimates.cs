using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/estimates.md.</summary>
public sealed class Estimates
{
    private static readonly LinearOperator Hessian =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(5), DType.Float64, 30, 30)).Gram();

    [Test]
    public void ATraceWithItsErrorBar()
    {
        var hessian = Hessian;

        var stop = StoppingRule.RelativeError(0.02).OrElse(StoppingRule.Matvecs(5000));
        var trace = hessian.EstimateTrace(stop, Key.OfSeed(1));
        var interval = trace.Interval(0.95);
        Console.WriteLine($"{trace.Value} ± {trace.StandardError}, {interval.Low} to {interval.High}");
        Console.WriteLine($"{trace.Matvecs} products, {trace.Seconds} s, {trace.StopReason}");

        Assert.That(trace.StopReason, Is.EqualTo(StopReason.ErrorReached).Or.EqualTo(StopReason.Exact));
        Assert.That(interval.High - interval.Low, Is.LessThan(0.041 * trace.Value));
        Assert.That(hessian.ExactTrace().Value, Is.EqualTo(trace.Value).Within(5).Percent);
    }

    [Test]
    public void Diagonals()
    {
        var hessian = Hessian;

        var diagonal = hessian.EstimateDiagonal(StoppingRule.Matvecs(500));
        double[] entries = diagonal.Value.ToArray();
        double[] errors = diagonal.StandardError.ToArray();

        ParameterBlock[] blocks = [new("first", 0, 10), new("rest", 10, 20)];
        foreach (var block in hessian.EstimateBlockTraces(blocks))
        {
            Console.WriteLine($"{block.Block.Name}: {block.Trace}");
        }

        Assert.That(entries.Zip(errors).All(pair => pair.First > 0 && pair.Second > 0));
    }

    [Test]
    public void ExactResults()
    {
        var hessian = Hessian;

        var trace = hessian.ExactTrace();       // n quadratic forms
        var diagonal = hessian.ExactDiagonal();
        var norm = hessian.ExactFrobenius();    // n products
        var squares = hessian.MeasureExactly(Measurement.SquaredRowNorms);

        Assert.That(squares.Value.Sum().ToScalar(), Is.EqualTo(norm.Value * norm.Value).Within(1e-10).Percent);
        Assert.That(trace.Value, Is.EqualTo(diagonal.Value.Sum().ToScalar()).Within(1e-9));
        Assert.That(norm.IsExact);
    }

    [Test]
    public void SeveralQuantitiesFromOnePass()
    {
        var hessian = Hessian;

        var both = Measurement.Trace.With(Measurement.Frobenius, (trace, norm) => (Trace: trace, Norm: norm));
        var result = hessian.Measure(both, StoppingRule.Matvecs(200));
        Console.WriteLine($"trace {result.Trace}, norm {result.Norm}");

        Assert.That(result.Trace.Matvecs, Is.EqualTo(200));
    }

    [Test]
    public void ProbesAndRules()
    {
        var hessian = Hessian;

        var stop = StoppingRule.AbsoluteError(5.0, confidence: 0.9)
            .OrElse(StoppingRule.Seconds(10))
            .OrElse(StoppingRule.Matvecs(10_000));
        var trace = hessian.EstimateTrace(stop, probe: Probe.Gaussian);

        Assert.That(trace.Value, Is.EqualTo(hessian.ExactTrace().Value).Within(10).Percent);
    }

    [Test]
    public void EstimatorsAreValues()
    {
        var hessian = Hessian;

        Estimator<Estimate<double>>[] ways = [Estimators.Hutchinson(Measurement.Trace), Estimators.XTrace()];
        foreach (var way in ways)
        {
            Console.WriteLine($"{way.Name}: {hessian.Estimate(way, StoppingRule.Matvecs(24), Key.OfSeed(1))}");
        }

        Assert.That(ways.Select(way => way.LeastMatvecs), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public void LongWork()
    {
        var hessian = Hessian;

        using var source = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var progress = new Progress<SamplingProgress>(p => Console.WriteLine(p));
        var options = RunOptions.Default.WithProgress(progress).WithCancellation(source.Token);
        var trace = hessian.EstimateTrace(StoppingRule.Matvecs(100), options: options);
        if (trace.StopReason == StopReason.Cancelled)
        {
            Console.WriteLine($"only {trace.Samples} vectors in a minute");
        }

        Assert.That(trace.Samples, Is.EqualTo(100));
    }

    [Test]
    public void GoingOnAnotherDay()
    {
        var hessian = Hessian;
        var folder = Directory.CreateTempSubdirectory("curvature");
        var (path, products) = (Path.Combine(folder.FullName, "trace.run"), Path.Combine(folder.FullName, "norm.run"));

        var options = RunOptions.Default.WithCheckpoint(path);
        var first = hessian.EstimateTrace(StoppingRule.Matvecs(500), options: options);
        var more = hessian.EstimateTrace(StoppingRule.Matvecs(900), options: options);

        Assert.That((first.Samples, more.Samples), Is.EqualTo((500, 900)));

        var norm = hessian.RunWithCheckpoint(products, a => a.SpectralNorm());

        Assert.That(norm.Value, Is.GreaterThan(0));
        folder.Delete(recursive: true);
    }
}
