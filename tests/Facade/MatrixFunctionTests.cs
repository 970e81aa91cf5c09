using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class MatrixFunctionTests
{
    /// <summary>Eigenvalues 1 … 20.</summary>
    private static readonly double[] Eigenvalues = Enumerable.Range(1, 20).Select(i => (double)i).ToArray();

    private static readonly LinearOperator Operator = LinearOperator.FromDiagonal(Tensor.FromArray(Eigenvalues));
    private static readonly Tensor Ones = Tensor.Ones(DType.Float64, 20);

    private static IEnumerable<TestCaseData> Functions =>
    [
        new(SpectralFunction.Exp, (Func<double, double>)Math.Exp),
        new(SpectralFunction.ExpOf(-0.5), (Func<double, double>)(x => Math.Exp(-0.5 * x))),
        new(SpectralFunction.Log, (Func<double, double>)Math.Log),
        new(SpectralFunction.Sqrt, (Func<double, double>)Math.Sqrt),
        new(SpectralFunction.InverseSqrt, (Func<double, double>)(x => 1 / Math.Sqrt(x))),
        new(SpectralFunction.Inverse, (Func<double, double>)(x => 1 / x)),
        new(SpectralFunction.Sign, (Func<double, double>)(x => Math.Sign(x))),
        new(SpectralFunction.OfFunction("cube", x => x * x * x), (Func<double, double>)(x => x * x * x)),
    ];

    [TestCaseSource(nameof(Functions))]
    public void AFunctionOfADiagonalIsThatOfItsElements(SpectralFunction f, Func<double, double> expected)
    {
        var product = Operator.ApplyFunction(f, Ones);
        Assert.That(product.IsConverged, product.ToString());
        Assert.That(f.Evaluate(2), Is.EqualTo(expected(2)).Within(1e-15));
        var values = Eigenvalues.Select(expected).ToArray();
        var largest = values.Max(Math.Abs);
        Assert.That(product.Value.ToArray(), Is.EqualTo(values).Within(1e-5 * largest));
        var applied = Operator.Function(f).Apply(Ones).ToArray();
        Assert.That(applied, Is.EqualTo(product.Value.ToArray()).Within(1e-12 * largest));
    }

    [Test]
    public void AChebyshevSeriesGivesTheSame()
    {
        var bounds = SpectrumBounds.Unknown.WithLow(1).WithHigh(20);
        var options = MatrixFunctionOptions.Default.WithTolerance(1e-9).WithBounds(bounds);
        var product = Operator.ApplyFunctionByChebyshev(SpectralFunction.Log, Ones, options);
        Assert.That(product.IsConverged && product.IsBound, product.ToString());
        Assert.That(product.Value.ToArray(), Is.EqualTo(Eigenvalues.Select(x => Math.Log(x))).Within(1e-8));
    }

    [Test]
    public void GradientsOfFunctionsOfOperators()
    {
        var theta = Tensor.FromArray([0.5, 1.0, 2.0]);
        Func<Tensor, Tensor, Tensor> product = (theta, v) => theta * v;
        Tensor LogDeterminant(Tensor theta) => DifferentiableFunction.LogDeterminant(3, product, theta);
        var gradient = Differentiate.Gradient(LogDeterminant, theta);
        Assert.That(gradient.ToArray(), Is.EqualTo(new[] { 2, 1, 0.5 }).Within(1e-12));

        var square = SpectralFunction.OfFunction("square", x => x * x).WithDerivative(x => 2 * x);
        var one = QuadratureOptions.Default.WithSamples(1);
        Tensor Trace(Tensor theta) => DifferentiableFunction.Trace(square, 3, product, theta, one);
        Assert.That(Trace(theta).ToScalar(), Is.EqualTo(5.25).Within(1e-12));
        var ofTrace = Differentiate.Gradient(Trace, theta);
        Assert.That(ofTrace.ToArray(), Is.EqualTo(new[] { 1.0, 2, 4 }).Within(1e-12));

        var u = Tensor.FromArray([1.0, 0, 1]);
        var v = Tensor.Ones(DType.Float64, 3);
        Tensor Form(Tensor theta) =>
            DifferentiableFunction.QuadraticForm(SpectralFunction.Inverse, u, v, product, theta);
        var ofForm = Differentiate.Gradient(Form, theta);
        Assert.That(ofForm.ToArray(), Is.EqualTo(new[] { -4, 0, -0.25 }).Within(1e-10));
    }

    [Test]
    public void SolversForEveryKindOfOperator()
    {
        var tight = SolverOptions.Default.WithTolerance(1e-12);
        var indefinite = LinearOperator.FromDiagonal(Tensor.FromArray([2.0, -1.0]));
        var b = Tensor.FromArray([2.0, 3.0]);
        var saddle = indefinite.Solve(b, Solver.Minres, tight);
        Assert.That(saddle.Value.ToArray(), Is.EqualTo(new[] { 1.0, -3 }).Within(1e-11));

        var turned = LinearOperator.FromMatrix(Tensor.FromArray(new[,] { { 0.0, 1.0 }, { -2.0, 0.0 } }));
        var any = turned.Solve(b, Solver.Gmres(), tight);
        Assert.That(any.Value.ToArray(), Is.EqualTo(new[] { -1.5, 2 }).Within(1e-11));

        var tall = LinearOperator.FromMatrix(Tensor.FromArray(new[,] { { 1.0 }, { 1.0 } }));
        foreach (var solver in new[] { Solver.Lsqr(), Solver.Lsmr() })
        {
            var solution = tall.Solve(b, solver, tight);
            Assert.That(solution.IsConverged, solution.ToString());
            Assert.That(solution.Value.ToArray(), Is.EqualTo(new[] { 2.5 }).Within(1e-11));
        }

        Assert.That(tall.Solve(b, Solver.Lsqr(1), tight).Value.ToArray(), Is.EqualTo(new[] { 5 / 3.0 }).Within(1e-11));
    }

    [Test]
    public void SingularTripletsOfAnOperatorOfAnyShape()
    {
        var matrix = Tensor.FromArray(new[,] { { 3.0, 0 }, { 0, 0 }, { 0, -2 } });
        var found = LinearOperator.FromMatrix(matrix).GolubKahan(2);
        Assert.That(found.AllConverged, found.ToString());
        Assert.That(found.Values, Is.EqualTo(new[] { 3.0, 2 }).Within(1e-12));
        Assert.That(found.Left.Shape, Is.EqualTo(new[] { 2, 3 }));
    }
}
