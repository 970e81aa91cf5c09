using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class EstimationTests
{
    /// <summary>A symmetric matrix of size 20, and what is to be found of it.</summary>
    private static readonly LinearOperator Operator =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(5), DType.Float64, 20, 20)).SymmetricPart();

    private static readonly ParameterBlock[] Halves = [new("first", 0, 10), new("second", 10, 10)];

    private static EstimateOptions After(int matvecs) =>
        new() { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(matvecs) };

    [Test]
    public void ATraceComesWithItsErrorAndItsCost()
    {
        var estimate = Operator.EstimateTrace(After(200));
        var truth = Operator.ExactTrace();
        Assert.That(truth.IsExact);
        Assert.That(Math.Abs(estimate.Value - truth.Value), Is.LessThan(5 * estimate.StandardError));
        Assert.That(estimate.Matvecs, Is.EqualTo(200));
        Assert.That(estimate.StopReason, Is.EqualTo(StopReason.MatvecsSpent));
        Assert.That(estimate.Seconds, Is.GreaterThan(0));

        var interval = estimate.Interval(0.95);
        Assert.That(interval.Low, Is.LessThan(estimate.Value));
        Assert.That(interval.High - interval.Low, Is.EqualTo(2 * 1.972 * estimate.StandardError).Within(0.1).Percent);
    }

    [Test]
    public void TheSameKeyGivesTheSameEstimateInBlocksOfAnySize()
    {
        var blocks = new EstimateOptions { Key = Key.OfSeed(1), Stop = StoppingRule.Matvecs(30), BlockSize = 7 };
        Assert.That(Operator.EstimateTrace(blocks).Value, Is.EqualTo(Operator.EstimateTrace(After(30)).Value).Within(1e-12));
        Assert.That(
            Operator.EstimateTrace(new() { Stop = StoppingRule.Matvecs(30) }).Value,
            Is.Not.EqualTo(Operator.EstimateTrace(After(30)).Value));
    }

    [Test]
    public void ByDefaultOnePercentOrAThousandProductsAreEnough()
    {
        var easy = LinearOperator.Scalar(DType.Float64, 50, 2.0).Shift(1.0).EstimateTrace();
        Assert.That(easy.StopReason, Is.EqualTo(StopReason.ErrorReached));
        Assert.That(easy.Value, Is.EqualTo(150).Within(1e-12));
        Assert.That(Operator.EstimateTrace().Samples, Is.LessThanOrEqualTo(1000));
    }

    [Test]
    public void DiagonalBlocksAndNormsAreEstimatedAlike()
    {
        var diagonal = Operator.EstimateDiagonal(After(400));
        var errors = (diagonal.Value - Operator.ExactDiagonal().Value).Abs() / diagonal.StandardError;
        Assert.That(errors.Max().ToScalar(), Is.LessThan(6));

        var blocks = Operator.EstimateBlockTraces(Halves, After(400));
        var exact = Operator.ExactBlockTraces(Halves);
        for (var i = 0; i < 2; i++)
        {
            Assert.That(blocks[i].Block.Name, Is.EqualTo(Halves[i].Name));
            var error = Math.Abs(blocks[i].Trace.Value - exact[i].Trace.Value);
            Assert.That(error, Is.LessThan(5 * blocks[i].Trace.StandardError));
        }

        var norm = Operator.EstimateFrobenius(After(400));
        Assert.That(Math.Abs(norm.Value - Operator.ExactFrobenius().Value), Is.LessThan(5 * norm.StandardError));

        var rows = Operator.Measure(Measurement.RowNorms, After(400));
        Assert.That(
            ((rows.Value - Operator.ExactRowNorms().Value).Abs() / rows.StandardError).Max().ToScalar(), Is.LessThan(6));
    }

    [Test]
    public void SeveralMeasurementsShareTheirProducts()
    {
        var both = Measurement.Trace.With(Measurement.Diagonal.Unwatched(), (trace, diagonal) => (trace, diagonal));
        var (trace, diagonal) = Operator.Measure(both, After(50));
        Assert.That(trace.Matvecs, Is.EqualTo(50));
        Assert.That(diagonal.Value.Sum().ToScalar(), Is.EqualTo(trace.Value).Within(1e-10));

        var all = Operator.Measure(Measurement.All(Measurement.SquaredFrobenius, Measurement.Trace), After(50));
        Assert.That(all[1].Value, Is.EqualTo(trace.Value).Within(1e-10));
        Assert.That(Operator.Measure(Measurement.Trace.Select(t => t.Samples), After(50)), Is.EqualTo(50));
    }

    [Test]
    public void RulesCombine()
    {
        var options = new EstimateOptions
        {
            Stop = StoppingRule.AbsoluteError(1e-9, 0.9).OrElse(StoppingRule.Matvecs(20).AndAlso(StoppingRule.Seconds(0))),
        };
        Assert.That(Operator.EstimateTrace(options).Samples, Is.EqualTo(20));
        Assert.That(StoppingRule.Ceiling, Is.GreaterThan(1000));
        Assert.That($"{StoppingRule.PyHessian(1e-3)}", Does.Contain("PyHessian"));
    }

    [Test]
    public void ProgressIsReportedBeforeTheFirstProductAndAtTheEnd()
    {
        var reports = new List<SamplingProgress>();
        var listener = new Listener<SamplingProgress>(reports.Add);
        var every = RunOptions.Default.WithProgress(listener, 0);
        Operator.Estimate(Estimators.Hutchinson(Measurement.Trace), StoppingRule.Matvecs(64), Key.OfSeed(1), every);
        Assert.That(reports.Select(p => p.Samples), Is.EqualTo(new[] { 0, 16, 32, 48, 64, 64 }));
        Assert.That(reports.Select(p => p.ExpectedSamples), Has.All.EqualTo(64).Or.EqualTo(65));
        Assert.That(reports.Select(p => p.Completed).SkipLast(1), Has.All.LessThan(1));
        Assert.That(reports[^1].Completed, Is.EqualTo(1));

        reports.Clear();
        Operator.EstimateTrace(After(64), listener);
        Assert.That(reports[0].Samples, Is.EqualTo(0));
        Assert.That(reports[^1].Samples, Is.EqualTo(64));

        reports.Clear();
        Operator.ExactTrace(listener);
        Assert.That(reports.Select(p => p.Samples).Order(), Is.EqualTo(reports.Select(p => p.Samples)));
        Assert.That((reports[0].Samples, reports[^1].Samples), Is.EqualTo((0, 20)));
    }

    [Test]
    public void CancellingReturnsWhatWasFound()
    {
        using var source = new CancellationTokenSource();
        var options = RunOptions.Default.WithProgress(
            new Listener<SamplingProgress>(p =>
            {
                if (p.Samples >= 32)
                {
                    source.Cancel();
                }
            }),
            0);
        var estimate = Operator.Estimate(
            Estimators.Hutchinson(Measurement.Trace),
            StoppingRule.Matvecs(100_000),
            Key.OfSeed(1),
            options,
            cancellationToken: source.Token);
        Assert.That(estimate.StopReason, Is.EqualTo(StopReason.Cancelled));
        Assert.That(estimate.Samples, Is.EqualTo(32));
        Assert.That(() => Operator.ExactTrace(null, source.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void ARunGoesOnFromItsFile()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var path = Path.Combine(folder, "trace.run");
            Operator.EstimateTrace(new() { Stop = StoppingRule.Matvecs(16), Checkpoint = path });
            var longer = Operator.EstimateTrace(new() { Stop = StoppingRule.Matvecs(64), Checkpoint = path });
            Assert.That(longer.Value, Is.EqualTo(Operator.EstimateTrace(new() { Stop = StoppingRule.Matvecs(64) }).Value));
            Assert.That(
                () => Operator.EstimateTrace(new() { Key = Key.OfSeed(9), Checkpoint = path }),
                Throws.TypeOf<DataException>().With.Message.Contains("key"));

            var products = Path.Combine(folder, "products.run");
            var whole = Operator.XTrace(new() { Stop = StoppingRule.Matvecs(16), Checkpoint = products });
            var kept = Operator.RunWithCheckpoint(products, a => a.XTrace(new() { Stop = StoppingRule.Matvecs(16) }));
            Assert.That(kept.Value, Is.EqualTo(whole.Value));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void ProbesAreDrawnAndKnown()
    {
        var block = Probe.Gaussian.Draw(Key.OfSeed(1), 5, 0, 3, DType.Float32);
        Assert.That(block.Shape, Is.EqualTo(new[] { 3, 5 }));
        Assert.That(Probe.Rademacher.FourthMoments(5), Is.EqualTo(new FourthMoments(1, 1)));
        Assert.That(Probe.Sphere.FourthMoments(4).Own, Is.EqualTo(2));

        var matrix = Tensor.FromArray(Enumerable.Range(1, 16).Select(i => (double)i).ToArray(), 4, 4);
        Assert.That(Probe.Rademacher.VarianceOfForm(matrix), Is.EqualTo(1984));
        Assert.That(Probe.Rademacher.VarianceOfDiagonal(matrix)[0], Is.EqualTo(4 + 9 + 16));
        Assert.That(Probe.Rademacher.Outcomes(4).Sum(outcome => outcome.Probability), Is.EqualTo(1));
        Assert.That(Probe.Basis.Outcomes(4).First().Vector.Count(v => v != 0), Is.EqualTo(1));
        Assert.That(Probe.Sparse(0.5), Is.Not.EqualTo(Probe.FixedSparse(2)));
    }

    [Test]
    public void MistakesAreNamed()
    {
        Assert.That(() => StoppingRule.Matvecs(0), Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("0"));
        Assert.That(() => new EstimateOptions { BlockSize = -1 }, Throws.TypeOf<ArgumentRangeException>());
        Assert.That(
            () => LinearOperator.Zero(DType.Float64, 2, 3).EstimateTrace(),
            Throws.TypeOf<OperatorException>().With.Message.Contains("[2; 3]"));
        Assert.That(
            () => LinearOperator.FromDelegate(DType.Float64, 2, 2, _ => [double.NaN, 0]).EstimateTrace(),
            Throws.TypeOf<NonFiniteException>().With.Message.Contains("vector 0"));
        Assert.That(
            () => Operator.EstimateBlockTraces([new("beyond", 15, 10)]),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("beyond"));
    }

    /// <summary>Reports at once, on the thread that reports, unlike System.Progress.</summary>
    private sealed class Listener<T>(Action<T> action) : IProgress<T>
    {
        public void Report(T value) => action(value);
    }
}
