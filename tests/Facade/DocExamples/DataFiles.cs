using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/data.md.</summary>
public sealed class DataFiles
{
    private readonly string _folder = Directory.CreateTempSubdirectory("curvature-").FullName;

    [OneTimeTearDown]
    public void RemoveFolder() => Directory.Delete(_folder, true);

    [Test]
    public void ArraysOfNumpy()
    {
        var single = Path.Combine(_folder, "matrix.npy");
        var several = Path.Combine(_folder, "arrays.npz");

        Numpy.Write(single, Tensor.FromArray(new[,] { { 1.0, 2.0 }, { 3.0, 4.0 } }));
        var matrix = Numpy.Read(single);                        // np.load("matrix.npy")

        Numpy.WriteArchive(several, [new("weight", matrix), new("bias", Tensor.FromArray([0.5, 1.5]))]);
        foreach (var (name, array) in Numpy.ReadArchive(several))       // np.load("arrays.npz")
        {
            Console.WriteLine($"{name}: {array}");
        }

        Assert.That(Numpy.ReadArchive(several).Select(array => array.Name), Is.EqualTo(new[] { "weight", "bias" }));
    }

    [Test]
    public void Limits()
    {
        var weights = Path.Combine(_folder, "model.safetensors");
        var rows = Path.Combine(_folder, "rows.csv");
        Safetensors.Write(weights, [new("weight", Tensor.FromArray([0.5, 1.5]))]);
        File.WriteAllText(rows, "1,2\n3,4\n");

        var large = ReadLimits.Default.WithBytes(64L << 30);    // 64 GiB
        var tensors = Safetensors.Read(weights, large);
        var table = Csv.ReadMatrix(rows, CsvOptions.Default.WithLimits(large));

        Assert.That(tensors.Single().Name, Is.EqualTo("weight"));
        Assert.That(table.Shape, Is.EqualTo(new[] { 2, 2 }));
    }

    [Test]
    public void WritingAsAWholeOrNotAtAll()
    {
        var chart = Chart.Create("Loss", Axis.Linear("x"), Axis.Linear("y"), Series.Line("f", [0, 1], [1, 2]));
        byte[] bytes = [1, 2];
        var (picture, raw) = (Path.Combine(_folder, "loss.svg"), Path.Combine(_folder, "loss.bin"));

        AtomicFile.WriteText(picture, chart.ToSvg());
        AtomicFile.Write(raw, stream => stream.Write(bytes));

        Assert.That(File.ReadAllBytes(raw), Is.EqualTo(bytes));
        Assert.That(File.ReadAllText(picture), Does.Contain("<svg"));
    }

    [Test]
    public void SetsOfImages()
    {
        var images = Path.Combine(_folder, "images");
        var labels = Path.Combine(_folder, "labels");
        var batch = Path.Combine(_folder, "data_batch_1.bin");
        File.WriteAllBytes(images, [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6]);
        File.WriteAllBytes(labels, [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]);
        File.WriteAllBytes(batch, [3, .. new byte[3072]]);
        var another = batch;

        // train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz
        var digits = Idx.Images(images, labels);
        var first = digits.Slice(0, 2);
        var pixels = first.ToTensor(DType.Float32);             // [images, channels, height, width], from 0 to 1
        var classes = first.Labels;
        var colours = Cifar.Images10(batch);                    // data_batch_1.bin
        var all = ImageSet.Concat(Cifar.Images10(batch), Cifar.Images10(another));
        var made = ImageSet.Create([0, 10, 20, 30, 40, 50, 60, 70], labels: [0, 1], channels: 1, height: 2, width: 2);

        Assert.That(pixels.Shape, Is.EqualTo(new[] { 2, 1, 1, 2 }));
        Assert.That(classes.ToInt32Array(), Is.EqualTo(new[] { 7, 2 }));
        Assert.That((colours.Count, all.Count, made.Count), Is.EqualTo((1, 2, 2)));
    }

    [Test]
    public void BatchesMadeWhenTheyAreAskedFor()
    {
        var images = ImageSet.Create(Enumerable.Range(0, 240).Select(i => (byte)i).ToArray(), [0, 1, 1, 0, 1], 3, 4, 4);
        var network = Network.FromLayer(Layer.Sequential(Layer.FlattenImages, Layer.Dense(48, 2)).OnImages());
        var start = network.Initialize(Key.OfSeed(1), DType.Float32);
        var key = Key.OfSeed(2);

        var options = BatchOptions.Default
            .WithSize(2)
            .WithTransform(images => Scaling.Channels(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]));
        foreach (var batch in Batches.FromImages(images, DType.Float32, options))
        {
            Console.WriteLine($"{batch.Size} images, classes {batch.Targets}");
        }

        var risk = network.Risk(
            (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs),
            Batches.FromImages(images, DType.Float32, options));

        var shuffled = risk.WithPasses(
            pass => Batches.FromImages(images, DType.Float32, options.WithShuffling(key.FoldIn((uint)pass))));
        var training = shuffled.Minimize(
            start,
            TrainingOptions.Default.WithEpochs(2).WithOptimizer(Optimizer.Adam(0.01)));

        var hessian = risk.Hessian(training.Theta);

        Assert.That(training.Steps, Is.EqualTo(6));
        Assert.That(hessian.Columns, Is.EqualTo(98));
    }
}
