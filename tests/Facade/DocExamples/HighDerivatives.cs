using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/jets.md.</summary>
public sealed class HighDerivatives
{
    private static readonly Tensor Point = Tensor.FromArray([0.5, -1.0, 0.2]);
    private static readonly Tensor Direction = Tensor.FromArray([1.0, 0.0, 2.0]);

    private static Tensor Pair(Tensor x) => Tensor.Stack(0, x.Sum().Sin(), x.Dot(x).Square());

    private static Tensor Bump(Tensor x) => (-0.5 * x.Dot(x)).Exp();

    [Test]
    public void AlongACurve()
    {
        Func<Tensor, Tensor> f = Pair;
        var (x, v) = (Point, Direction);

        var derivatives = TaylorMode.Jet(4, f, x, v);       // Df[v], D²f[v, v], D³f[v, v, v], D⁴f[v, v, v, v]
        var ofCurve = TaylorMode.ValueAndJet(2, f, x, v, x); // along x + t·v + t²/2·x
        var mixed = TaylorMode.MixedDerivative(f, x, v, x, v + x); // D³f[v, x, v + x]

        Assert.That(derivatives, Has.Count.EqualTo(4));
        var product = Differentiate.JacobianVectorProduct(f, x, v).ToArray();
        Assert.That(derivatives[0].ToArray(), Is.EqualTo(product).Within(1e-13));
        Assert.That(ofCurve.Value.ToArray(), Is.EqualTo(f(x).ToArray()).Within(1e-13));
        Assert.That(mixed.Shape, Is.EqualTo(new[] { 2 }));
    }

    [Test]
    public void SumsOverDirections()
    {
        Func<Tensor, Tensor> f = Pair;
        var x = Point;

        var ofBoth = Differentiate.Laplacian(f, x);          // of both values
        var sigma = Tensor.FromArray([1.0, 0.0, 0.5, 0.5, 0.0, 2.0], 3, 2);
        var generator = 0.5 * TaylorMode.WeightedLaplacian(sigma, f, x).Laplacian; // ½ Σ (σσᵀ)ᵢⱼ ∂ᵢ∂ⱼf
        var ofFourth = TaylorMode.Biharmonic(f, x);          // Σ ∂⁴f/∂xᵢ²∂xⱼ²

        var basis = Tensor.Eye(DType.Float64, 3);
        var thirds = TaylorMode.SumOfDerivatives(3, basis, f, x).Derivative; // Σ ∂³f/∂xᵢ³
        var signs = Tensor.FromArray([1.0, -1.0, -1.0]);
        var wave = TaylorMode.WeightedSumOfDerivatives(2, signs, basis, f, x).Derivative; // ∂₁² − ∂₂² − ∂₃²

        var points = Tensor.Normal(Key.OfSeed(1), DType.Float64, 100, 3);
        var atPoints = Compile.Function(p => Differentiate.VectorMap(y => Differentiate.Laplacian(f, y), p))(points);

        var sine = Math.Sin(x.Sum().ToScalar());
        Assert.That(ofBoth[0].ToScalar(), Is.EqualTo(-3.0 * sine).Within(1e-12));
        Assert.That(ofFourth[0].ToScalar(), Is.EqualTo(9.0 * sine).Within(1e-11));
        Assert.That(thirds[0].ToScalar(), Is.EqualTo(-3.0 * Math.Cos(x.Sum().ToScalar())).Within(1e-12));
        Assert.That(wave[0].ToScalar(), Is.EqualTo(sine).Within(1e-12));
        Assert.That(generator[0].ToScalar(), Is.EqualTo(-0.5 * (2.25 + 6.25) * sine).Within(1e-12));
        Assert.That(atPoints.Shape, Is.EqualTo(new[] { 100, 2 }));
    }

    [Test]
    public void InVeryManyDimensions()
    {
        Func<Tensor, Tensor> u = Bump;

        var n = 1000;
        var origin = Tensor.Full(DType.Float64, 0.01, n);

        var stop = StoppingRule.Matvecs(100);
        var ofMany = StochasticTaylor.Laplacian(u, origin, stop, Key.OfSeed(2));
        Console.WriteLine($"{ofMany.Value} ± {ofMany.StandardError}");

        // The residual Δu + u − u³ of an Allen–Cahn equation.
        Tensor Residual(Tensor v)
        {
            var (value, derivatives) = TaylorMode.ValueAndJet(2, u, origin, v);
            return derivatives[1] + value - value.Pow(3);
        }

        var ofEquation = StochasticTaylor.Estimate(2, origin, Residual, stop, Key.OfSeed(3));
        var ofBiharmonic = StochasticTaylor.Biharmonic(u, origin, stop, Key.OfSeed(4));

        var value = u(origin).ToScalar();
        var truth = (0.1 - n) * value;
        Assert.That(ofMany.Value, Is.EqualTo(truth).Within(5 * ofMany.StandardError));
        truth += value - value * value * value;
        Assert.That(ofEquation.Value, Is.EqualTo(truth).Within(5 * ofEquation.StandardError));
        truth = (0.01 - 2.0 * (n + 2) * 0.1 + (double)n * (n + 2)) * value;
        Assert.That(ofBiharmonic.Value, Is.EqualTo(truth).Within(5 * ofBiharmonic.StandardError));
    }
}
