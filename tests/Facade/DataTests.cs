using System.Text;
using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class DataTests
{
    private static Stream Table(string text) => new MemoryStream(Encoding.UTF8.GetBytes(text));

    [Test]
    public void ATableHasFeaturesAndLabels()
    {
        var data = Csv.Read(Table("a,b,class\n1,2,0\n3,4,2\n"), "table");
        Assert.That(data.Rows, Is.EqualTo(2));
        Assert.That(data.Classes, Is.EqualTo(3));
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(data.Inputs.ToArray(), Is.EqualTo(new double[] { 1, 2, 3, 4 }));
        Assert.That(data.Labels.ToInt32Array(), Is.EqualTo(new[] { 0, 2 }));
    }

    [Test]
    public void OptionsSayWhereTheLabelIs()
    {
        var options = CsvOptions.Default.WithSeparator(';').WithLabelColumn(0).WithHeader(false);
        Assert.That(Csv.Read(Table("1;7\n0;8\n"), "table", options).Labels.ToInt32Array(), Is.EqualTo(new[] { 1, 0 }));
    }

    [Test]
    public void AFileIsReadByItsPath()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "1,2,0\n3,4,1\n");
            Assert.That(Csv.Read(path).Rows, Is.EqualTo(2));
            Assert.That(Csv.Read(path, CsvOptions.Default.WithLabelColumn(0)).Classes, Is.EqualTo(4));
            Assert.That(Csv.ReadMatrix(path).Shape, Is.EqualTo(new[] { 2, 3 }));
            Assert.That(Csv.ReadMatrix(path, CsvOptions.Default.WithHeader(true)).Shape, Is.EqualTo(new[] { 1, 3 }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void ABadTableIsRefusedByLineAndColumn()
    {
        Assert.That(
            () => Csv.Read(Table("1,2,0\n3,x,1\n"), "table"),
            Throws.TypeOf<DataException>().With.Message.Contains("line 2, column 2").And.Message.Contains("x"));
        Assert.That(() => Csv.Read("nowhere.csv"), Throws.TypeOf<DataException>().With.Message.Contains("nowhere.csv"));
    }

    [Test]
    public void TensorsBecomeADataSet()
    {
        var data = LabelledData.Create(Tensor.Ones(DType.Float64, 2, 3), Tensor.FromIndices([0, 1]));
        Assert.That(data.Features, Is.EqualTo(3));
        Assert.That(
            () => LabelledData.Create(Tensor.Ones(DType.Float64, 2, 3), Tensor.FromIndices([0])),
            Throws.TypeOf<ShapeException>());
    }

    [Test]
    public void FeaturesAreBroughtToComparableSizes()
    {
        var inputs = Tensor.FromArray(new[,] { { 1.0, 5.0 }, { 3.0, 5.0 } });
        Assert.That(Scaling.ToUnitRange(inputs).ToArray(), Is.EqualTo(new double[] { 0, 0, 1, 0 }));
        Assert.That(Scaling.Standardize(inputs).ToArray(), Is.EqualTo(new double[] { -1, 0, 1, 0 }).Within(1e-15));
    }

    [Test]
    public void RowsAreShuffledAndCut()
    {
        var order = Batches.Shuffled(Key.OfSeed(1), 5);
        Assert.That(order, Is.EquivalentTo(new[] { 0, 1, 2, 3, 4 }));
        var batches = Batches.Cut(order, 2);
        Assert.That(batches.Select(batch => batch.Count), Is.EqualTo(new[] { 2, 2, 1 }));
        Assert.That(Batches.Rows(Tensor.Arange(DType.Float64, 5), batches[0]).ToArray(), Is.EqualTo(batches[0]));
    }

    [Test]
    public void BatchesAreShuffledByAKeyAndTrainLikeTensors()
    {
        var inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 7, 2);
        var labels = Tensor.FromIndices([0, 1, 0, 1, 0, 1, 1]);
        var options = BatchOptions.Default.WithSize(3).WithShuffling(Key.OfSeed(4));
        var batches = Batches.FromTensors(inputs, labels, options);
        Assert.That(batches.Select(batch => batch.Size), Is.EqualTo(new[] { 3, 3, 1 }));
        Assert.That(
            batches.SelectMany(batch => batch.Inputs.ToArray()),
            Is.EquivalentTo(inputs.ToArray()));

        var network = Network.Mlp(Layer.Tanh, 2, 3, 2);
        var risk = network.Risk((targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs), batches);
        var result = risk.Minimize(
            network.Initialize(Key.OfSeed(2), DType.Float64),
            TrainingOptions.Default.WithEpochs(30).WithOptimizer(Optimizer.Adam(0.05)));
        Assert.That(result.Losses[29], Is.LessThan(result.Losses[0]));
    }
}
