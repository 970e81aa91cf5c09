using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/derivatives.md.</summary>
public sealed class Derivatives
{
    [Test]
    public void TensorsAreMadeAndComputedWith()
    {
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);
        var w = Tensor.Normal(Key.OfSeed(1), DType.Float64, 3, 2);
        var y = 0.5 * x.MatMul(w).Tanh().Sum() + 1.0;
        double number = y.ToScalar();

        Assert.That(number, Is.InRange(0, 2));
    }

    [Test]
    public void GradientsAndHessians()
    {
        Func<Tensor, Tensor> f = x => x.Dot(x).Square();
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);
        var v = Tensor.FromArray([1.0, 0.0, 0.0]);

        var gradient = Differentiate.Gradient(f, x);                // 56, 112, 168
        var product = Differentiate.HessianVectorProduct(f, x, v);  // H·v: 64, 16, 24
        var curvature = Differentiate.QuadraticForm(f, x, v);       // vᵀHv: 64
        var hessian = Differentiate.Hessian(f, x);                  // all of it, for small x

        Assert.That(gradient.ToArray(), Is.EqualTo(new double[] { 56, 112, 168 }));
        Assert.That(product.ToArray(), Is.EqualTo(new double[] { 64, 16, 24 }));
        Assert.That(curvature.ToScalar(), Is.EqualTo(64));
        Assert.That(hessian.Shape, Is.EqualTo(new[] { 3, 3 }));
    }

    [Test]
    public void ValuesComeAlong()
    {
        Func<Tensor, Tensor> f = x => x.Dot(x).Square();
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);

        var (value, gradient) = Differentiate.ValueAndGradient(f, x);

        Assert.That(value.ToScalar(), Is.EqualTo(196));
        Assert.That(gradient.ToArray(), Is.EqualTo(new double[] { 56, 112, 168 }));
    }

    [Test]
    public void DerivativesNest()
    {
        var third = Differentiate.Derivative(t => t.Exp(), Tensor.Scalar(DType.Float64, 0.0), order: 3);

        // The gradient of the trace of the Hessian: a third derivative along every axis.
        Func<Tensor, Tensor> f = x => x.Dot(x).Square();
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);
        var slope = Differentiate.Gradient(p => Differentiate.Laplacian(f, p), x);

        Assert.That(third.ToScalar(), Is.EqualTo(1));
        Assert.That(slope.ToArray(), Is.EqualTo(new double[] { 40, 80, 120 }).Within(1e-12));
    }

    [Test]
    public void FunctionsWithManyOutputs()
    {
        // A rotation of the plane that grows with the distance from the origin.
        Func<Tensor, Tensor> field = p => p.Dot(p) * Tensor.Stack(0, -p[1], p[0]);
        var p = Tensor.FromArray([1.0, 2.0]);

        var jacobian = Differentiate.Jacobian(field, p);        // [outputs, inputs]
        var divergence = Differentiate.Divergence(field, p);    // 0
        var forward = Differentiate.JacobianVectorProduct(field, p, Tensor.FromArray([1.0, 0.0]));
        var backward = Differentiate.VectorJacobianProduct(field, p, Tensor.FromArray([1.0, 0.0]));

        Assert.That(jacobian.ToArray(), Is.EqualTo(new double[] { -4, -13, 7, 4 }));
        Assert.That(divergence.ToScalar(), Is.Zero);
        Assert.That(forward.ToArray(), Is.EqualTo(new double[] { -4, 7 }));
        Assert.That(backward.ToArray(), Is.EqualTo(new double[] { -4, -13 }));
    }

    [Test]
    public void ManyVectorsAtOnePoint()
    {
        Func<Tensor, Tensor> f = x => x.Dot(x).Square();
        var x = Tensor.FromArray([1.0, 2.0, 3.0]);

        var here = Differentiate.LinearizeGradient(f, x);
        var first = here.HessianVectorProduct(Tensor.FromArray([1.0, 0.0, 0.0]));
        var second = here.HessianVectorProduct(Tensor.FromArray([0.0, 1.0, 0.0]));

        var points = Tensor.Normal(Key.OfSeed(1), DType.Float64, 100, 3);
        var gradients = Differentiate.VectorMap(p => Differentiate.Gradient(f, p), points);     // [100, 3]

        Assert.That(first.ToArray(), Is.EqualTo(new double[] { 64, 16, 24 }));
        Assert.That(second.ToArray(), Is.EqualTo(new double[] { 16, 88, 48 }));
        Assert.That(gradients.Shape, Is.EqualTo(new[] { 100, 3 }));
    }

    [Test]
    public void CompiledFunctions()
    {
        Func<Tensor, Tensor> f = x => x.Tanh().Square().Sum();
        var x = Tensor.FromArray([0.1, -0.4, 0.7]);

        var gradient = Compile.Function(p => Differentiate.Gradient(f, p));
        var here = gradient(x);
        var there = gradient(2.0 * x);

        Assert.That(here.ToArray(), Is.EqualTo(Differentiate.Gradient(f, x).ToArray()).Within(1e-15));
        Assert.That(there.ToArray(), Is.EqualTo(Differentiate.Gradient(f, 2.0 * x).ToArray()).Within(1e-15));
    }

    [Test]
    public void LessMemoryForMoreTime()
    {
        var weights = Tensor.Normal(Key.OfSeed(2), DType.Float64, 8, 3, 3);
        Tensor Step(Tensor w, Tensor x) => w.MatMul(x).Tanh();

        // Eight layers, of which each second input is kept.
        Tensor Deep(Tensor w)
        {
            var x = Tensor.FromArray([1.0, 2.0, 3.0]);
            for (var i = 6; i >= 0; i -= 2)
            {
                var layer = i;
                x = x.Checkpoint(y => Step(w[layer + 1], Step(w[layer], y)));
            }

            return x.Sum();
        }

        var deepSlope = Differentiate.Gradient(Deep, weights);
        var network = ResNet.CifarCheckpointed(20, 10);     // a checkpoint around each block

        Tensor Plain(Tensor w) =>
            Enumerable.Range(0, 8).Reverse()
                .Aggregate(Tensor.FromArray([1.0, 2.0, 3.0]), (x, i) => Step(w[i ^ 1], x)).Sum();

        Assert.That(
            deepSlope.ToArray(), Is.EqualTo(Differentiate.Gradient(Plain, weights).ToArray()).Within(1e-14));
        Assert.That(network.ParameterCount, Is.EqualTo(ResNet.ResNet20.ParameterCount));
    }

    [Test]
    public void Convolutions()
    {
        var images = Tensor.Normal(Key.OfSeed(1), DType.Float32, 8, 3, 32, 32);     // [N, channels, height, width]
        var filters = Tensor.Normal(Key.OfSeed(2), DType.Float32, 16, 3, 3, 3);     // [filters, channels, KH, KW]
        var maps = Nchw.Conv2d(images, filters, Sliding.Default.WithPadding(1)).Relu();
        var pooled = Nchw.MaxPool2d(maps, 2, 2, Sliding.Default.WithStride(2));
        var features = Nchw.GlobalAveragePool(pooled);

        Assert.That(maps.Shape, Is.EqualTo(new[] { 8, 16, 32, 32 }));
        Assert.That(pooled.Shape, Is.EqualTo(new[] { 8, 16, 16, 16 }));
        Assert.That(features.Shape, Is.EqualTo(new[] { 8, 16 }));

        var last = Nhwc.Conv2d(Nchw.ToNhwc(images), Nchw.FiltersToNhwc(filters), Sliding.Default.WithPadding(1));

        Assert.That(last.Shape, Is.EqualTo(new[] { 8, 32, 32, 16 }));

        var grown = Nchw.ConvTranspose2d(pooled, filters, Sliding.Default.WithStride(2));   // 33×33 pixels
        var resized = Nchw.ResizeLinear(pooled, 32, 32);
        var everyOther = Resize.Nearest(pooled, axes: [2, 3], lengths: [8, 8]);             // of any axes
        var mirrored = images.PadReflect(2, 1, 1).PadReflect(3, 1, 1);
        var activated = mirrored.Mish();

        Assert.That(grown.Shape, Is.EqualTo(new[] { 8, 3, 33, 33 }));
        Assert.That(resized.Shape, Is.EqualTo(new[] { 8, 16, 32, 32 }));
        Assert.That(everyOther.Shape, Is.EqualTo(new[] { 8, 16, 8, 8 }));
        Assert.That(activated.Shape, Is.EqualTo(new[] { 8, 3, 34, 34 }));
    }

    [Test]
    public void MistakesAreTypedErrors()
    {
        try
        {
            Differentiate.Gradient(x => 2.0 * x, Tensor.FromArray([1.0, 2.0]));
        }
        catch (CurvatureException error)
        {
            Console.WriteLine(error.Message);   // grad: the function must return a scalar, and it returned shape [2]
        }

        Assert.That(
            () => Differentiate.Gradient(x => 2.0 * x, Tensor.FromArray([1.0, 2.0])),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo(
                "grad: the function must return a scalar, and it returned shape [2]"));
    }
}
