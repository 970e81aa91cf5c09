using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class FileTests
{
    private static readonly Tensor Matrix = Tensor.FromArray(new[,] { { 1.0, 2.0 }, { 3.0, 4.0 } });

    [Test]
    public void ArraysGoThroughStreams()
    {
        using var single = new MemoryStream();
        Numpy.Write(single, Matrix);
        Assert.That(Numpy.Read(single, "array").ToArray(), Is.EqualTo(Matrix.ToArray()));
        using var several = new MemoryStream();
        Numpy.WriteArchive(several, [new("a", Matrix), new("b", Matrix * 2.0)]);
        var read = Numpy.ReadArchive(several, "arrays");
        Assert.That(read.Select(array => array.Name), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(read[1].Tensor.ToArray(), Is.EqualTo((Matrix * 2.0).ToArray()));
        Assert.That(
            () => Numpy.WriteArchive(several, [new("a", Matrix), new("a", Matrix)]),
            Throws.TypeOf<ParameterException>());
    }

    [Test]
    public void ImagesAreReadFromStreams()
    {
        using var ten = new MemoryStream([7, .. new byte[3072]]);
        Assert.That(Cifar.Images10(ten, "ten").Labels.ToInt32Array(), Is.EqualTo(new[] { 7 }));
        using var hundred = new MemoryStream([1, 99, .. new byte[3072]]);
        Assert.That(Cifar.Images100(hundred, "hundred").Labels.ToInt32Array(), Is.EqualTo(new[] { 99 }));
        using var idx = new MemoryStream([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]);
        Assert.That(Idx.Read(idx, "idx").ToInt32Array(), Is.EqualTo(new[] { 5, 6 }));
    }

    [Test]
    public void MatricesAreReadFromStreams()
    {
        using var stream = new MemoryStream("%%MatrixMarket matrix array real general\n1 2\n3\n4\n"u8.ToArray());
        var matrix = MatrixMarket.Read(stream, "row");
        Assert.That(matrix.Apply(Tensor.FromArray([1.0, 10.0])).ToArray(), Is.EqualTo(new[] { 43.0 }));
    }

    [Test]
    public void FilesThatExceedTheLimitsAreRefused()
    {
        var limits = ReadLimits.Default.WithBytes(15).WithLine(30).WithEntries(1);
        using var idx = new MemoryStream([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4]);
        Assert.That(
            () => Idx.Read(idx, "idx", limits),
            Throws.TypeOf<DataException>().With.Message.Contains("15 bytes").And.Message.Contains("WithBytes"));
        Assert.That(Idx.Read(idx, "idx", limits.WithBytes(16)).Size, Is.EqualTo(4));
        using var several = new MemoryStream();
        Numpy.WriteArchive(several, [new("a", Matrix), new("b", Matrix)]);
        Assert.That(
            () => Numpy.ReadArchive(several, "arrays", limits.WithBytes(10_000)),
            Throws.TypeOf<DataException>().With.Message.Contains("2 tensors"));
        using var matrix = new MemoryStream("%%MatrixMarket matrix array real general\n1 1\n3\n"u8.ToArray());
        Assert.That(
            () => MatrixMarket.Read(matrix, "matrix", limits.WithBytes(10_000)),
            Throws.TypeOf<DataException>().With.Message.Contains("30 characters"));
        Assert.That(() => limits.WithBytes(0), Throws.TypeOf<ArgumentRangeException>());
    }

    [Test]
    public void DamagedFilesAreRefused()
    {
        using var cut = new MemoryStream([0, 0, 8, 1, 0, 0, 0, 3, 5, 6]);
        Assert.That(() => Idx.Read(cut, "idx"), Throws.TypeOf<DataException>().With.Message.Contains("ends after 2"));
        Assert.That(() => Numpy.Read("no-such.npy"), Throws.TypeOf<DataException>());
        Assert.That(() => Cifar.Images100("no-such.bin"), Throws.TypeOf<DataException>());
        Assert.That(() => Idx.Read("no-such"), Throws.TypeOf<DataException>());
    }
}
