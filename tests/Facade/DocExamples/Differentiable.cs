using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/differentiable.md.</summary>
public sealed class Differentiable
{
    private static readonly Key Key = Key.OfSeed(9);
    private static readonly Tensor Theta = Tensor.Normal(Key.OfSeed(1), DType.Float64, 4);
    private static readonly Tensor Inputs = Tensor.Normal(Key.OfSeed(2), DType.Float64, 10, 4);

    private static Tensor Model(Tensor theta) => Inputs.MatMul(theta).Tanh();

    private static Tensor SquaredLoss(Tensor theta) => Model(theta).Square().Sum();

    [Test]
    public void TrainingWithAPenaltyOnTheTrace()
    {
        var theta = Theta;
        Func<Tensor, Tensor> loss = SquaredLoss;

        Func<Tensor, Tensor> Objective(Key key) =>
            theta => loss(theta) + 0.01 * Stochastic.Laplacian(loss, theta, key: key);
        var gradient = Differentiate.Gradient(Objective(Key.OfSeed(1)), theta);

        Check(Objective(Key.OfSeed(1)), gradient);
    }

    [Test]
    public void DiagonalsAndLinearFunctionsOfOnesOwn()
    {
        var theta = Theta;
        var key = Key;
        Func<Tensor, Tensor> model = Model;
        Func<Tensor, Tensor> loss = SquaredLoss;

        var diagonal = Stochastic.HessianDiagonal(loss, theta, samples: 8, key);

        Tensor GaussNewtonProduct(Tensor theta, Tensor v) =>
            Differentiate.VectorJacobianProduct(
                model, theta, 2.0 * Differentiate.JacobianVectorProduct(model, theta, v));
        Tensor Trace(Tensor theta) => Stochastic.Trace(v => GaussNewtonProduct(theta, v), theta, samples: 8, key);
        var ofTrace = Differentiate.Gradient(Trace, theta);

        Check(Trace, ofTrace);
        var laplacian = Stochastic.Laplacian(loss, theta, 8, key);
        Assert.That(diagonal.Sum().ToScalar(), Is.EqualTo(laplacian.ToScalar()).Within(1e-10));
        var own = Stochastic.Diagonal(v => Differentiate.HessianVectorProduct(loss, theta, v), theta, 8, key);
        Assert.That(own.ToArray(), Is.EqualTo(diagonal.ToArray()).Within(1e-10));
    }

    [Test]
    public void ContinuousNormalizingFlows()
    {
        var theta = Theta;
        var key = Key;
        var points = Tensor.Normal(Key.OfSeed(3), DType.Float64, 5, 2);

        Func<Tensor, Tensor> Field(Tensor theta) => point => theta.Reshape(2, 2).MatMul(point).Tanh();
        var (velocity, divergence) = Stochastic.ValueAndDivergenceAtPoints(Field(theta), points, key: key);

        Assert.That(velocity.Shape, Is.EqualTo(new[] { 5, 2 }));
        Assert.That(divergence.Shape, Is.EqualTo(new[] { 5 }));
        var first = Stochastic.Divergence(Field(theta), points.Item(0, 0), samples: 100);
        var exact = Divergence.Exact(Field(theta), points.Item(0, 0));
        Assert.That(first.ToScalar(), Is.EqualTo(exact.Value).Within(1));
    }

    /// <summary>The same function with the same key: its difference along the gradient.</summary>
    private static void Check(Func<Tensor, Tensor> f, Tensor gradient)
    {
        const double H = 1e-5;
        var difference = (f(Theta + H * gradient) - f(Theta - H * gradient)).ToScalar() / (2 * H);
        Assert.That(difference, Is.EqualTo(gradient.Dot(gradient).ToScalar()).Within(1e-4).Percent);
    }
}
