using System.Globalization;
using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

/// <summary>Indices, ranges, loops, conversions and formats, as C# writes them.</summary>
public sealed class TensorIndexingTests
{
    private static readonly Tensor Cube = Tensor.Arange(DType.Float64, 24).Reshape(2, 3, 4);

    private static void Holds(Tensor tensor, int[] shape, params double[] elements)
    {
        Assert.That(tensor.Shape, Is.EqualTo(shape));
        Assert.That(tensor.ToArray(), Is.EqualTo(elements));
    }

    [Test]
    public void IndicesCountFromEitherEnd()
    {
        Holds(Cube[0, 1], [4], 4, 5, 6, 7);
        Holds(Cube[1, 2, 3], [], 23);
        Holds(Cube[^1, ^1, ^4], [], 20);
        Holds(Cube[0][^1][1..3], [2], 9, 10);
        Assert.That(Cube[0].Shape, Is.EqualTo(new[] { 3, 4 }));
    }

    [Test]
    public void RangesEndBeforeTheirEnd()
    {
        var vector = Tensor.Arange(DType.Float32, 6);
        Holds(vector[1..4], [3], 1, 2, 3);
        Holds(vector[^2..], [2], 4, 5);
        Holds(vector[..^4], [2], 0, 1);
        Holds(vector[2..2], [0]);
        Holds(vector[..], [6], 0, 1, 2, 3, 4, 5);
        Holds(Cube[.., 1, 2..], [2, 2], 6, 7, 18, 19);
        Holds(Cube[1.., .., 0], [1, 3], 12, 16, 20);
    }

    [Test]
    public void SlicesAreDifferentiated()
    {
        var gradient = Differentiate.Gradient(x => (x[0, ^1] * x[.., 1]).Sum(), Tensor.FromArray([1, 2, 3, 4], 2, 2));
        Holds(gradient, [2, 2], 0, 8, 0, 2);
    }

    [Test]
    public void WhatLiesOutsideAnAxisIsNamed()
    {
        void Refuses(Action call, params string[] fragments)
        {
            var error = Assert.Throws<ArgumentRangeException>(call)!;
            foreach (var fragment in fragments)
            {
                Assert.That(error.Message, Does.Contain(fragment));
            }
        }

        Refuses(() => _ = Cube[2], "index 2", "axis 0", "length 2");
        Refuses(() => _ = Cube[0, ^4], "index ^4", "axis 1", "length 3");
        Refuses(() => _ = Cube[.., .., 1..5], "index 1", "before 5", "axis 2", "length 4");
        Refuses(() => _ = Cube[0, 2..1], "axis 1", "length 3");
        Assert.That(() => Cube[0, 0, 0, 0], Throws.TypeOf<ShapeException>().With.Message.Contains("4 indices"));
    }

    [Test]
    public void ALoopRunsOverTheFirstAxis()
    {
        var sums = new List<double>();
        foreach (var matrix in Cube)
        {
            sums.Add((double)matrix.Sum());
        }

        Assert.That(sums, Is.EqualTo(new double[] { 66, 210 }));
        Assert.That(() => Tensor.Scalar(DType.Float64, 1).Count(), Throws.TypeOf<ShapeException>());
    }

    [Test]
    public void OneElementConvertsToANumber()
    {
        var scalar = Tensor.Scalar(DType.Float64, 2.75);
        Assert.That((double)scalar, Is.EqualTo(2.75));
        Assert.That((float)scalar, Is.EqualTo(2.75f));
        Assert.That((int)scalar, Is.EqualTo(2));
        Assert.That(() => (double)Cube, Throws.TypeOf<ShapeException>());
        Assert.That(() => (double)(Tensor)null!, Throws.ArgumentNullException);
    }

    [Test]
    public void FormatsApplyToElements()
    {
        var loss = Tensor.Scalar(DType.Float64, 2.0 / 3);
        Assert.That($"{loss:f6}", Is.EqualTo("0.666667"));
        Assert.That(loss.ToString("g4", CultureInfo.GetCultureInfo("de-DE")), Is.EqualTo("0,6667"));
        Assert.That(
            Tensor.FromArray([0.5, 1.2]).ToString("f1", CultureInfo.InvariantCulture),
            Is.EqualTo("[0.5, 1.2]"));
        Assert.That($"{loss}", Is.EqualTo(loss.ToString(null, CultureInfo.InvariantCulture)));
    }
}
