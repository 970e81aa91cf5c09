using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class TensorTests
{
    private static readonly Key Key = Key.OfSeed(1);

    [Test]
    public void ArraysBecomeTensorsOfTheirElementType()
    {
        Assert.That(Tensor.FromArray([1, 2, 3, 4], 2, 2).Shape, Is.EqualTo(new[] { 2, 2 }));
        Assert.That(Tensor.FromArray([1, 2, 3, 4]).DType, Is.EqualTo(DType.Float64));
        Assert.That(Tensor.FromSingleArray([1f, 2f], 2).DType, Is.EqualTo(DType.Float32));
        Assert.That(Tensor.FromIndices([1, 2]).DType, Is.EqualTo(DType.Int32));
    }

    [Test]
    public void WithoutAShapeAnArrayIsAVector() =>
        Assert.That(Tensor.FromArray([5.0]).Shape, Is.EqualTo(new[] { 1 }));

    [Test]
    public void AMatrixKeepsItsRows()
    {
        var matrix = Tensor.FromArray(new[,] { { 1.0, 2.0, 3.0 }, { 4.0, 5.0, 6.0 } });
        Assert.That(matrix.Shape, Is.EqualTo(new[] { 2, 3 }));
        Assert.That(matrix.Item(0, 1).ToArray(), Is.EqualTo(new[] { 4.0, 5.0, 6.0 }));
    }

    [Test]
    public void ValuesThatDoNotFillTheShapeAreRefusedByNumber()
    {
        var error = Assert.Throws<ShapeException>(() => Tensor.FromArray([1.0, 2.0, 3.0], 2, 2))!;
        Assert.That(error.Message, Does.Contain("3 values").And.Contain("4"));
    }

    [Test]
    public void OperatorsTakeNumbersOnEitherSide()
    {
        var x = Tensor.FromArray([1.0, 2.0]);
        Assert.That((2.0 * x).ToArray(), Is.EqualTo(new[] { 2.0, 4.0 }));
        Assert.That((x * 2).ToArray(), Is.EqualTo(new[] { 2.0, 4.0 }));
        Assert.That((1 - x).ToArray(), Is.EqualTo(new[] { 0.0, -1.0 }));
        Assert.That((x / 2.0 + 1.0).ToArray(), Is.EqualTo(new[] { 1.5, 2.0 }));
        Assert.That((-x + x).ToArray(), Is.EqualTo(new[] { 0.0, 0.0 }));
    }

    [Test]
    public void CallsChain()
    {
        var x = Tensor.Ones(DType.Float64, 2, 3);
        var w = Tensor.Eye(DType.Float64, 3);
        Assert.That(x.MatMul(w).Tanh().Sum().ToScalar(), Is.EqualTo(6 * Math.Tanh(1)).Within(1e-14));
    }

    [Test]
    public void ElementwiseFunctionsAgreeWithMath()
    {
        var x = Tensor.FromArray([0.3, 0.7]);

        void Agrees(Func<Tensor, Tensor> f, Func<double, double> expected) =>
            Assert.That(f(x).ToArray(), Is.EqualTo(x.ToArray().Select(expected)).Within(1e-14));

        Agrees(t => t.Exp(), Math.Exp);
        Agrees(t => t.Log(), Math.Log);
        Agrees(t => t.Sqrt(), Math.Sqrt);
        Agrees(t => t.Sin(), Math.Sin);
        Agrees(t => t.Cos(), Math.Cos);
        Agrees(t => t.Pow(2.5), v => Math.Pow(v, 2.5));
        Agrees(t => t.Pow(t), v => Math.Pow(v, v));
        Agrees(t => t.Square(), v => v * v);
        Agrees(t => t.Sigmoid(), v => 1 / (1 + Math.Exp(-v)));
        Agrees(t => (t - 0.5).Relu(), v => Math.Max(v - 0.5, 0));
        Agrees(t => t.Erf().ErfInverse(), v => v);
    }

    [Test]
    public void ShapesChangeAsTheirNamesSay()
    {
        var x = Tensor.Arange(DType.Float64, 6).Reshape(2, -1);
        Assert.That(x.Transpose().ToArray(), Is.EqualTo(new double[] { 0, 3, 1, 4, 2, 5 }));
        Assert.That(x.Permute(1, 0).Shape, Is.EqualTo(new[] { 3, 2 }));
        Assert.That(x.Slice(1, 0, 2, 2).ToArray(), Is.EqualTo(new double[] { 0, 2, 3, 5 }));
        Assert.That(x.Split(-1, 1, 2)[1].ToArray(), Is.EqualTo(new double[] { 1, 2, 4, 5 }));
        Assert.That(Tensor.Concat(0, x, x).Shape, Is.EqualTo(new[] { 4, 3 }));
        Assert.That(Tensor.Stack(0, x, x).Shape, Is.EqualTo(new[] { 2, 2, 3 }));
        Assert.That(x.Take(1, Tensor.FromIndices([2, 0])).ToArray(), Is.EqualTo(new double[] { 2, 0, 5, 3 }));
    }

    [Test]
    public void AxesGrowByTheirElements()
    {
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);
        Assert.That(x.PadReflect(0, 2, 1).ToArray(), Is.EqualTo(new double[] { 3, 2, 1, 2, 3, 2 }));
        Assert.That(x.PadEdge(0, 2, 1).ToArray(), Is.EqualTo(new double[] { 1, 1, 1, 2, 3, 3 }));
        Assert.That(x.PadWrap(0, 2, 1).ToArray(), Is.EqualTo(new double[] { 2, 3, 1, 2, 3, 1 }));
    }

    [Test]
    public void ElementsAreGatheredAndAdded()
    {
        var x = Tensor.FromArray(new[,] { { 1.0, 2.0 }, { 3.0, 4.0 } });
        var index = Tensor.FromIndices([0, 0, 1, 0], 2, 2);
        Assert.That(x.GatherElements(1, index).ToArray(), Is.EqualTo(new double[] { 1, 1, 4, 3 }));
        Assert.That(
            x.ScatterAddElements(1, index, Tensor.OnesLike(x)).ToArray(), Is.EqualTo(new double[] { 3, 2, 4, 5 }));
    }

    [Test]
    public void ActivationsHaveTheDefaultsOfPyTorch()
    {
        var x = Tensor.FromArray([-1.0, 2.0]);
        Assert.That(x.LeakyRelu().ToArray(), Is.EqualTo(new[] { -0.01, 2 }));
        Assert.That(x.Prelu(Tensor.FromArray([0.5, 0.5])).ToArray(), Is.EqualTo(new[] { -0.5, 2 }));
        Assert.That(x.Elu().ToArray(), Is.EqualTo(new[] { Math.Exp(-1) - 1, 2 }).Within(1e-15));
        Assert.That(x.Selu().ToArray()[1], Is.EqualTo(2.1014).Within(1e-4));
        Assert.That(x.HardSigmoid().ToArray(), Is.EqualTo(new[] { 1.0 / 3, 5.0 / 6 }).Within(1e-15));
        Assert.That(x.HardSwish().ToArray(), Is.EqualTo(new[] { -1.0 / 3, 5.0 / 3 }).Within(1e-15));
        Assert.That(x.Mish().ToArray()[1], Is.EqualTo(1.94396).Within(1e-5));
        Assert.That(x.GeluTanh().ToArray()[1], Is.EqualTo(1.954598).Within(1e-6));
    }

    [Test]
    public void ReductionsRunOverAllElementsOrOverAxes()
    {
        var x = Tensor.FromArray([1, 2, 3, 4, 5, 6], 2, 3);
        Assert.That(x.Sum().ToScalar(), Is.EqualTo(21));
        Assert.That(x.Sum(0).ToArray(), Is.EqualTo(new double[] { 5, 7, 9 }));
        Assert.That(x.Mean(-1).ToArray(), Is.EqualTo(new double[] { 2, 5 }));
        Assert.That(x.Max().ToArray(), Is.EqualTo(new double[] { 3, 6 }));
        Assert.That(x.Softmax().Sum(1).ToArray(), Is.EqualTo(new double[] { 1, 1 }).Within(1e-15));
    }

    [Test]
    public void EinsumNamesTheSums()
    {
        var a = Tensor.Normal(Key, DType.Float64, 2, 3);
        var b = Tensor.Normal(Key.FoldIn(1), DType.Float64, 4, 3);
        Assert.That(
            Tensor.Einsum("ij,kj->ik", a, b).ToArray(),
            Is.EqualTo(a.MatMul(b.Transpose()).ToArray()).Within(1e-14));
    }

    [Test]
    public void LabelsBecomeRowsWithAOne() =>
        Assert.That(
            Tensor.FromIndices([2, 0]).OneHot(DType.Float32, 3).ToArray(),
            Is.EqualTo(new double[] { 0, 0, 1, 1, 0, 0 }));

    [Test]
    public void ALabelOutOfRangeIsNamed()
    {
        var error = Assert.Throws<DataException>(() => Tensor.FromIndices([0, 3]).OneHot(DType.Float32, 3))!;
        Assert.That(error.Message, Does.Contain("label 3").And.Contain("row 1"));
    }

    [Test]
    public void MixedElementTypesAreRefused() =>
        Assert.That(
            () => Tensor.Ones(DType.Float32, 2) + Tensor.Ones(DType.Float64, 2),
            Throws.TypeOf<DTypeException>().With.Message.Contains("Float32").And.Message.Contains("Float64"));

    [Test]
    public void TheSameKeyDrawsTheSameNumbers()
    {
        Assert.That(
            Tensor.Uniform(Key, DType.Float32, 5).ToArray(),
            Is.EqualTo(Tensor.Uniform(Key, DType.Float32, 5).ToArray()));
        Assert.That(Tensor.Rademacher(Key, DType.Float64, 50).Square().Sum().ToScalar(), Is.EqualTo(50));
    }

    [Test]
    public void ANullTensorInAListIsNamedByItsPlace() =>
        Assert.That(
            () => Tensor.Concat(0, Tensor.Ones(DType.Float64, 2), null!),
            Throws.ArgumentNullException.With.Message.Contains("item 1 of 2"));
}
