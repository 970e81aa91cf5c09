using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

/// <summary>Linear algebra of small dense matrices.</summary>
public sealed class TensorDecompositionTests
{
    private static readonly Tensor Matrix = Tensor.FromArray([4, 2, 2, 3], 2, 2);

    private static void Holds(Tensor tensor, params double[] elements) =>
        Assert.That(tensor.ToArray(), Is.EqualTo(elements).Within(1e-14));

    [Test]
    public void SystemsAreSolved()
    {
        Holds(Matrix.Solve(Tensor.FromArray([8.0, 8.0])), 1, 2);
        Holds(Matrix.Inverse(), 0.375, -0.25, -0.25, 0.5);
        Assert.Throws<OperatorException>(() => Tensor.FromArray([1, 2, 2, 4], 2, 2).Inverse());
    }

    [Test]
    public void DeterminantsHaveSignsAndLogarithms()
    {
        Holds(Matrix.Det(), 8);
        Holds(Matrix.LogDet(), Math.Log(8));
        var (sign, logMagnitude) = Tensor.FromArray([0, 2, 1, 0], 2, 2).SLogDet();
        Holds(sign, -1);
        Holds(logMagnitude, Math.Log(2));
    }

    [Test]
    public void FactorsGiveTheMatrix()
    {
        Holds(Matrix.Cholesky(), 2, 0, 1, Math.Sqrt(2));
        var (values, vectors) = Matrix.Eigh();
        Holds((vectors * values).MatMul(vectors.Transpose()), 4, 2, 2, 3);
        Assert.That(values.ToArray(), Is.Ordered.Ascending);
        var rectangle = Tensor.FromArray([3, 0, 0, 4, 0, 0], 3, 2);
        var (u, s, v) = rectangle.Svd();
        Holds(s, 4, 3);
        Holds((u * s).MatMul(v.Transpose()), 3, 0, 0, 4, 0, 0);
        var (q, r) = rectangle.Qr();
        Holds(q, 1, 0, 0, 1, 0, 0);
        Holds(r, 3, 0, 0, 4);
    }
}
