using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/networks.md and of the README.</summary>
public sealed class NetworksAndData
{
    [Test]
    public void TheReadme()
    {
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float32, 20, 64);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 20).Select(row => row % 10).ToArray());

        var network = Network.Mlp(Layer.Tanh, 64, 32, 10);
        var theta = network.Initialize(Key.OfSeed(1), DType.Float32);
        Func<Tensor, Tensor> loss = theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs));

        var hessian = Hessian.At(loss, theta);
        var trace = hessian.EstimateTrace(StoppingRule.RelativeError(0.05));
        Console.WriteLine($"{trace.Value} ± {trace.StandardError} from {trace.Samples} random vectors");

        Assert.That(trace.StopReason, Is.EqualTo(StopReason.ErrorReached).Or.EqualTo(StopReason.Exact));
    }

    [Test]
    public void ANetworkAndItsParameters()
    {
        var network = Network.Sequential(Layer.Dense(64, 32), Layer.Tanh, Layer.Dense(32, 10));
        var theta = network.Initialize(Key.OfSeed(1), DType.Float32);       // one vector of all parameters
        var weight = network.Layout.Split(theta)["0.weight"];               // [32, 64], as in PyTorch
        foreach (var tensor in network.Layout.Tensors)
        {
            Console.WriteLine($"{tensor.Name} from {tensor.Offset}: {tensor.Size}");
        }

        Assert.That(weight.Shape, Is.EqualTo(new[] { 32, 64 }));
        Assert.That(theta.Size, Is.EqualTo(network.ParameterCount));
    }

    [Test]
    public void ReadTrainMeasure()
    {
        var path = Path.GetTempFileName();
        var rows = Enumerable.Range(0, 40).Select(i => $"{Math.Cos(i)},{Math.Sin(i)},{(Math.Sin(i) > 0 ? 1 : 0)}");
        File.WriteAllLines(path, rows.Prepend("a,b,class"));

        var data = Csv.Read(path);                          // the last column is the class; .csv or .csv.gz
        var inputs = Scaling.Standardize(data.Inputs);
        var network = Network.Mlp(Layer.Tanh, data.Features, 16, data.Classes);

        Func<Tensor, Tensor, Tensor> criterion = (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs);
        var risk = network.Risk(criterion, [new Batch(inputs, data.Labels)]);

        // Batches of 16 rows, in another order at every pass.
        var batches = Batches.ShuffledEachPass(inputs, data.Labels, size: 16, Key.OfSeed(2));
        var training = risk.WithPasses(batches).Minimize(
            network.Initialize(Key.OfSeed(1), DType.Float64),
            TrainingOptions.Default.WithEpochs(50).WithOptimizer(Optimizer.Adam(0.01)));
        var accuracy = Loss.Accuracy(data.Labels, network.Forward(training.Theta, inputs));

        Assert.That(accuracy, Is.GreaterThan(0.8));

        var hessian = risk.Hessian(training.Theta);
        var traces = hessian.EstimateBlockTraces(network.Layout.Blocks());

        Assert.That(traces, Has.Count.EqualTo(4));
        File.Delete(path);
    }

    [Test]
    public void LayersOfOnesOwn()
    {
        var scale = Layer.Create(
            "scale",
            [Layer.Parameter("factor", [16], Initial.Constant(1))],
            (parameters, x) => x * parameters["factor"]);
        var network = Network.FromLayer(
            Layer.Named(
                ("enter", Layer.Dense(2, 16).Initialized(name => name == "weight" ? Initial.Glorot : null)),
                ("body", Layer.Residual(Layer.Sequential(scale, Layer.Gelu))),
                ("leave", Layer.Dense(16, 1))));

        Assert.That(network.Layout["body.0.factor"].Size, Is.EqualTo(16));
    }

    [Test]
    public void TrainingByHand()
    {
        var theta = Tensor.FromArray([3.0, -2.0]);
        Func<Tensor, Tensor> loss = theta => theta.Dot(theta);

        var optimizer = Optimizer.Momentum(learningRate: 0.1, decay: 0.9);
        for (var step = 0; step < 100; step++)
        {
            (theta, optimizer) = optimizer.Step(theta, Differentiate.Gradient(loss, theta));
        }

        Assert.That(loss(theta).ToScalar(), Is.LessThan(1e-3));

        var options = AdamOptions.Default.WithLearningRate(0.1);
        var adam = Adam.Step(options, Adam.Start(theta), theta, Differentiate.Gradient(loss, theta));

        Assert.That(adam.State.Steps, Is.EqualTo(1));
    }

    [Test]
    public void BatchesOfRows()
    {
        var features = Tensor.Normal(Key.OfSeed(1), DType.Float64, 100, 4);
        var data = LabelledData.Create(features, Tensor.FromIndices(new int[100]));

        foreach (var batch in Batches.Cut(Batches.Shuffled(Key.OfSeed(1), data.Rows), size: 32))
        {
            var inputs = Batches.Rows(data.Inputs, batch);
            var labels = Batches.Rows(data.Labels, batch);
            Console.WriteLine($"{inputs.Shape[0]} rows, {labels.Size} labels");
        }

        Assert.That(data.Rows, Is.EqualTo(100));
    }

    [Test]
    public void Losses()
    {
        var outputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 8, 3);
        var targets = Tensor.Normal(Key.OfSeed(2), DType.Float64, 8, 3);
        var labels = Tensor.FromIndices([0, 1, 2, 0, 1, 2, 0, 1]);

        var robust = Loss.Huber(targets, outputs, delta: 1);    // a parabola up to 1, a line beyond
        var hardest = Loss.Focal(labels, outputs, gamma: 2);    // what is almost right counts less

        Assert.That((robust * hardest).ToScalar(), Is.GreaterThan(0));
    }

    [Test]
    public void DropoutAndRates()
    {
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 60, 4);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 60).Select(row => row % 2).ToArray());
        Func<Tensor, Tensor, Tensor> criterion = (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs);

        Network NetworkWith(Key key) =>
            Network.Sequential(Layer.Dense(4, 16), Layer.Elu(), Layer.Dropout(0.2, key), Layer.Dense(16, 2));

        EmpiricalRisk RiskOfPass(int pass) =>
            NetworkWith(Key.OfSeed(3).FoldIn((uint)pass)).ForTraining()
                .Risk(criterion, Batches.Split(inputs, labels, size: 20));

        var network = NetworkWith(Key.OfSeed(3));   // in evaluation every element passes
        var theta = network.Initialize(Key.OfSeed(1), DType.Float64);
        var trained = Training.MinimizeEachPass(RiskOfPass, theta, TrainingOptions.Default.WithEpochs(20));

        Assert.That(trained.Losses, Has.Count.EqualTo(20));

        var optimizer = Optimizer.AdamW(learningRate: 0.01, weightDecay: 0.05)
            .ClipNorm(1)
            .Scheduled(LearningRate.WarmUp(50, LearningRate.Cosine(500, least: 0.01)));

        var split = Split.Stratified(labels, share: 0.25, Key.OfSeed(4));
        EmpiricalRisk RiskOn(IReadOnlyList<int> part) =>
            network.Risk(criterion, [new Batch(Batches.Rows(inputs, part), Batches.Rows(labels, part))]);

        var options = TrainingOptions.Default
            .WithEpochs(500)
            .WithOptimizer(optimizer)
            .WithValidation(RiskOn(split.Test))
            .WithPatience(20);  // passes without a lower loss on the test rows
        var best = RiskOn(split.Training).Minimize(theta, options);
        Console.WriteLine($"{best.End} after {best.Losses.Count} passes, best after {best.BestEpoch}");

        Assert.That(best.ValidationLosses, Has.Count.EqualTo(best.Losses.Count));

        var result = RiskOn(split.Training).MinimizeByLbfgs(theta, LbfgsOptions.Default.WithIterations(50));
        Console.WriteLine($"{result.End} after {result.Losses.Count} iterations and {result.Steps} gradients");

        Assert.That(result.Losses, Is.Not.Empty);
    }

    [Test]
    public void TablesOfRegression()
    {
        var path = Path.GetTempFileName();
        File.WriteAllLines(path, ["a,b,u,v", "1,2,3.5,-1", "4,5,6.5,-2", "7,8,9.5,-3", "1,0,1.5,-4"]);

        var data = Csv.ReadRegression(path, CsvOptions.Default.WithTargetColumns("u", "v"));
        var (train, test) = Split.TrainTest(data.Rows, share: 0.25, Key.OfSeed(1));
        var (known, heldOut) = (data.OfRows(train), data.OfRows(test));

        Assert.That((known.Rows, heldOut.Rows), Is.EqualTo((3, 1)));
        File.Delete(path);
    }
}
