using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/laws.md.</summary>
public sealed class Laws
{
    private static readonly LinearOperator Matrix =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(1), DType.Float64, 8, 8)).Gram();

    private static readonly Tensor Point = Tensor.Normal(Key.OfSeed(2), DType.Float64, 8);

    private static Tensor Value(Tensor x) => (x.Tanh() * x).Sum();

    [Test]
    public void AnEstimatorOfOnesOwn()
    {
        var hessian = Matrix;

        // The mean of four Rayleigh quotients of random directions, times the dimension.
        double Rayleigh(Key key)
        {
            var z = Tensor.Normal(key, DType.Float64, 4, 8);
            var forms = (z * hessian.Apply(z)).Sum(1);
            return (8 * (forms / (z * z).Sum(1)).Mean()).ToScalar();
        }

        var truth = hessian.ExactTrace().Value;
        var check = Law.Unbiased(truth, Rayleigh);
        Console.WriteLine(check);   // unbiased: holds (score … where 4.89 passes, 2000 samples, Key(0, 0)); …
        check.Require();            // raises where it does not hold: the way into any test framework

        Assert.That(Law.Unbiased(1.1 * truth, Rayleigh).Verdict, Is.EqualTo(LawVerdict.Violated));
    }

    [Test]
    public void AClaimedVariance()
    {
        var hessian = Matrix;

        var trace = hessian.ExactTrace().Value;
        var claimed = Probe.Rademacher.VarianceOfForm(hessian.ToDense());

        double Form(Key key)
        {
            var z = Tensor.Rademacher(key, DType.Float64, 8);
            return z.Dot(hessian.Apply(z)).ToScalar();
        }

        var options = LawOptions.Default.WithSamples(20_000).WithFalseAlarmRate(1e-9);
        Console.WriteLine(Law.Variance(trace, claimed, Form, options));

        Assert.That(Law.Variance(trace, claimed, Form, options).Holds, Is.True);
    }

    [Test]
    public void IntervalsAndAllLawsOfAnEstimator()
    {
        var hessian = Matrix;

        var truth = hessian.ExactTrace().Value;
        var signs = Estimators.Hutchinson(Measurement.Trace);
        var few = LawOptions.Default.WithSamples(500);
        foreach (var check in Law.Estimator(signs, StoppingRule.Matvecs(7), truth, hessian, few))
        {
            Console.WriteLine(check);
        }

        var checks = Law.Estimator(signs, StoppingRule.Matvecs(7), truth, hessian, few);
        Assert.That(checks.Select(check => check.Holds), Is.All.True);
    }

    [Test]
    public void Operators()
    {
        var theta = Point;
        Func<Tensor, Tensor> loss = Value;

        var mine = LinearOperator.FromFunction(
            DType.Float64, rows: 8, columns: 8, v => Differentiate.HessianVectorProduct(loss, theta, v));
        Law.Linear(mine).Require();
        Law.Symmetric(mine).Require();
        Law.FiniteDifferences(x => Differentiate.Gradient(loss, x), theta, mine).Require();
        Law.Same(mine, Hessian.At(loss, theta), tolerance: 1e-12).Require();
    }
}
