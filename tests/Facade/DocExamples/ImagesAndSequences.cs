using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/images.md.</summary>
public sealed class ImagesAndSequences
{
    [Test]
    public void ANetworkForImagesIsTrainedAndHasStatisticsOfItsOwn()
    {
        var images = Tensor.Normal(Key.OfSeed(3), DType.Float32, 24, 3, 6, 6);
        var labels = Tensor.FromIndices(Enumerable.Range(0, 24).Select(image => image % 10).ToArray());

        var network = Network.FromLayer(
            Layer.Sequential(
                Layer.Conv2d(3, 16, 3, 3, Sliding.Default.WithPadding(1)),
                Layer.BatchNorm(16),
                Layer.Relu,
                Layer.MaxPool2d(2, 2, Sliding.Default.WithStride(2)),
                Layer.GlobalAveragePool,
                Layer.Dense(16, 10))
            .OnImages());

        var training = network.ForTraining();
        var options = TrainingOptions.Default.WithEpochs(3).WithOptimizer(Optimizer.Momentum(0.05, 0.9));
        var risk = training
            .Risk((targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs), [new Batch(images, labels)])
            .WithPasses(Batches.ShuffledEachPass(images, labels, size: 8, Key.OfSeed(2)));
        var theta = risk.Minimize(network.Initialize(Key.OfSeed(1), DType.Float32), options).Theta;
        var trained = network.MeasureStatistics(theta, [images]);
        var accuracy = Loss.Accuracy(labels, trained.Forward(theta, images));

        Assert.That(accuracy, Is.GreaterThan(0.1));
        Assert.That(training.CouplesSamples && !trained.CouplesSamples);
    }

    [Test]
    public void ATrainedNetworkFromAFile()
    {
        var folder = Directory.CreateTempSubdirectory("curvature-").FullName;
        var weights = Path.Combine(folder, "weights.safetensors");
        var path = Path.Combine(folder, "images.bin");
        var copy = Path.Combine(folder, "copy.safetensors");
        Safetensors.Write(weights, ResNet.ResNet20.Save(ResNet.ResNet20.Initialize(Key.OfSeed(1), DType.Float32)));
        var pixels = Enumerable.Range(0, 3072).Select(i => (byte)i).ToArray();
        File.WriteAllBytes(path, [3, .. pixels, 8, .. pixels]);

        {
            var (theta, network) = ResNet.ResNet20.Load(Safetensors.Read(weights));
            var (images, labels) = Cifar.Read10(path);
            var inputs = Scaling.Channels(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

            var hessian = Hessian.At(theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs)), theta);
            foreach (var layer in hessian.EstimateBlockTraces(network.Layout.Blocks(), StoppingRule.Matvecs(8)))
            {
                Console.WriteLine($"{layer.Block.Name}: {layer.Trace}");
            }

            Safetensors.Write(copy, network.Save(theta));
        }

        Assert.That(Safetensors.Read(copy), Has.Count.EqualTo(97));
        Directory.Delete(folder, true);
    }

    [Test]
    public void SignalsAndFunctionsThatNormalise()
    {
        var network = Network.FromLayer(
            Layer.Sequential(
                Layer.Conv1d(2, 8, 5, Sliding.Default.WithPadding(2)),
                Layer.InstanceNorm(8),
                Layer.Prelu(8),
                Layer.MaxPool1d(2, Sliding.Default.WithStride(2)))
            .OnSignals());      // [batch, channels, length], as in PyTorch

        var theta = network.Initialize(Key.OfSeed(1), DType.Float32);
        var x = network.Forward(theta, Tensor.Normal(Key.OfSeed(2), DType.Float32, 3, 2, 10));

        var standard = Normalization.OverAxes(x, [-2, -1]);     // layer norm over the last two axes
        var groups = Normalization.OverGroups(x, groups: 4);    // 4 groups of the channels at axis 1

        Assert.That(standard.Shape, Is.EqualTo(new[] { 3, 8, 5 }));
        Assert.That(groups.Shape, Is.EqualTo(new[] { 3, 8, 5 }));
    }

    [Test]
    public void ASmallLanguageModel()
    {
        var tokens = Tensor.FromIndices(Enumerable.Range(0, 16).Select(place => 7 * place % 65).ToArray()).Reshape(
            2, 8);
        var next = Tensor.FromIndices(Enumerable.Range(1, 16).Select(place => 7 * place % 65).ToArray()).Reshape(2, 8);

        var network = Transformer.Gpt(vocabulary: 65, context: 32, layers: 2, heads: 4, width: 16);
        var theta = network.Initialize(Key.OfSeed(1), DType.Float32);
        var hessian = Hessian.At(theta => Loss.SoftmaxCrossEntropy(next, network.Forward(theta, tokens)), theta);
        var trace = hessian.EstimateTrace(StoppingRule.Matvecs(10));

        Assert.That(trace.Samples, Is.EqualTo(10));
    }

    [Test]
    public void LayersForSequences()
    {
        var block = Layer.Composed(
            "block",
            [("norm", Layer.LayerNorm(8)), ("attention", Layer.MultiHeadAttention(8, 2, causal: true))],
            (run, x) => x + run("attention", run("norm", x)));
        var network = Network.FromLayer(Layer.Named(("embedding", Layer.Embedding(65, 8)), ("block", block)));

        Assert.That(network.Layout["block.attention.in_proj_weight"].Shape, Is.EqualTo(new[] { 24, 8 }));

        var queries = Tensor.Normal(Key.OfSeed(1), DType.Float32, 2, 5, 8);
        var keys = queries * 2.0;
        var values = -queries;

        var attended = Attention.ScaledDotProduct(queries, keys, values, heads: 2);

        Assert.That(attended.Shape, Is.EqualTo(new[] { 2, 5, 8 }));
    }

    [Test]
    public void ABlockOfTheLlamaKind()
    {
        var block = Layer.Composed(
            "llama block",
            [
                ("input_layernorm", Layer.RmsNorm(16)),
                ("self_attn", Layer.RotaryGroupedQueryAttention(16, heads: 4, groups: 2, causal: true)),
                ("post_attention_layernorm", Layer.RmsNorm(16)),
                ("mlp", Layer.SwiGlu(16, hidden: 44)),
            ],
            (run, x) =>
            {
                var attended = x + run("self_attn", run("input_layernorm", x));
                return attended + run("mlp", run("post_attention_layernorm", attended));
            });

        var network = Network.FromLayer(block);
        Assert.That(network.Layout["self_attn.k_proj.weight"].Shape, Is.EqualTo(new[] { 8, 16 }));
    }
}
