using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

/// <summary>Functions of elements, statistics, order, and triangles.</summary>
public sealed class TensorStatisticsTests
{
    private static readonly Tensor Matrix = Tensor.FromArray([3, -1, 2, 0, 5, -4], 2, 3);

    private static void Holds(Tensor tensor, params double[] elements) =>
        Assert.That(tensor.ToArray(), Is.EqualTo(elements).Within(1e-14));

    [Test]
    public void FunctionsOfElementsAgreeWithMath()
    {
        double[] values = [0.3, -0.7];
        var x = Tensor.FromArray(values);

        void Agrees(Func<Tensor, Tensor> f, Func<double, double> expected) =>
            Holds(f(x), values.Select(expected).ToArray());

        Agrees(t => t.Tan(), Math.Tan);
        Agrees(t => t.Sinh(), Math.Sinh);
        Agrees(t => t.Cosh(), Math.Cosh);
        Agrees(t => t.Asin(), Math.Asin);
        Agrees(t => t.Acos(), Math.Acos);
        Agrees(t => t.Atan(), Math.Atan);
        Agrees(t => t.Atan2(t * t), v => Math.Atan2(v, v * v));
        Agrees(t => t.Ceil(), Math.Ceiling);
        Agrees(t => t.Round(), Math.Round);
        Agrees(t => t.Clip(-0.5, 0.2), v => Math.Clamp(v, -0.5, 0.2));
    }

    [Test]
    public void NumbersThatAreNotFiniteAreFound()
    {
        var x = Tensor.FromArray([1, double.NaN, double.NegativeInfinity]);
        Holds(x.IsNaN(), 0, 1, 0);
        Holds(x.IsFinite(), 1, 0, 0);
    }

    [Test]
    public void NumbersMayStandBesideTensors()
    {
        Holds(Matrix.Maximum(0), 3, 0, 2, 0, 5, 0);
        Holds(Matrix.Minimum(0), 0, -1, 0, 0, 0, -4);
        Holds(Matrix.Greater(0), 1, 0, 1, 0, 1, 0);
        Holds(Matrix.GreaterOrEqual(0), 1, 0, 1, 1, 1, 0);
        Holds(Matrix.Equal(0), 0, 0, 0, 1, 0, 0);
        Holds(Tensor.Where(Matrix.Greater(0), Matrix, 9), 3, 9, 2, 9, 5, 9);
        Holds(Tensor.Where(Matrix.Greater(0), 1, Matrix), 1, -1, 1, 0, 1, -4);
        Holds(Tensor.Where(Matrix.Greater(0), 1, 2), 1, 2, 1, 2, 1, 2);
        Holds(Tensor.Where(Matrix.Greater(0), Matrix, -Matrix), 3, 1, 2, 0, 5, 4);
        Holds(Tensor.Maximum(1, Matrix), 3, 1, 2, 1, 5, 1);
        Holds(Matrix.Maximum(-Matrix), 3, 1, 2, 0, 5, 4);
    }

    [Test]
    public void StatisticsRunOverAllElementsOrOverAxes()
    {
        Holds(Matrix.Var(), 305.0 / 36);
        Holds(Matrix.Var([1]), 26.0 / 9, 122.0 / 9);
        Holds(Matrix.Var([1], correction: 1), 13.0 / 3, 61.0 / 3);
        Holds(Matrix.Std([0]), 1.5, 3, 3);
        Holds(Matrix.Std().Square(), Matrix.Var().ToArray());
        Holds(Matrix.Prod(), 0);
        Holds(Matrix.Prod(0), 0, -5, -8);
        Holds(Matrix.Any(), 1);
        Holds(Matrix.All(), 0);
        Holds(Matrix.Any(1), 1, 1);
        Holds(Matrix.All(1), 1, 0);
        Holds(Matrix.Median(), 1);
        Holds(Matrix.Median(1), 2, 0);
        Holds(Matrix.Max(0), 3, 5, 2);
        Holds(Matrix.Max(0, 1), 5);
        Holds(Matrix.Min(), -1, -4);
        Holds(Matrix.Min(0), 0, -1, -4);
        Holds(Matrix.ArgMin(), 1, 2);
    }

    [Test]
    public void AxesAreSorted()
    {
        Holds(Matrix.Sort(), -1, 2, 3, -4, 0, 5);
        Holds(Matrix.Sort(0), 0, -1, -4, 3, 5, 2);
        Holds(Matrix.ArgSort(), 1, 2, 0, 2, 0, 1);
        var top = Matrix.TopK(2);
        Holds(top.Values, 3, 2, 5, 0);
        Holds(top.Positions, 0, 2, 1, 0);
        Assert.That(() => Matrix.TopK(4), Throws.TypeOf<ArgumentRangeException>().With.Message.Contains("count"));
    }

    [Test]
    public void MatricesHaveDiagonalsAndTriangles()
    {
        Holds(Matrix.Diagonal(), 3, 5);
        Holds(Matrix.Trace(), 8);
        Holds(Tensor.FromArray([1.0, 2.0]).Diag(), 1, 0, 0, 2);
        Holds(Matrix.Tril(), 3, 0, 0, 0, 5, 0);
        Holds(Matrix.Triu(1), 0, -1, 2, 0, 0, -4);
    }

    [Test]
    public void EinsumTakesAnyNumberOfTensors()
    {
        var t = Matrix.Transpose();
        Holds(Tensor.Einsum("ij,jk,kl->il", Matrix, t, Matrix), Matrix.MatMul(t).MatMul(Matrix).ToArray());
        Holds(Tensor.Einsum("ij->j", Matrix), 3, 4, -2);
    }

    [Test]
    public void LinspaceHasAnElementType() =>
        Assert.That(Tensor.Linspace(DType.Float32, 0, 1, 3).DType, Is.EqualTo(DType.Float32));
}
