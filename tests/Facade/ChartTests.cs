using System.Xml.Linq;
using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class ChartTests
{
    private static readonly double[] X = [1, 2, 3];
    private static readonly double[] Y = [2, 4, 8];

    private static int Count(Chart chart, string kind) =>
        XDocument.Parse(chart.ToSvg()).Descendants().Where(
            e => e.Name.LocalName == "svg" && (string?)e.Attribute("class") == "plot")
            .Elements().Descendants().Count(e => ((string?)e.Attribute("class"))?.Split(' ').Contains(kind) == true);

    [Test]
    public void EverySeriesIsDrawn()
    {
        var chart = Chart.Create(
            "All",
            Axis.SymmetricLogarithmic(0.1, "x"),
            Axis.Logarithmic("y"),
            Series.Line("line", X, Y),
            Series.Dashed("dashed", X, Y),
            Series.Band("band", X, X, Y),
            Series.Points("points", X, Y),
            Series.ErrorBars("bars", X, Y, X, Y),
            Series.Rug("rug", X).WithNotes(["a", "b", "c"]),
            Series.Horizontal("across", 3),
            Series.Vertical("up", 2));
        Assert.That(Count(chart, "series"), Is.EqualTo(4));
        Assert.That(Count(chart, "dashed"), Is.EqualTo(3));
        Assert.That(Count(chart, "band"), Is.EqualTo(1));
        Assert.That(Count(chart, "point"), Is.EqualTo(6));
        Assert.That(Count(chart, "bar"), Is.EqualTo(3));
        Assert.That(Count(chart, "rug"), Is.EqualTo(3));
        Assert.That(chart.ToElement(), Does.Not.Contain("<style"));
    }

    [Test]
    public void ContoursHaveLevelsOfTheirOwnOrThoseAskedFor()
    {
        double[,] z = { { 0, 1, 2 }, { 1, 2, 3 }, { 2, 3, 4 } };
        Chart Plane(double[]? levels) =>
            Chart.Create("Plane", Axis.Linear("x"), Axis.Linear("y"), Series.Contours("z", X, Y, z, levels));
        Assert.That(Count(Plane(null), "iso"), Is.InRange(4, 9));
        Assert.That(Count(Plane([1, 3]), "iso"), Is.EqualTo(2));
    }

    [Test]
    public void WhatDoesNotFitIsRefused()
    {
        Assert.That(() => Series.Line("short", X, [1]), Throws.TypeOf<ShapeException>().With.Message.Contains("short"));
        Assert.That(() => Axis.Linear("x").WithRange(2, 1), Throws.TypeOf<ArgumentRangeException>());
        Assert.That(() => Chart.Create("", Axis.Linear(""), Axis.Linear(""), [null!]), Throws.ArgumentNullException);
    }
}
