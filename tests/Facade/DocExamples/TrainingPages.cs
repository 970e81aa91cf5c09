using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/training.md.</summary>
public sealed class TrainingPages
{
    private static readonly Tensor Inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 120, 2);

    /// <summary>Whether the coordinates have the same sign.</summary>
    private static readonly Tensor Labels = Tensor.FromIndices(
        Inputs.ToArray().Chunk(2).Select(row => row[0] * row[1] > 0 ? 1 : 0).ToArray());

    private static readonly Network Network = Curvature.Network.Mlp(Layer.Tanh, 2, 16, 16, 2);
    private static readonly Tensor Theta = Network.Initialize(Key.OfSeed(2), DType.Float64);

    private static readonly EmpiricalRisk Risk = Network.Risk(
        (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs), [new Batch(Inputs, Labels)]);

    private static readonly EmpiricalRisk Shuffled =
        Risk.WithPasses(Batches.ShuffledEachPass(Inputs, Labels, size: 30, Key.OfSeed(3)));

    [Test]
    public void AMonitor()
    {
        var (risk, shuffled, theta) = (Risk, Shuffled, Theta);
        var path = Path.GetTempFileName();

        var monitor = risk.Monitor(MonitorOptions.Default.WithTimeShare(0.2));
        var descent = Optimizer.Momentum(learningRate: 0.05, decay: 0.9);
        var options = TrainingOptions.Default.WithEpochs(100).WithOptimizer(descent).WithMonitor(monitor);
        var result = shuffled.Minimize(theta, options);
        Console.WriteLine(monitor);
        File.WriteAllText(path, monitor.ToSvg());

        Assert.That(monitor.Steps, Is.EqualTo(400));
        Assert.That(result.Losses[^1], Is.LessThan(0.7 * result.Losses[0]));
        Assert.That(File.ReadAllText(path), Does.Contain("Sharpness"));
        File.Delete(path);
    }

    [Test]
    public void ALoopOfOnesOwn()
    {
        var (risk, theta) = (Risk, Theta);
        var path = Path.GetTempFileName();

        var watch = risk.Monitor(MonitorOptions.Default.WithTimeShare(0.2));
        var parameters = theta;

        for (var i = 0; i < 200; i++)
        {
            var step = risk.Gradient(parameters);
            parameters -= 0.1 * step.Gradient;

            if (watch.Observe(parameters, step.Loss, learningRate: 0.1) is { } record
                && record.LearningRate > record.LargestLearningRate)
            {
                Console.WriteLine($"unstable: {record}");
            }
        }

        watch.Save(path);
        var later = risk.ResumeMonitor(path);   // goes on from there

        Assert.That(later.Steps, Is.EqualTo(200));
        File.Delete(path);
    }

    [Test]
    public void MethodsThatStepByCurvature()
    {
        var (inputs, labels, network) = (Inputs, Labels, Network);
        var (risk, shuffled, theta) = (Risk, Shuffled, Theta);
        Optimizer[] methods =
        [
            Optimizer.Momentum(0.05, 0.9).SharpnessAware(radius: 0.05),
            Optimizer.AdaHessian(AdaHessianOptions.Default.WithLearningRate(0.05)),
            Optimizer.Sophia(SophiaOptions.GaussNewtonBartlett(Likelihood.Categorical).WithLearningRate(0.01)),
            Optimizer.NewtonCg(),
            Optimizer.NaturalGradient(NaturalGradientOptions.Of(network.Layout).WithLearningRate(0.2)),
        ];

        foreach (var optimizer in methods)
        {
            var trained = shuffled.Minimize(theta, TrainingOptions.Default.WithEpochs(20).WithOptimizer(optimizer));
            Console.WriteLine($"{optimizer}: {risk.Value(trained.Theta)}");
        }

        var steps = risk.Descent();
        var current = theta;
        var newton = Optimizer.NewtonCg();

        for (var i = 0; i < 10; i++)
        {
            var step = steps.Step(newton, current, new Batch(inputs, labels));
            (current, newton) = (step.Theta, step.Optimizer);
        }

        Assert.That(risk.Value(current), Is.LessThan(0.7 * risk.Value(theta)));
    }

    [Test]
    public void DivergencesOfFlows()
    {
        Func<Tensor, Tensor> Field(Tensor weights) => point => weights.Reshape(8, 8).MatMul(point).Tanh();
        var points = Tensor.Normal(Key.OfSeed(4), DType.Float64, 16, 8);
        var weights = 0.3 * Tensor.Normal(Key.OfSeed(5), DType.Float64, 64);
        var sketch = FieldSketch.Find(Field(weights), points, vectors: 4, Key.OfSeed(6));

        for (var i = 1; i <= 30; i++)
        {
            var key = Key.OfSeed(7).FoldIn((uint)i);
            // The sketch is held fixed in the loss, and found anew in every tenth step.
            sketch = sketch.Refresh(every: 10, Field(weights), points, vectors: 4, key);
            Tensor DivergenceOf(Tensor weights) =>
                Stochastic.ValueAndDivergenceAtPoints(Field(weights), points, sketch, samples: 1, key)
                    .Divergence.Mean();
            weights -= 0.1 * Differentiate.Gradient(DivergenceOf, weights);
        }

        var withErrors = Divergence.EstimateAtPoints(
            Field(weights), points, sketch, StoppingRule.Matvecs(20), Key.OfSeed(8));

        Assert.That(withErrors, Has.Count.EqualTo(16));
        Assert.That(sketch.Vectors, Is.EqualTo(4));
    }
}
