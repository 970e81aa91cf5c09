using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of "Indices and slices" and "Linear algebra of small matrices" in docs/derivatives.md.</summary>
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

    [Test]
    public void SmallMatricesAreDecomposed()
    {
        var x = Tensor.FromArray([0.0, 1.0, 2.0, 3.0], 4, 1);
        var y = Tensor.FromArray([0.1, 0.9, 0.8, 0.2]);

        // ln p(y) of a Gaussian process with length scale eˢ, up to a constant.
        Tensor Evidence(Tensor s)
        {
            var k = (-0.5 * ((x - x.Transpose()) / s.Exp()).Square()).Exp() + 0.1 * Tensor.Eye(x.DType, 4);
            return -0.5 * y.Dot(k.Solve(y)) - 0.5 * k.LogDet();
        }

        var slope = Differentiate.Gradient(Evidence, Tensor.Scalar(DType.Float64, 0.0));
        var bend = Differentiate.Derivative(Evidence, Tensor.Scalar(DType.Float64, 0.0), order: 2);
        var (values, vectors) = x.MatMul(x.Transpose()).Eigh();

        const double Step = 1e-4;
        double At(double s) => Evidence(Tensor.Scalar(DType.Float64, s)).ToScalar();
        Assert.That(slope.ToScalar(), Is.EqualTo((At(Step) - At(-Step)) / (2 * Step)).Within(1e-7));
        Assert.That(bend.ToScalar(), Is.EqualTo((At(Step) - 2 * At(0) + At(-Step)) / (Step * Step)).Within(1e-6));
        Assert.That(values.ToArray(), Is.EqualTo(new double[] { 0, 0, 0, 14 }).Within(1e-13));
        Assert.That(vectors.Shape, Is.EqualTo(new[] { 4, 4 }));
    }
}
