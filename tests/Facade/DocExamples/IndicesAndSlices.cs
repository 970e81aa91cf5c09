using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of "Indices and slices" in docs/derivatives.md.</summary>
public sealed class IndicesAndSlices
{
    [Test]
    public void TensorsAreIndexed()
    {
        var t = Tensor.Arange(DType.Float64, 12).Reshape(3, 4);
        var entry = t[0, 1];
        var rows = t[0..2];                    // in C# the end of a range is not taken
        var column = t[.., ^3];
        var total = (double)t[1.., 0].Sum();

        foreach (var row in t)
        {
            Console.WriteLine($"{row:f1}");
        }

        var (best, where) = t.Max(0).TopK(2);
        var product = Tensor.Einsum("ij,kj,kl->il", t, t, t);

        Assert.That((double)entry, Is.EqualTo(1));
        Assert.That(rows.ToArray(), Is.EqualTo(new double[] { 0, 1, 2, 3, 4, 5, 6, 7 }));
        Assert.That(column.ToArray(), Is.EqualTo(new double[] { 1, 5, 9 }));
        Assert.That(total, Is.EqualTo(12));
        Assert.That(best.ToArray(), Is.EqualTo(new double[] { 11, 10 }));
        Assert.That(where.ToArray(), Is.EqualTo(new double[] { 3, 2 }));
        Assert.That(product.Shape, Is.EqualTo(new[] { 3, 4 }));
    }
}
