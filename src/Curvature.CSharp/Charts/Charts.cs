namespace Curvature.CSharp;

/// <summary>Charts as SVG text, for a file or for a page. The numbers of a mark are shown under the pointer.</summary>
public static class Charts
{
    extension(Axis)
    {
        /// <inheritdoc cref="FSharp.Axis.linear"/>
        public static Axis Linear(string title) => FSharp.Axis.linear(title.NotNull());

        /// <inheritdoc cref="FSharp.Axis.logarithmic"/>
        public static Axis Logarithmic(string title) => FSharp.Axis.logarithmic(title.NotNull());

        /// <inheritdoc cref="FSharp.Axis.symmetricLogarithmic"/>
        public static Axis SymmetricLogarithmic(double threshold, string title) =>
            FSharp.Axis.symmetricLogarithmic(threshold, title.NotNull());

        /// <inheritdoc cref="FSharp.Axis.categories"/>
        public static Axis Categories(IEnumerable<string> names, string title) =>
            FSharp.Axis.categories(names.WithoutNull(), title.NotNull());
    }

    extension(Series)
    {
        /// <inheritdoc cref="FSharp.Series.line"/>
        public static Series Line(string name, double[] x, double[] y) =>
            FSharp.Series.line(name.NotNull(), x.NotNull(), y.NotNull());

        /// <inheritdoc cref="FSharp.Series.dashed"/>
        public static Series Dashed(string name, double[] x, double[] y) =>
            FSharp.Series.dashed(name.NotNull(), x.NotNull(), y.NotNull());

        /// <inheritdoc cref="FSharp.Series.band"/>
        public static Series Band(string name, double[] x, double[] low, double[] high) =>
            FSharp.Series.band(name.NotNull(), x.NotNull(), low.NotNull(), high.NotNull());

        /// <inheritdoc cref="FSharp.Series.points"/>
        public static Series Points(string name, double[] x, double[] y) =>
            FSharp.Series.points(name.NotNull(), x.NotNull(), y.NotNull());

        /// <inheritdoc cref="FSharp.Series.errorBars"/>
        public static Series ErrorBars(string name, double[] x, double[] y, double[] low, double[] high) =>
            FSharp.Series.errorBars(name.NotNull(), x.NotNull(), y.NotNull(), low.NotNull(), high.NotNull());

        /// <inheritdoc cref="FSharp.Series.rug"/>
        public static Series Rug(string name, double[] x) => FSharp.Series.rug(name.NotNull(), x.NotNull());

        /// <inheritdoc cref="FSharp.Series.horizontal"/>
        public static Series Horizontal(string name, double y) => FSharp.Series.horizontal(name.NotNull(), y);

        /// <inheritdoc cref="FSharp.Series.vertical"/>
        public static Series Vertical(string name, double x) => FSharp.Series.vertical(name.NotNull(), x);

        /// <summary>Lines and areas of equal z, for a row of numbers for each y and a column for each x, both
        /// ascending. The name says what z is, with its unit. Without levels, they are about eight nice
        /// numbers.</summary>
        /// <exception cref="ShapeException">The sizes do not fit, or are less than two.</exception>
        /// <exception cref="ArgumentRangeException">Places or levels do not ascend.</exception>
        public static Series Contours(string name, double[] x, double[] y, double[,] z, double[]? levels = null) =>
            levels is null
                ? FSharp.Series.contours(name.NotNull(), x.NotNull(), y.NotNull(), z.NotNull())
                : FSharp.Series.contoursAt(levels, name.NotNull(), x.NotNull(), y.NotNull(), z.NotNull());
    }

    extension(Chart)
    {
        /// <inheritdoc cref="FSharp.Chart.create"/>
        public static Chart Create(string title, Axis x, Axis y, params IEnumerable<Series> series) =>
            FSharp.Chart.create(title.NotNull(), x.NotNull(), y.NotNull(), series.WithoutNull());

        /// <inheritdoc cref="FSharp.Chart.stackedSvg"/>
        public static string StackedSvg(params IEnumerable<Chart> charts) =>
            FSharp.Chart.stackedSvg(charts.WithoutNull());

        /// <inheritdoc cref="FSharp.Chart.styleSheet"/>
        public static string StyleSheet => FSharp.Chart.styleSheet;
    }

    /// <inheritdoc cref="FSharp.Chart.toSvg"/>
    public static string ToSvg(this Chart chart) => FSharp.Chart.toSvg(chart.NotNull());

    /// <inheritdoc cref="FSharp.Chart.toElement"/>
    public static string ToElement(this Chart chart) => FSharp.Chart.toElement(chart.NotNull());
}
