using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class ImageNetworkTests
{
    private static readonly Key Key = Key.OfSeed(3);

    private static readonly Network Small = Network.FromLayer(
        Layer.Sequential(
            Layer.Conv2d(2, 4, 3, 3, Sliding.Default.WithPadding(1), groups: 2),
            Layer.BatchNorm(4),
            Layer.Relu,
            Layer.MaxPool2d(2, 2, Sliding.Default.WithStride(2)),
            Layer.Conv2dWithoutBias(4, 3, 1, 1),
            Layer.GroupNorm(3, 3),
            Layer.AveragePool2d(1, 2),
            Layer.FlattenImages,
            Layer.LayerNorm(6))
        .OnImages());

    private static Tensor Images(params int[] shape) => Tensor.Normal(Key, DType.Float64, shape);

    [Test]
    public void ImageLayersMakeANetworkWithPyTorchsNames()
    {
        Assert.That(
            Small.Layout.Tensors.Select(tensor => tensor.Name),
            Is.EqualTo(new[]
            {
                "0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "5.weight", "5.bias", "8.weight", "8.bias",
            }));
        Assert.That(Small.Statistics.Keys, Is.EquivalentTo(new[] { "1.running_mean", "1.running_var" }));
        var theta = Small.Initialize(Key, DType.Float64);
        Assert.That(Small.Forward(theta, Images(5, 2, 4, 4)).Shape, Is.EqualTo(new[] { 5, 6 }));
    }

    [Test]
    public void StatisticsAreMeasuredSavedAndLoaded()
    {
        var theta = Small.Initialize(Key, DType.Float64);
        var measured = Small.MeasureStatistics(theta, [Images(5, 2, 4, 4), Images(6, 2, 4, 4)]);
        using var file = new MemoryStream();
        Safetensors.Write(file, measured.Save(theta));
        file.Position = 0;
        var (loadedTheta, loaded) = Small.Load(Safetensors.Read(file, "network"), DType.Float64);
        var x = Images(3, 2, 4, 4);
        Assert.That(loaded.Forward(loadedTheta, x).ToArray(), Is.EqualTo(measured.Forward(theta, x).ToArray()));
        Assert.That(loaded.ForTraining().CouplesSamples);
        Assert.That(
            () => Small.Load(Small.Save(theta).Skip(1)),
            Throws.TypeOf<ParameterException>().With.Message.Contains("0.weight"));
    }

    [Test]
    public void TensorsGoThroughAFile()
    {
        var path = Path.GetTempFileName();
        try
        {
            Safetensors.Write(path, [new NamedTensor("x", Tensor.FromArray([1.5, 2.5]))]);
            var read = Safetensors.Read(path).Single();
            Assert.That(read.Name, Is.EqualTo("x"));
            Assert.That(read.Tensor.ToArray(), Is.EqualTo(new[] { 1.5, 2.5 }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void CifarFilesHoldImagesAndClasses()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [7, .. Enumerable.Repeat((byte)255, 3072)]);
            var (images, labels) = Cifar.Read10(path);
            Assert.That(images.Shape, Is.EqualTo(new[] { 1, 3, 32, 32 }));
            Assert.That(labels.ToInt32Array(), Is.EqualTo(new[] { 7 }));
            var scaled = Scaling.Channels(images, [1, 1, 0], [1, 1, 0.5]);
            Assert.That(scaled.ToArray().Distinct(), Is.EquivalentTo(new[] { 0.0, 2.0 }));
            File.WriteAllBytes(path, [1, 99, .. new byte[3072]]);
            Assert.That(Cifar.Read100(path, DType.Float64).Labels.ToInt32Array(), Is.EqualTo(new[] { 99 }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void LayersOfOnesOwnHavePartsAndStatistics()
    {
        var shifted = Layer.Create(
            "shift", [Layer.Parameter("weight", [2, 2], Initial.He), Layer.Statistic("shift", [2], 1)],
            (parameters, x) => x.MatMul(parameters["weight"]) + parameters["shift"]);
        var network = Network.FromLayer(
            Layer.Composed("twice", [("a", shifted), ("b", Layer.Tanh)], (run, x) => run("b", run("a", x)) * 2.0));
        Assert.That(network.Layout.Tensors.Single().Name, Is.EqualTo("a.weight"));
        var theta = Tensor.Zeros(DType.Float64, 4);
        Assert.That(
            network.Forward(theta, Tensor.Ones(DType.Float64, 1, 2)).ToArray(),
            Is.EqualTo(new[] { 2 * Math.Tanh(1), 2 * Math.Tanh(1) }).Within(1e-15));
    }

    [Test]
    public void ReadyNetworksHaveTheirSizes()
    {
        Assert.That(ResNet.ResNet20.ParameterCount, Is.EqualTo(269722));
        Assert.That(ResNet.ResNet32.ParameterCount, Is.EqualTo(464154));
        Assert.That(ResNet.ResNet56.ParameterCount, Is.EqualTo(853018));
        Assert.That(ResNet.Cifar(20, 100).ParameterCount, Is.EqualTo(275572));
        Assert.That(Network.FromLayer(ResNet.CifarLayer(20, 10)).ParameterCount, Is.EqualTo(269722));
        Assert.That(Network.FromLayer(ResNet.BasicBlock(2, 4, 2)).ParameterCount, Is.EqualTo(72 + 144 + 16));
        var tokens = Tensor.FromIndices([1, 2, 0, 3]).Reshape(2, 2);
        var gpt = Transformer.Gpt(5, 4, 1, 2, 6);
        Assert.That(gpt.Forward(gpt.Initialize(Key, DType.Float32), tokens).Shape, Is.EqualTo(new[] { 2, 2, 5 }));
        Assert.That(
            Network.FromLayer(Transformer.GptLayer(5, 4, 1, 2, 6)).ParameterCount, Is.EqualTo(gpt.ParameterCount));
    }

    [Test]
    public void SequencesAreEmbeddedAndAttended()
    {
        var network = Network.Sequential(Layer.Embedding(5, 4), Layer.MultiHeadAttention(4, 2, causal: true));
        var theta = network.Initialize(Key, DType.Float64);
        Assert.That(
            network.Forward(theta, Tensor.FromIndices([1, 2, 4]).Reshape(1, 3)).Shape, Is.EqualTo(new[] { 1, 3, 4 }));
        var same = Tensor.Ones(DType.Float64, 1, 3, 4);
        Assert.That(
            Attention.ScaledDotProduct(same, same, same, heads: 2).ToArray(), Is.EqualTo(same.ToArray()).Within(1e-15));
        var pooled = Network.FromLayer(Layer.GlobalAveragePool);
        Assert.That(
            pooled.Forward(Tensor.Zeros(DType.Float64, 0), Images(2, 3, 3, 4)).Shape, Is.EqualTo(new[] { 2, 4 }));
    }

    [Test]
    public void SignalsAreConvolvedAndImagesGrow()
    {
        var signals = Network.FromLayer(
            Layer.Sequential(
                Layer.Conv1d(2, 4, 3, Sliding.Default.WithPadding(1), groups: 2),
                Layer.InstanceNorm(4),
                Layer.Prelu(4),
                Layer.MaxPool1d(2, Sliding.Default.WithStride(2)),
                Layer.AveragePool1d(2))
            .OnSignals());
        Assert.That(
            signals.Layout.Tensors.Select(tensor => tensor.Name),
            Is.EqualTo(new[] { "0.weight", "0.bias", "1.weight", "1.bias", "2.weight" }));
        var theta = signals.Initialize(Key, DType.Float64);
        Assert.That(
            signals.Forward(theta, Tensor.Normal(Key, DType.Float64, 5, 2, 8)).Shape, Is.EqualTo(new[] { 5, 4, 3 }));

        var growing = Network.FromLayer(
            Layer.ConvTranspose2d(
                2, 3, 3, 3, Sliding.Default.WithStride(2).WithPadding(1), outputPadding: (1, 1)).OnImages());
        Assert.That(
            growing.Forward(growing.Initialize(Key, DType.Float64), Images(5, 2, 4, 6)).Shape,
            Is.EqualTo(new[] { 5, 3, 8, 12 }));
    }

    [Test]
    public void NumbersAreNormalisedOverAxesAndGroups()
    {
        var x = Tensor.FromArray([1, 3, 5, 9], 1, 4, 1);
        Assert.That(
            Normalization.OverGroups(x, groups: 2, epsilon: 0).ToArray(), Is.EqualTo(new double[] { -1, 1, -1, 1 }));
        Assert.That(
            Normalization.OverAxes(x, [1, 2], epsilon: 0).ToArray(),
            Is.EqualTo(((x - 4.5) / Math.Sqrt(8.75)).ToArray()).Within(1e-15));
        Assert.That(
            Normalization.RmsOverAxes(x, [1], epsilon: 0).ToArray(),
            Is.EqualTo((x / Math.Sqrt(29)).ToArray()).Within(1e-15));
    }
}
