using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class EstimationTests
{
    /// <summary>A symmetric matrix of size 20, and what is to be found of it.</summary>
    private static readonly LinearOperator Operator =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(5), DType.Float64, 20, 20)).SymmetricPart();

    private static readonly ParameterBlock[] Halves = [new("first", 0, 10), new("second", 10, 10)];

    private static readonly Key Key = Key.OfSeed(1);

    [Test]
    public void ATraceComesWithItsErrorAndItsCost()
    {
        var estimate = Operator.EstimateTrace(StoppingRule.Matvecs(200), Key);
        var truth = Operator.ExactTrace();
        Assert.That(truth.IsExact);
        Assert.That(Math.Abs(estimate.Value - truth.Value), Is.LessThan(5 * estimate.StandardError));
        Assert.That(estimate.Matvecs, Is.EqualTo(200));
        Assert.That(estimate.StopReason, Is.EqualTo(StopReason.MatvecsSpent));
        Assert.That(estimate.Seconds, Is.GreaterThan(0));

        var interval = estimate.Interval(0.95);
        Assert.That(interval.Low, Is.LessThan(estimate.Value));
        // Student's quantile, and a little more for what skewness there may be.
        var student = 2 * 1.972 * estimate.StandardError;
        Assert.That(interval.High - interval.Low, Is.InRange(student, 1.1 * student));
    }

    [Test]
    public void TheSameKeyGivesTheSameEstimateInBlocksOfAnySize()
    {
        var stop = StoppingRule.Matvecs(30);
        var value = Operator.EstimateTrace(stop, Key).Value;
        var inSevens = Operator.EstimateTrace(stop, Key, options: RunOptions.Default.WithBlockSize(7));
        Assert.That(inSevens.Value, Is.EqualTo(value).Within(1e-12));
        Assert.That(Operator.EstimateTrace(stop).Value, Is.Not.EqualTo(value));
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
        var diagonal = Operator.EstimateDiagonal(StoppingRule.Matvecs(400), Key);
        var errors = (diagonal.Value - Operator.ExactDiagonal().Value).Abs() / diagonal.StandardError;
        Assert.That(errors.Max().ToScalar(), Is.LessThan(6));

        var blocks = Operator.EstimateBlockTraces(Halves, StoppingRule.Matvecs(400), Key);
        var exact = Operator.ExactBlockTraces(Halves);
        for (var i = 0; i < 2; i++)
        {
            Assert.That(blocks[i].Block.Name, Is.EqualTo(Halves[i].Name));
            var error = Math.Abs(blocks[i].Trace.Value - exact[i].Trace.Value);
            Assert.That(error, Is.LessThan(5 * blocks[i].Trace.StandardError));
        }

        var norm = Operator.EstimateFrobenius(StoppingRule.Matvecs(400), Key);
        Assert.That(Math.Abs(norm.Value - Operator.ExactFrobenius().Value), Is.LessThan(5 * norm.StandardError));

        var rows = Operator.Measure(Measurement.RowNorms, StoppingRule.Matvecs(400), Key);
        Assert.That(
            ((rows.Value - Operator.ExactRowNorms().Value).Abs() / rows.StandardError).Max().ToScalar(),
            Is.LessThan(6));
    }

    [Test]
    public void SeveralMeasurementsShareTheirProducts()
    {
        var both = Measurement.Trace.With(Measurement.Diagonal.Unwatched(), (trace, diagonal) => (trace, diagonal));
        var fifty = StoppingRule.Matvecs(50);
        var (trace, diagonal) = Operator.Measure(both, fifty, Key);
        Assert.That(trace.Matvecs, Is.EqualTo(50));
        Assert.That(diagonal.Value.Sum().ToScalar(), Is.EqualTo(trace.Value).Within(1e-10));

        var all = Operator.Measure(Measurement.All(Measurement.SquaredFrobenius, Measurement.Trace), fifty, Key);
        Assert.That(all[1].Value, Is.EqualTo(trace.Value).Within(1e-10));
        Assert.That(Operator.Measure(Measurement.Trace.Select(t => t.Samples), fifty, Key), Is.EqualTo(50));
    }

    [Test]
    public void RulesCombine()
    {
        var twenty = StoppingRule.Matvecs(20).AndAlso(StoppingRule.Seconds(0));
        var stop = StoppingRule.AbsoluteError(1e-9, 0.9).OrElse(twenty);
        Assert.That(Operator.EstimateTrace(stop).Samples, Is.EqualTo(20));
        Assert.That(StoppingRule.Ceiling, Is.GreaterThan(1000));
        Assert.That($"{StoppingRule.PyHessian(1e-3)}", Does.Contain("PyHessian"));
    }

    [Test]
    public void ProgressIsReportedBeforeTheFirstProductAndAtTheEnd()
    {
        var reports = new List<SamplingProgress>();
        var listener = new Listener<SamplingProgress>(reports.Add);
        var every = RunOptions.Default.WithProgress(listener, 0);
        Operator.Estimate(Estimators.Hutchinson(Measurement.Trace), StoppingRule.Matvecs(64), Key, every);
        Assert.That(reports.Select(p => p.Samples), Is.EqualTo(new[] { 0, 16, 32, 48, 64, 64 }));
        Assert.That(reports.Select(p => p.ExpectedSamples), Has.All.EqualTo(64).Or.EqualTo(65));
        Assert.That(reports.Select(p => p.Completed).SkipLast(1), Has.All.LessThan(1));
        Assert.That(reports[^1].Completed, Is.EqualTo(1));

        reports.Clear();
        var told = RunOptions.Default.WithProgress(listener);
        Operator.EstimateTrace(StoppingRule.Matvecs(64), Key, options: told);
        Assert.That(reports[0].Samples, Is.EqualTo(0));
        Assert.That(reports[^1].Samples, Is.EqualTo(64));

        reports.Clear();
        Operator.ExactTrace(told);
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
            0).WithCancellation(source.Token);
        var estimate = Operator.EstimateTrace(StoppingRule.Matvecs(100_000), Key, options: options);
        Assert.That(estimate.StopReason, Is.EqualTo(StopReason.Cancelled));
        Assert.That(estimate.Samples, Is.EqualTo(32));
        Assert.That(() => Operator.ExactTrace(options), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void ARunGoesOnFromItsFile()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var path = Path.Combine(folder, "trace.run");
            var options = RunOptions.Default.WithCheckpoint(path);
            Operator.EstimateTrace(StoppingRule.Matvecs(16), options: options);
            var longer = Operator.EstimateTrace(StoppingRule.Matvecs(64), options: options);
            Assert.That(longer.Value, Is.EqualTo(Operator.EstimateTrace(StoppingRule.Matvecs(64)).Value));
            Assert.That(
                () => Operator.EstimateTrace(key: Key.OfSeed(9), options: options),
                Throws.TypeOf<DataException>().With.Message.Contains("key"));

            var products = Path.Combine(folder, "products.run");
            var (sixteen, file) = (StoppingRule.Matvecs(16), RunOptions.Default.WithCheckpoint(products));
            var whole = Operator.Estimate(Estimators.XTrace(), sixteen, options: file);
            var kept = Operator.RunWithCheckpoint(products, a => a.Estimate(Estimators.XTrace(), sixteen));
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
        Assert.That(Probe.Sphere.FourthMoments(4).Single, Is.EqualTo(2));

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
        Assert.That(() => RunOptions.Default.WithBlockSize(-1), Throws.TypeOf<ArgumentRangeException>());
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
