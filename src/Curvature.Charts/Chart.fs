namespace Curvature

open System
open System.Diagnostics

/// Series between two axes. Made by Chart.create.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Chart
    internal (title: string, x: Axis, y: Axis, series: Series list, size: struct (int * int), hasEqualScales: bool) =
    let struct (width, height) = size

    /// What the chart shows.
    member _.Title = title

    member internal _.X = x
    member internal _.Y = y
    member internal _.Series = series

    /// Its width in pixels, 720 unless another was set.
    member _.Width = width

    /// Its height in pixels, 380 unless another was set.
    member _.Height = height

    /// The same chart in another size. Raises ArgumentRangeException for less than 160 × 120 pixels.
    member _.WithSize(width: int, height: int) : Chart =
        if width < 160 || height < 120 then
            Fail.range $"WithSize: a chart has 160 × 120 pixels at least, and {width} × {height} were asked for"

        Chart(title, x, y, series, struct (width, height), hasEqualScales)

    /// Whether a unit has the same length along both axes.
    member _.HasEqualScales = hasEqualScales

    /// The same chart, where a unit has the same length along both axes, so that circles are round: the plot takes less
    /// of the width or of the height. Raises ArgumentRangeException where an axis is not linear.
    member _.WithEqualScales() : Chart =
        for axis in [ x; y ] do
            match axis.Kind with
            | Linear -> ()
            | _ -> Fail.range $"WithEqualScales: both axes must be linear, and \"{axis.Title}\" is not"

        Chart(title, x, y, series, size, true)

    override _.ToString() =
        let names = System.String.Join(", ", series |> List.map string)
        $"chart \"{title}\" of {width} × {height} pixels: {names}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Charts as SVG text, for a file or for a page. The numbers of a mark are shown under the pointer.
[<RequireQualifiedAccess>]
module Chart =

    /// Series between two axes, with a title. Series without numbers are left out of the drawing; a chart with none
    /// says so.
    let create (title: string) (x: Axis) (y: Axis) (series: Series seq) : Chart =
        Chart(title, x, y, List.ofSeq series, struct (720, 380), false)

    /// Whether the levels of contours need a key beside the plot.
    let private levels (chart: Chart) =
        chart.Series
        |> List.tryPick (fun series ->
            match series.Kind with
            | Contours(_, levels) when levels.Length > 0 -> Some(series.Name, levels)
            | _ -> None)

    let private isContour (series: Series) =
        match series.Kind with
        | Contours _ -> true
        | _ -> false

    let private hasNames (axis: Axis) =
        match axis.Kind with
        | Categories _ -> true
        | _ -> false

    let private isEmpty (chart: Chart) =
        chart.Series |> List.forall (fun series -> series.X.Length + series.Y.Length = 0)

    let private accents (series: Series list) =
        let next =
            series
            |> List.scan (fun used (one: Series) -> if one.Accent = 0 && not (isContour one) then used + 1 else used) 0

        List.map2
            (fun (one: Series) used -> if one.Accent > 0 then one.Accent else used % 8 + 1)
            series
            (List.truncate series.Length next)

    /// The numbers that an axis has to hold.
    let private alongX hasRows (series: Series) =
        match series.Bounds with
        | ValueSome(struct (low, high)) when hasRows -> Array.concat [ series.X; low; high ]
        | _ -> series.X

    let private alongY hasRows (series: Series) =
        match series.Kind, series.Bounds with
        | Rug, _ -> [||]
        | _, ValueSome(struct (low, high)) when not hasRows -> Array.concat [ series.Y; low; high ]
        | _ -> series.Y

    /// The plot within this one where a unit has the same length along both axes.
    let private withEqualScales (plot: Plot) : Plot =
        let units (scale: Scale) = 1.0 / (scale.Place 1.0 - scale.Place 0.0)
        let across, up = units plot.Horizontal, units plot.Vertical

        if across / plot.Width > up / plot.Height then
            { plot with Height = max 40.0 (up * plot.Width / across) }
        else
            { plot with Width = max 40.0 (across * plot.Height / up) }

    /// Where the plot is in the picture, and its scales.
    let private layOut (chart: Chart) (top: float) : struct (float * float * Plot) =
        let hasRows = hasNames chart.Y
        let room = if chart.Series |> List.exists isContour then 0.0 else 0.03
        let without scale = if isEmpty chart then { scale with Ticks = [||]; Minor = [||] } else scale
        let x = Scale.create chart.X room 8 (chart.Series |> Seq.collect (alongX hasRows)) |> without
        let y = Scale.create chart.Y (2.0 * room) 6 (chart.Series |> Seq.collect (alongY hasRows)) |> without
        let left = Frame.letter * Frame.longest y + (if hasRows then 20.0 else 42.0)
        let right, top = if (levels chart).IsSome then 84.0, max top 44.0 else 20.0, top

        let plot =
            {
                Width = max 40.0 (float chart.Width - left - right)
                Height = max 40.0 (float chart.Height - top - 52.0)
                Horizontal = x
                Vertical = y
                HasRows = hasRows
            }

        struct (left, top, (if chart.HasEqualScales then withEqualScales plot else plot))

    /// The plot with its marks: areas below the grid, everything else above.
    let private marks (chart: Chart) (colours: int list) left top (plot: Plot) =
        let drawn = List.map2 (Drawing.series plot chart.X.Title chart.Y.Title) colours chart.Series
        let areas, others = List.zip chart.Series drawn |> List.partition (fst >> isContour)
        // Areas cover the whole plot, and have a key.
        let grid = if areas.IsEmpty then Frame.grid plot else []
        let middle = [ "x", "50%"; "y", "50%"; "text-anchor", "middle" ]
        let nothing = if isEmpty chart then [ Svg.text "text" middle "no data" ] else []
        let place = [ "x", left; "y", top; "width", plot.Width; "height", plot.Height ]
        // A picture within the picture cuts off what is beyond the axes.
        Svg.element
            "svg"
            (("class", "plot") :: (place |> List.map (fun (name, value) -> name, Svg.length value)))
            (List.map snd areas @ grid @ List.map snd others @ nothing)

    let private draw (chart: Chart) (head: (string * string) list) (first: string list) =
        let width = float chart.Width
        let colours = accents chart.Series

        let named =
            List.zip colours chart.Series
            |> List.filter (fun (_, series) -> series.Name <> "" && not (isContour series))

        let names, top = Frame.legend width (if named.Length > 1 || (levels chart).IsSome then named else [])
        let struct (left, top, plot) = layOut chart top

        let size =
            [
                "class", "chart"
                "viewBox", $"0 0 {chart.Width} {chart.Height}"
                "width", string chart.Width
                "height", string chart.Height
                "role", "img"
                "aria-label", chart.Title
            ]

        Svg.element
            "svg"
            (head @ size)
            [
                yield! first
                Svg.text "text" [ "x", "14"; "y", "20"; "class", "heading" ] chart.Title
                yield! names
                marks chart colours left top plot
                yield! Frame.axes left top plot chart.X.Title chart.Y.Title
                match levels chart with
                | Some(name, levels) -> yield! Frame.key (width - 70.0) top plot.Height name levels
                | None -> ()
            ]

    /// The style rules of charts, which a page needs once, for a `style` element. Colours are custom properties such as
    /// `--chart-1`, for light and dark pages and for paper.
    let styleSheet: string = ChartStyle.sheet

    /// The chart as an `svg` element for a page that has the rules of `styleSheet`.
    let toElement (chart: Chart) : string = draw chart [] []

    /// The chart as an SVG document, for a file.
    let toSvg (chart: Chart) : string =
        let paper = Svg.element "rect" [ "class", "paper"; "width", "100%"; "height", "100%" ] []
        draw chart [ "xmlns", "http://www.w3.org/2000/svg" ] [ Svg.text "style" [] ChartStyle.sheet; paper ]

    /// Charts one below the other, as one SVG document.
    let stackedSvg (charts: Chart seq) : string =
        let charts = List.ofSeq charts
        let width = charts |> List.fold (fun most chart -> max most chart.Width) 0
        let tops = charts |> List.scan (fun top chart -> top + chart.Height) 0
        let paper = Svg.element "rect" [ "class", "paper"; "width", "100%"; "height", "100%" ] []

        let placed =
            List.map2 (fun top chart -> draw chart [ "y", string top ] []) (List.truncate charts.Length tops) charts

        let size =
            [
                "xmlns", "http://www.w3.org/2000/svg"
                "class", "chart"
                "viewBox", $"0 0 {width} {List.last tops}"
                "width", string width
                "height", string (List.last tops)
                "role", "img"
                "aria-label", String.Join(", ", charts |> List.map _.Title)
            ]

        Svg.element "svg" size (Svg.text "style" [] ChartStyle.sheet :: paper :: placed)
