using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Curvature.CSharp;
using Curvature.Tests.Facade.Surface;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

/// <summary>What results print, and the numbers of small operators that a dense decomposition finds.</summary>
public sealed class ResultTextTests
{
    private static readonly LinearOperator Diagonal = LinearOperator.FromDiagonal(Tensor.FromArray([1.0, 2.0, 4.0]));

    /// <summary>Results of the facade, each as it is approved.</summary>
    private static IEnumerable<(object Result, string Text)> FacadeResults()
    {
        var x = Tensor.Scalar(DType.Float64, 3.0);
        static Tensor Square(Tensor t) => t * t;
        yield return (
            Differentiate.ValueAndGradient(Square, x),
            "ValueAndGradient { Value = tensor(9, float64), Gradient = tensor(6, float64) }");
        yield return (Differentiate.Pullback(Square, x), "Pullback { Value = tensor(9, float64) }");
    }

    [Test]
    public void ResultsOfTheFacadePrintAsApproved()
    {
        foreach (var (result, text) in FacadeResults())
        {
            Assert.That(result.ToString(), Is.EqualTo(text));
        }
    }

    [Test]
    public void RecordsOfTheFacadeShowTheirTextInDebuggersAndNoFunction()
    {
        var records = Library.FacadeTypes.Where(type => type.GetMethod("<Clone>$") is not null).ToArray();
        Assert.That(records, Has.Length.GreaterThan(15));
        foreach (var type in records)
        {
            Assert.That(type.IsDefined(typeof(DebuggerDisplayAttribute)), type.Name);
            var withFunction = type.GetProperties().Select(p => p.PropertyType).Any(t =>
                typeof(Delegate).IsAssignableFrom(t) || t.Name.StartsWith("IReadOnlyList", StringComparison.Ordinal));
            var print = type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance)!;
            var isGenerated =
                print.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute));
            Assert.That(withFunction && isGenerated, Is.False, $"{type.Name} prints a type's name");
        }
    }

    [Test]
    public void AnEstimateIsWrittenToItsErrorAndInAnyFormat()
    {
        var trace = Diagonal.ExactTrace();
        Assert.That($"{trace}", Does.StartWith("7 ± "));
        Assert.That($"{trace:F2}", Is.EqualTo("7.00 ± 0.00"));
        Assert.That(trace.ToString("F1", CultureInfo.GetCultureInfo("de-DE")), Is.EqualTo("7,0 ± 0,0"));
        Assert.That(Numbers.WithError(12.4837, 1.3123), Is.EqualTo("12.5 ± 1.3"));
        Assert.That(Numbers.Typeset(Numbers.Show(-3.61886e-5)), Is.EqualTo("−3.61886×10⁻⁵"));
        Assert.That(Numbers.Within(12.4837, Math.Sqrt(2)), Is.EqualTo("12.5"));
        Assert.That(Numbers.Error(0.01234), Is.EqualTo("0.012"));
    }

    [Test]
    public void SmallOperatorsAreDecomposed()
    {
        Assert.That(Diagonal.ExactEigenvalues().Value.ToArray(), Is.EqualTo(new[] { 1.0, 2.0, 4.0 }).Within(1e-14));
        Assert.That(Diagonal.ExactLogDeterminant().Value, Is.EqualTo(Math.Log(8)).Within(1e-14));
        Assert.That(Diagonal.ExactConditionNumber().Value, Is.EqualTo(4.0).Within(1e-14));
        Assert.That(ExactValues.LargestDense, Is.GreaterThan(1000));
        var sample = Diagonal.AutomaticSpectrum();
        Assert.That(sample.Ledger.IsExact);
        Assert.That(sample.LogDeterminant().Value, Is.EqualTo(Math.Log(8)).Within(1e-13));
        Assert.That(Diagonal.ExactSpectrum().Largest, Is.EqualTo(4.0).Within(1e-14));
    }

    [Test]
    public void RanksNeedNotBeWhole()
    {
        var sample = Diagonal.ExactSpectrum();
        var entropy = new[] { 1.0, 2.0, 4.0 }.Sum(x => -x / 7 * Math.Log(x / 7));
        Assert.That(sample.EffectiveRank().Value, Is.EqualTo(Math.Exp(entropy)).Within(1e-12));
        Assert.That(sample.NormalisedEffectiveRank().Value, Is.EqualTo(Math.Exp(entropy) / 3).Within(1e-12));
        var stable = Diagonal.StableRank(StoppingRule.Matvecs(10));
        Assert.That(stable.Value, Is.EqualTo(21.0 / 16.0).Within(1e-9));
        Assert.That(stable.Interval(0.95).Low, Is.LessThanOrEqualTo(stable.Value));
    }

    [Test]
    public void SmallestEigenvaluesComeFromTheInverse()
    {
        var pairs = Diagonal.ShiftInvert(2, shift: 0.5);
        Assert.That(pairs.Values, Is.EqualTo(new[] { 1.0, 2.0 }).Within(1e-7));
        var indefinite = LinearOperator.FromDiagonal(Tensor.FromArray([-1.0, 2.0]));
        Assert.That(() => indefinite.ShiftInvert(1), Throws.InstanceOf<OperatorException>());
    }

    [Test]
    public void ChartsMayHaveEqualScales()
    {
        var line = Series.Line("circle", [0.0, 1.0], [0.0, 2.0]);
        var chart = Chart.Create("Circle", Axis.Linear("x"), Axis.Linear("y"), [line]);
        Assert.That(chart.WithEqualScales().HasEqualScales);
        var logarithmic = Chart.Create("Circle", Axis.Linear("x"), Axis.Logarithmic("y"), [line]);
        Assert.That(() => logarithmic.WithEqualScales(), Throws.InstanceOf<Curvature.ArgumentRangeException>());
    }
}
