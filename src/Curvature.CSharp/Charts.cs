namespace Curvature.CSharp;

/// <summary>Charts as SVG: text that a browser shows, in a file of its own or within a page. What a mark stands for is shown under the
/// pointer.</summary>
public static class Charts
{
    extension(Axis)
    {
        /// <summary>Equal differences are equal lengths. The title says what is measured, with its unit.</summary>
        public static Axis Linear(string title) => FSharp.Axis.linear(title.NotNull());

        /// <summary>Equal ratios are equal lengths; what is not above 0 lies below the lower end.</summary>
        public static Axis Logarithmic(string title) => FSharp.Axis.logarithmic(title.NotNull());

        /// <summary>Linear up to about the threshold on both sides of 0, logarithmic beyond: sign(x)·log₁₀(1 + |x|/threshold). For eigenvalues,
        /// most of which are near 0 while a few are far.</summary>
        /// <exception cref="ArgumentRangeException">The threshold is not above 0.</exception>
        public static Axis SymmetricLogarithmic(double threshold, string title) =>
            FSharp.Axis.symmetricLogarithmic(threshold, title.NotNull());

        /// <summary>Places for names, numbered from 0: from the left, or from the top.</summary>
        public static Axis Categories(IEnumerable<string> names, string title) =>
            FSharp.Axis.categories(names.WithoutNull(), title.NotNull());
    }

    extension(Series)
    {
        /// <summary>A line through points (xᵢ, yᵢ). Points that are NaN are left out, and break a line.</summary>
        /// <exception cref="ShapeException">There are not as many x as y.</exception>
        public static Series Line(string name, double[] x, double[] y) =>
            FSharp.Series.line(name.NotNull(), x.NotNull(), y.NotNull());

        /// <summary>A dashed line, such as that of a model beside what is modelled.</summary>
        /// <exception cref="ShapeException">There are not as many x as y.</exception>
        public static Series Dashed(string name, double[] x, double[] y) =>
            FSharp.Series.dashed(name.NotNull(), x.NotNull(), y.NotNull());

        /// <summary>The area between two curves, such as a confidence band.</summary>
        /// <exception cref="ShapeException">There are not as many ends as x.</exception>
        public static Series Band(string name, double[] x, double[] low, double[] high) =>
            FSharp.Series.band(name.NotNull(), x.NotNull(), low.NotNull(), high.NotNull());

        /// <summary>Points.</summary>
        /// <exception cref="ShapeException">There are not as many x as y.</exception>
        public static Series Points(string name, double[] x, double[] y) =>
            FSharp.Series.points(name.NotNull(), x.NotNull(), y.NotNull());

        /// <summary>Points with bars from low to high: along y, or along x where the y axis has names.</summary>
        /// <exception cref="ShapeException">There are not as many numbers of each kind.</exception>
        public static Series ErrorBars(string name, double[] x, double[] y, double[] low, double[] high) =>
            FSharp.Series.errorBars(name.NotNull(), x.NotNull(), y.NotNull(), low.NotNull(), high.NotNull());

        /// <summary>Short marks along the x axis, one for each number.</summary>
        public static Series Rug(string name, double[] x) => FSharp.Series.rug(name.NotNull(), x.NotNull());

        /// <summary>A line across the chart at one y.</summary>
        public static Series Horizontal(string name, double y) => FSharp.Series.horizontal(name.NotNull(), y);

        /// <summary>A line up the chart at one x.</summary>
        public static Series Vertical(string name, double x) => FSharp.Series.vertical(name.NotNull(), x);

        /// <summary>Lines and areas of equal z, for a row of numbers for each y and a column for each x, both ascending. The name says what z is,
        /// with its unit.</summary>
        /// <param name="name">What z is.</param>
        /// <param name="x">A place for each column.</param>
        /// <param name="y">A place for each row.</param>
        /// <param name="z">The numbers.</param>
        /// <param name="levels">At which levels; without them, about eight nice numbers.</param>
        /// <exception cref="ShapeException">The sizes do not fit, or are less than two.</exception>
        /// <exception cref="ArgumentRangeException">Places or levels do not ascend.</exception>
        public static Series Contours(string name, double[] x, double[] y, double[,] z, double[]? levels = null) =>
            levels is null
                ? FSharp.Series.contours(name.NotNull(), x.NotNull(), y.NotNull(), z.NotNull())
                : FSharp.Series.contoursAt(levels, name.NotNull(), x.NotNull(), y.NotNull(), z.NotNull());
    }

    extension(Chart)
    {
        /// <summary>Series between two axes, with a title. A chart without numbers says so.</summary>
        public static Chart Create(string title, Axis x, Axis y, params IEnumerable<Series> series) =>
            FSharp.Chart.create(title.NotNull(), x.NotNull(), y.NotNull(), series.WithoutNull());

        /// <summary>Rules that charts within a page need once, for a <c>style</c> element. Colours are custom properties such as
        /// <c>--chart-1</c>, for light and dark pages and for paper.</summary>
        public static string StyleSheet => FSharp.Chart.styleSheet;
    }

    /// <summary>The chart as an SVG document of its own, for a file.</summary>
    public static string ToSvg(this Chart chart) => FSharp.Chart.toSvg(chart.NotNull());

    /// <summary>The chart as an <c>svg</c> element for a page that has the rules of <c>Chart.StyleSheet</c>.</summary>
    public static string ToElement(this Chart chart) => FSharp.Chart.toElement(chart.NotNull());
}
