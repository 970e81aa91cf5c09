using System.Xml.Linq;
using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/charts.md.</summary>
public sealed class ChartPages
{
    private static readonly LinearOperator Hessian =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(5), DType.Float64, 60, 60)).Gram();

    [Test]
    public void AnEigenvalueDensity()
    {
        var hessian = Hessian;
        var path = Path.GetTempFileName();

        var sample = hessian.StochasticLanczos(probes: 8, steps: 40);
        var density = sample.Density(Smoothing.Papyan);
        var low = density.Values.Zip(density.StandardErrors, (value, error) => value - error).ToArray();
        var high = density.Values.Zip(density.StandardErrors, (value, error) => value + error).ToArray();

        var chart = Chart.Create(
            "Eigenvalue density",
            Axis.Linear("eigenvalue λ"),
            Axis.Logarithmic("density per unit of λ").WithRange(1e-4, 1.0),
            Series.Band("± standard error", density.Grid, low, high).WithAccent(1),
            Series.Line("density", density.Grid, density.Values).WithAccent(1),
            Series.Rug("Ritz values", sample.Rules.SelectMany(rule => rule.Nodes).ToArray()));

        File.WriteAllText(path, chart.ToSvg());

        Assert.That(XDocument.Load(path).Root!.Name.LocalName, Is.EqualTo("svg"));
        File.Delete(path);
    }

    [Test]
    public void KindsOfSeriesAndAxes()
    {
        var traces = Chart.Create(
            "Traces",
            Axis.Linear("trace"),
            Axis.Categories(["first", "rest"], "layer"),
            Series.ErrorBars("", [3.1, 1.2], [0, 1], [2.8, 1.1], [3.4, 1.3]));

        double[] side = [-1, 0, 1];
        var losses = new double[,] { { 4, 3, 4 }, { 1, 0, 1 }, { 4, 3, 4 } };
        var valley = Chart.Create(
            "Valley", Axis.Linear("along v₁"), Axis.Linear("along v₂"), Series.Contours("loss", side, side, losses));

        var page = $"<style>{Chart.StyleSheet}</style>{traces.ToElement()}{valley.WithSize(420, 380).ToElement()}";

        Assert.That(XDocument.Parse($"<body>{page}</body>").Root!.Elements(), Has.Exactly(3).Items);
    }
}
