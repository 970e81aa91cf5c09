using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/functions.md.</summary>
public sealed class MatrixFunctionPages
{
    private static readonly Tensor Kernel = Gram(Tensor.Normal(Key.OfSeed(1), DType.Float64, 6, 6));
    private static readonly LinearOperator Operator = LinearOperator.FromMatrix(Kernel);
    private static readonly LinearOperator Damped = Operator.Damped(0.1);
    private static readonly LinearOperator Design =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(2), DType.Float64, 12, 4));
    private static readonly Tensor Vector = Tensor.Normal(Key.OfSeed(3), DType.Float64, 6);

    private static Tensor Gram(Tensor a)
    {
        var product = a.MatMul(a.Transpose());
        return 0.5 * (product + product.Transpose());
    }

    [Test]
    public void ProductsWithAFunctionOfAnOperator()
    {
        var (hessian, damped, vector) = (Operator, Damped, Vector);

        var root = damped.ApplyFunction(SpectralFunction.Sqrt, vector);
        Console.WriteLine(root);             // sqrt of … times 1 vector: relative error at most …
        var error = root.Errors[0];          // of the length of sqrt(A)v − value

        var flow = hessian.ApplyFunction(SpectralFunction.ExpOf(-0.5), vector);      // exp(−H/2)v
        var wave = hessian.ApplyFunction(SpectralFunction.OfFunction("cos", Math.Cos), vector);

        Assert.That(error, Is.LessThan(1e-6));
        Assert.That(flow.IsConverged && wave.IsConverged);
        var square = damped.ApplyFunction(SpectralFunction.Sqrt, root.Value).Value;
        Assert.That(square.ToArray(), Is.EqualTo(damped.Apply(vector).ToArray()).Within(1e-5));
    }

    [Test]
    public void HowWrongItIs()
    {
        var (damped, vector) = (Damped, Vector);

        var known = MatrixFunctionOptions.Default.WithBounds(SpectrumBounds.Unknown.WithLow(0.1));
        var logarithm = damped.ApplyFunction(SpectralFunction.Log, vector, known);
        Console.WriteLine($"{logarithm.IsBound}: {logarithm.RelativeErrors[0]}");

        Assert.That(logarithm.IsBound);
    }

    [Test]
    public void WithoutABasisAndAsAnOperator()
    {
        var (hessian, damped, vector) = (Operator, Damped, Vector);

        var many = Tensor.Normal(Key.OfSeed(8), DType.Float64, 4, 6);
        var roots = damped.ApplyFunctionToBlock(SpectralFunction.Sqrt, many);
        Console.WriteLine(roots);

        var series = hessian.ApplyFunctionByChebyshev(SpectralFunction.Exp, vector);

        var inverseRoot = damped.Function(SpectralFunction.InverseSqrt);
        var sample = inverseRoot.Apply(Tensor.Normal(Key.OfSeed(3), DType.Float64, damped.Columns));    // of N(0, A⁻¹)

        var expected = hessian.ApplyFunction(SpectralFunction.Exp, vector).Value.ToArray();
        Assert.That(series.Value.ToArray(), Is.EqualTo(expected).Within(1e-4 * expected.Max(Math.Abs)));
        Assert.That(sample.Shape, Is.EqualTo(new[] { 6 }));
    }

    [Test]
    public void TracesOfFunctions()
    {
        var hessian = Operator;

        var exponential = hessian.KrylovAwareTrace(SpectralFunction.Exp, steps: 4, matvecs: 60, Key.OfSeed(1));

        var stop = StoppingRule.RelativeError(0.05).OrElse(StoppingRule.Matvecs(200));
        var toAnError = hessian.Estimate(
            Estimators.KrylovAwareTrace(SpectralFunction.Exp, steps: 4), stop, Key.OfSeed(1));

        Assert.That(exponential.Value, Is.GreaterThan(6));
        Assert.That(toAnError.Value, Is.EqualTo(exponential.Value).Within(0.1 * exponential.Value));
    }

    [Test]
    public void Gradients()
    {
        var (kernel, targets) = (Kernel, Vector);
        var theta = Tensor.FromArray([0.2]);

        Tensor Product(Tensor theta, Tensor v) => kernel.MatMul(v) * theta.Item(0, 0).Exp() + 0.1 * v;
        var options = QuadratureOptions.Default.WithKey(Key.OfSeed(5)).WithSamples(16);

        Tensor Evidence(Tensor theta)
        {
            var logDeterminant = DifferentiableFunction.LogDeterminant(6, Product, theta, options);
            var fit = DifferentiableFunction.QuadraticForm(
                SpectralFunction.Inverse, targets, targets, Product, theta, options);
            return 0.5 * (logDeterminant + fit);
        }

        var slope = Differentiate.Gradient(Evidence, theta);

        Assert.That(double.IsFinite(slope.ToArray()[0]));
    }

    [Test]
    public void SystemsThatAreNotPositiveDefinite()
    {
        var (indefinite, design, b) = (Operator.Shift(-1.0), Design, Vector);
        var jacobian = LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(4), DType.Float64, 6, 6));
        var measured = Tensor.Normal(Key.OfSeed(5), DType.Float64, 12);

        var saddle = indefinite.Solve(b, Solver.Minres);                 // symmetric, of any signs
        var flowing = jacobian.Solve(b, Solver.Gmres(restart: 30));      // any square operator
        var fitted = design.Solve(measured, Solver.Lsqr());              // least squares, of any shape
        var ridge = design.Solve(measured, Solver.Lsmr(damping: 0.1));   // with damping

        var pseudoinverse = design.Inverse(Solver.Lsqr());

        foreach (var solution in new[] { saddle, flowing, fitted, ridge })
        {
            Assert.That(solution.IsConverged, solution.ToString());
        }

        Assert.That(
            pseudoinverse.Apply(measured).ToArray(), Is.EqualTo(fitted.Value.ToArray()).Within(1e-6));
    }

    [Test]
    public void SingularValues()
    {
        var design = Design;

        var triplets = design.GolubKahan(3);
        Console.WriteLine(triplets);
        var (u, v) = (triplets.Left, triplets.Right);    // rows
        var errors = triplets.Errors;                    // a singular value lies within that distance of each

        Assert.That(u.Shape.Concat(v.Shape), Is.EqualTo(new[] { 3, 12, 3, 4 }));
        Assert.That(errors.Max(), Is.LessThan(1e-12));
    }
}
