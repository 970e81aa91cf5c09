using Curvature.CSharp;
using NUnit.Framework;
using static Curvature.CSharp.Differentiate;

namespace Curvature.Tests.Facade;

/// <summary>f(x) = (x·x)² at (1, 2, 3): everything about it is known.</summary>
public sealed class DifferentiateTests
{
    private static readonly Tensor X = Tensor.FromArray([1.0, 2.0, 3.0]);
    private static readonly Tensor V = Tensor.FromArray([1.0, 0.0, 0.0]);

    private static readonly double[] Hessian3 = [64, 16, 24, 16, 88, 48, 24, 48, 128];

    private static Tensor Quartic(Tensor x) => x.Dot(x).Square();

    /// <summary>(x₁x₂, x₂x₃, x₃x₁): divergence x₂ + x₃ + x₁, curl (−x₂, −x₃, −x₁).</summary>
    private static Tensor Field(Tensor x) =>
        Tensor.Stack(0, x.Item(0, 0) * x.Item(0, 1), x.Item(0, 1) * x.Item(0, 2), x.Item(0, 2) * x.Item(0, 0));

    [Test]
    public void TheGradientComesWithTheValueIfAsked()
    {
        var (value, gradient) = ValueAndGradient(Quartic, X);
        Assert.That(value.ToScalar(), Is.EqualTo(196));
        Assert.That(gradient.ToArray(), Is.EqualTo(new double[] { 56, 112, 168 }));
        Assert.That(Gradient(Quartic, X).ToArray(), Is.EqualTo(gradient.ToArray()));
    }

    [Test]
    public void TheHessianAndItsProductsAgree()
    {
        Assert.That(Differentiate.Hessian(Quartic, X).ToArray(), Is.EqualTo(Hessian3));
        Assert.That(ValueGradientAndHessian(Quartic, X).Hessian.ToArray(), Is.EqualTo(Hessian3));
        Assert.That(HessianVectorProduct(Quartic, X, V).ToArray(), Is.EqualTo(Hessian3[..3]));
        Assert.That(QuadraticForm(Quartic, X, V).ToScalar(), Is.EqualTo(64));
        Assert.That(ValueAndQuadraticForm(Quartic, X, V).Form.ToScalar(), Is.EqualTo(64));
        Assert.That(Laplacian(Quartic, X).ToScalar(), Is.EqualTo(280));
        Assert.That(ValueAndLaplacian(Quartic, X).Laplacian.ToScalar(), Is.EqualTo(280));
    }

    [Test]
    public void AHessianProductTellsTheValueAndTheSlopeToo()
    {
        var result = ValueAndHessianVectorProduct(Quartic, X, V);
        Assert.That(result.Value.ToScalar(), Is.EqualTo(196));
        Assert.That(result.DirectionalDerivative.ToScalar(), Is.EqualTo(56));
        Assert.That(result.Product.ToArray(), Is.EqualTo(Hessian3[..3]));
        Assert.That(DirectionalDerivative(Quartic, X, V).ToScalar(), Is.EqualTo(56));
        Assert.That(ValueAndDirectionalDerivative(Quartic, X, V).Derivative.ToScalar(), Is.EqualTo(56));
    }

    [Test]
    public void OneLinearizationServesManyVectors()
    {
        var gradient = LinearizeGradient(Quartic, X);
        var form = LinearizeQuadraticForm(Quartic, X);

        for (var i = 0; i < 3; i++)
        {
            var e = Tensor.Eye(DType.Float64, 3).Item(0, i);
            Assert.That(gradient.HessianVectorProduct(e).ToArray(), Is.EqualTo(Hessian3[(3 * i)..(3 * i + 3)]));
            Assert.That(form.Form(e).ToScalar(), Is.EqualTo(Hessian3[4 * i]));
        }

        Assert.That(gradient.Gradient.ToArray(), Is.EqualTo(Gradient(Quartic, X).ToArray()));
    }

    [Test]
    public void JacobiansGoForwardsAndBackwards()
    {
        var jacobian = ValueAndJacobian(Field, X);
        Assert.That(jacobian.Value.ToArray(), Is.EqualTo(new double[] { 2, 6, 3 }));
        Assert.That(jacobian.Jacobian.ToArray(), Is.EqualTo(new double[] { 2, 1, 0, 0, 3, 2, 3, 0, 1 }));
        Assert.That(Jacobian(Field, X).ToArray(), Is.EqualTo(jacobian.Jacobian.ToArray()));
        Assert.That(JacobianVectorProduct(Field, X, V).ToArray(), Is.EqualTo(new double[] { 2, 0, 3 }));
        Assert.That(VectorJacobianProduct(Field, X, V).ToArray(), Is.EqualTo(new double[] { 2, 1, 0 }));
        Assert.That(ValueAndJacobianVectorProduct(Field, X, V).Product.ToArray(), Is.EqualTo(new double[] { 2, 0, 3 }));
        Assert.That(ValueAndVectorJacobianProduct(Field, X, V).Product.ToArray(), Is.EqualTo(new double[] { 2, 1, 0 }));
    }

    [Test]
    public void AVectorFieldHasDivergenceAndCurl()
    {
        Assert.That(Divergence(Field, X).ToScalar(), Is.EqualTo(6));
        Assert.That(ValueAndDivergence(Field, X).Divergence.ToScalar(), Is.EqualTo(6));
        Assert.That(Curl(Field, X).ToArray(), Is.EqualTo(new double[] { -2, -3, -1 }));
        Assert.That(ValueAndCurl(Field, X).Curl.ToArray(), Is.EqualTo(new double[] { -2, -3, -1 }));
        Assert.That(ValueCurlAndDivergence(Field, X).Divergence.ToScalar(), Is.EqualTo(6));
    }

    [Test]
    public void ALinearizationIsAppliedAndTransposed()
    {
        var (value, derivative) = Linearize(Field, X);
        Assert.That(value.ToArray(), Is.EqualTo(Field(X).ToArray()));
        Assert.That(derivative.Apply(V).ToArray(), Is.EqualTo(new double[] { 2, 0, 3 }));
        Assert.That(derivative.Transpose().Apply(V).ToArray(), Is.EqualTo(new double[] { 2, 1, 0 }));
        Assert.That(Pullback(Field, X).Apply(V).ToArray(), Is.EqualTo(new double[] { 2, 1, 0 }));
    }

    [Test]
    public void DerivativesNest()
    {
        var x = Tensor.Scalar(DType.Float64, 0.5);
        Assert.That(Derivative(t => t.Exp(), x, 3).ToScalar(), Is.EqualTo(Math.Exp(0.5)).Within(1e-14));
        Assert.That(ValueAndDerivative(t => t.Sin(), x).Derivative.ToScalar(), Is.EqualTo(Math.Cos(0.5)).Within(1e-15));

        // d/dx [x · d/dy (x + y)] = 1: a tangent of one derivative does not leak into the other.
        var nested = Derivative(t => t * Derivative(y => t + y, x), x);
        Assert.That(nested.ToScalar(), Is.EqualTo(1));
    }

    [Test]
    public void AFunctionOfAVectorIsMappedOverAStack()
    {
        var stack = Tensor.Stack(0, X, 2.0 * X);
        Assert.That(VectorMap(Quartic, stack).ToArray(), Is.EqualTo(new double[] { 196, 196 * 16 }));
        Assert.That(
            VectorMap(x => Gradient(Quartic, x), stack).ToArray(),
            Is.EqualTo(new double[] { 56, 112, 168, 448, 896, 1344 }));
    }

    [Test]
    public void ALossThatIsNotAScalarIsRefusedByItsShape() =>
        Assert.That(() => Gradient(x => 2.0 * x, X), Throws.TypeOf<ShapeException>().With.Message.Contains("[3]"));

    [Test]
    public void AFunctionThatReturnsNullIsNamed() =>
        Assert.That(
            () => Gradient(_ => null!, X), Throws.TypeOf<ArgumentRangeException>().With.Message.StartsWith("f: "));

    [Test]
    public void AnErrorInTheFunctionReachesTheCallerAsItIs() =>
        Assert.That(() => Gradient(_ => throw new TimeoutException("too late"), X), Throws.TypeOf<TimeoutException>());
}
