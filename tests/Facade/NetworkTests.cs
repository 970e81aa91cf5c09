using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class NetworkTests
{
    private static readonly Key Key = Key.OfSeed(3);

    /// <summary>Exclusive or: not to be learned without a hidden layer.</summary>
    private static readonly Tensor Inputs = Tensor.FromArray(
        new[,] { { 0.0, 0.0 }, { 0.0, 1.0 }, { 1.0, 0.0 }, { 1.0, 1.0 } });

    private static readonly Tensor Labels = Tensor.FromIndices([0, 1, 1, 0]);

    [Test]
    public void LayersMakeANetworkWithNamedParameters()
    {
        var network = Network.Sequential(Layer.Dense(2, 3), Layer.Tanh, Layer.DenseWithoutBias(3, 2));
        Assert.That(
            network.Layout.Tensors.Select(tensor => tensor.Name),
            Is.EqualTo(new[] { "0.weight", "0.bias", "2.weight" }));
        Assert.That(network.ParameterCount, Is.EqualTo(15));
        Assert.That(
            network.Layout.Blocks().Select(block => (block.Name, block.Offset, block.Size)),
            Is.EqualTo(new[] { ("0.weight", 0, 6), ("0.bias", 6, 3), ("2.weight", 9, 6) }));

        var theta = network.Initialize(Key, DType.Float64);
        var parameters = network.Layout.Split(theta);
        var expected = (Inputs.MatMul(parameters["0.weight"].Transpose()) + parameters["0.bias"]).Tanh()
            .MatMul(parameters["2.weight"].Transpose());
        Assert.That(network.Forward(theta, Inputs).ToArray(), Is.EqualTo(expected.ToArray()).Within(1e-14));
    }

    [Test]
    public void ANetworkLearnsWhatItIsShown()
    {
        var network = Network.Mlp(Layer.Tanh, 2, 8, 2);
        var risk = network.Risk(
            (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs), [new Batch(Inputs, Labels)]);
        var result = risk.Minimize(
            network.Initialize(Key, DType.Float64),
            TrainingOptions.Default.WithEpochs(150).WithOptimizer(Optimizer.Adam(0.05)));
        Assert.That(result.Steps, Is.EqualTo(150));
        Assert.That(result.Losses[^1], Is.LessThan(0.05));
        Assert.That(Loss.Accuracy(Labels, network.Forward(result.Theta, Inputs)), Is.EqualTo(1));
    }

    [Test]
    public void TrainingReportsEachPassAndStopsWhenCancelled()
    {
        using var source = new CancellationTokenSource();
        var passes = new List<int>();
        var targets = Tensor.FromArray([0.0, 1.0, 1.0, 2.0]);
        var risk = Risk.OfBatches(
            (batch, theta) => Loss.MeanSquaredError(batch.Targets, batch.Inputs.MatMul(theta)),
            [new Batch(Inputs, targets)]);
        var listener = new Listener(progress =>
        {
            passes.Add(progress.Epoch);
            if (progress.Epoch == 3)
            {
                source.Cancel();
            }
        });
        var options = TrainingOptions.Default.WithOptimizer(Optimizer.Momentum(0.1, 0.5)).WithProgressInterval(0);
        var result = risk.WithPasses(Batches.ShuffledEachPass(Inputs, targets, 2, Key)).Minimize(
            Tensor.Zeros(DType.Float64, 2), options.WithProgress(listener).WithCancellation(source.Token));
        Assert.That(passes, Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(result.Cancelled);
        Assert.That(result.Steps, Is.EqualTo(6));
    }

    [Test]
    public void OptimizersGoOnFromTheirOwnState()
    {
        var theta = Tensor.FromArray([1.0]);
        var gradient = Tensor.FromArray([2.0]);
        Assert.That(Optimizer.GradientDescent(0.25).Step(theta, gradient).Item1.ToArray()[0], Is.EqualTo(0.5));

        var first = Adam.Step(AdamOptions.Default.WithLearningRate(0.1), Adam.Start(theta), theta, gradient);
        Assert.That(first.Theta.ToArray()[0], Is.EqualTo(0.9).Within(1e-8));
        Assert.That(first.State.Steps, Is.EqualTo(1));
        Assert.That(Optimizer.Adam(AdamOptions.Default).Name, Is.EqualTo("Adam"));
    }

    [Test]
    public void LossesCompareOutputsWithTargets()
    {
        var outputs = Tensor.FromArray([0.0, 2.0]);
        var targets = Tensor.FromArray([1.0, 0.0]);
        Assert.That(Loss.MeanSquaredError(targets, outputs).ToScalar(), Is.EqualTo(2.5));
        Assert.That(Loss.MeanSquaredError(targets, outputs, Reduction.Sum).ToScalar(), Is.EqualTo(5));
        Assert.That(
            Loss.BinaryCrossEntropy(targets, outputs, Reduction.Sum).ToScalar(),
            Is.EqualTo(Math.Log(2) + Math.Log(1 + Math.Exp(2))).Within(1e-14));
        Assert.That(
            () => Loss.SoftmaxCrossEntropy(Tensor.FromIndices([2]), Tensor.Zeros(DType.Float64, 1, 2)),
            Throws.TypeOf<DataException>().With.Message.Contains("label 2"));
    }

    [Test]
    public void LossesOfRegressionAndOfClassesHaveTheirDefaults()
    {
        var outputs = Tensor.FromArray([0.0, 2.0]);
        var targets = Tensor.FromArray([0.5, 0.0]);
        Assert.That(Loss.L1(targets, outputs).ToScalar(), Is.EqualTo(1.25));
        Assert.That(Loss.Huber(targets, outputs, reduction: Reduction.Sum).ToScalar(), Is.EqualTo(0.125 + 1.5));
        var labels = Tensor.FromIndices([1]);
        var halves = Tensor.Zeros(DType.Float64, 1, 2);
        Assert.That(Loss.Focal(labels, halves).ToScalar(), Is.EqualTo(0.25 * Math.Log(2)).Within(1e-15));
        var yes = Tensor.FromArray(new double[,] { { 1, 0 } });
        Assert.That(Loss.BinaryFocal(yes, halves).ToScalar(), Is.EqualTo(0.25 * Math.Log(2)).Within(1e-15));
        var logs = halves.LogSoftmax();
        Assert.That(Loss.NegativeLogLikelihood(labels, logs).ToScalar(), Is.EqualTo(Math.Log(2)).Within(1e-15));
        Assert.That(Loss.KullbackLeibler(yes, logs).ToScalar(), Is.EqualTo(Math.Log(2)).Within(1e-15));
    }

    [Test]
    public void SchedulesAreFunctionsOfTheStep()
    {
        var warm = LearningRate.WarmUp(2, LearningRate.Stepwise(every: 1, 0.5));
        Assert.That(Enumerable.Range(0, 4).Select(warm), Is.EqualTo(new[] { 0.5, 1, 1, 0.5 }));
        var product = LearningRate.Product(LearningRate.Constant(2), LearningRate.Exponential(0.5));
        Assert.That(product(2), Is.EqualTo(0.5));
        Assert.That(LearningRate.Sequence(product, 1, LearningRate.Cosine(2))(2), Is.EqualTo(0.5).Within(1e-15));

        var optimizer = Optimizer.GradientDescent(1).ClipValue(0.25).Scheduled(step => 2.0 - step);
        var (theta, _) = optimizer.Step(Tensor.FromArray([1.0]), Tensor.FromArray([4.0]));
        Assert.That(theta.ToArray()[0], Is.EqualTo(0.5));
    }

    [Test]
    public void ALayerOfOnesOwnDeclaresItsParameters()
    {
        var scale = Layer.Create(
            "scale",
            [Layer.Parameter("factor", [2], Initial.Constant(3))],
            (parameters, x) => x * parameters["factor"]);
        var network = Network.FromLayer(
            Layer.Named(("a", Layer.Residual(scale)), ("b", Layer.FromFunction("half", x => x / 2.0))));
        var theta = network.Initialize(Key, DType.Float64);
        Assert.That(network.Layout.Tensors[0].Name, Is.EqualTo("a.factor"));
        Assert.That(theta.ToArray(), Is.EqualTo(new double[] { 3, 3 }));
        Assert.That(network.Forward(theta, Inputs).ToArray(), Is.EqualTo((2.0 * Inputs).ToArray()));
    }

    [Test]
    public void InitialValuesCanBeReplacedByName()
    {
        var layer = Layer.Dense(2, 3).Initialized(name => name == "bias" ? Initial.Constant(0.5) : null);
        var parameters = Network.FromLayer(layer).Layout.Split(Network.FromLayer(layer).Initialize(Key, DType.Float64));
        Assert.That(parameters["bias"].ToArray(), Is.All.EqualTo(0.5));
        Assert.That(parameters["weight"].ToArray(), Is.All.Not.EqualTo(0.5));

        Initializer[] all = [Initial.FanIn, Initial.Glorot, Initial.Uniform(0.1), Initial.Normal(0.1)];
        Assert.That(all.Select(initial => initial(Key, [3, 2]).Shape), Is.All.EqualTo(new[] { 3, 2 }));
    }

    [Test]
    public void EveryActivationIsThere()
    {
        var layers =
            new[] { Layer.Tanh, Layer.Relu, Layer.Sigmoid, Layer.Gelu, Layer.Silu, Layer.Softplus, Layer.Flatten };
        var names = layers.Select(layer => layer.Name).ToArray();
        Assert.That(names, Is.EqualTo(new[] { "tanh", "relu", "sigmoid", "gelu", "silu", "softplus", "flatten" }));
        var others = new[] { Layer.Selu, Layer.Mish, Layer.GeluTanh, Layer.HardSwish, Layer.HardSigmoid };
        Assert.That(
            others.Select(layer => layer.Name),
            Is.EqualTo(new[] { "selu", "mish", "gelu by tanh", "hard swish", "hard sigmoid" }));
        Assert.That(Layer.Sequential(layers).Name, Does.Contain("gelu"));
    }

    [Test]
    public void ALayoutCutsAndJoins()
    {
        var layout = ParameterLayout.FromShapes(("a", [2, 2]), ("b", [1]));
        var theta = Tensor.Arange(DType.Float64, 5);
        var parts = layout.Split(theta);
        Assert.That(parts["a"].Shape, Is.EqualTo(new[] { 2, 2 }));
        var joined = layout.Join(new Dictionary<string, Tensor> { ["b"] = parts["b"], ["a"] = parts["a"] });
        Assert.That(joined.ToArray(), Is.EqualTo(theta.ToArray()));
        Assert.That(() => parts["c"], Throws.TypeOf<ParameterException>().With.Message.Contains("\"c\""));
    }

    private sealed class Listener(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
