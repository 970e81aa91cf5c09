namespace Curvature.FSharp

open System
open Curvature

/// The rectangle between the axes of a chart, and how numbers become points in it.
[<NoEquality; NoComparison>]
type internal Plot =
    {
        Width: float
        Height: float
        Horizontal: Scale
        Vertical: Scale
        /// Whether the y axis has names.
        HasRows: bool
    }

    member plot.X(x: float) = plot.Width * plot.Horizontal.Place x

    /// The first row is at the top, while numbers grow upwards.
    member plot.Y(y: float) =
        let share = plot.Vertical.Place y
        plot.Height * (if plot.HasRows then share else 1.0 - share)

    member plot.Point(x: float, y: float) = struct (plot.X x, plot.Y y)

/// The marks of each kind of series.
module internal Drawing =

    /// The most marks that react to the pointer: more would make a page slow.
    let private mostHits = 120

    let private isPoint (series: Series) i = not (Double.IsNaN series.X[i] || Double.IsNaN series.Y[i])

    /// Consecutive indices at which something can be drawn.
    let private stretches count (isGood: int -> bool) : int[] list =
        let close (stretch: int list) done' =
            if stretch.IsEmpty then done' else List.toArray (List.rev stretch) :: done'

        let rec go i stretch finished =
            if i = count then List.rev (close stretch finished)
            elif isGood i then go (i + 1) (i :: stretch) finished
            else go (i + 1) [] (close stretch finished)

        go 0 [] []

    let private label (series: Series) = if series.Name = "" then "" else series.Name + "\n"

    let private note (xTitle: string) (yTitle: string) (series: Series) i =
        if series.Notes.Length > 0 then
            series.Notes[i]
        else
            let ends =
                match series.Bounds with
                | ValueSome(struct (low, high)) when not (Double.IsNaN low[i] || Double.IsNaN high[i]) ->
                    $" ({Labels.short low[i]} … {Labels.short high[i]})"
                | _ -> ""

            $"{label series}{xTitle}: {Labels.short series.X[i]}\n{yTitle}: {Labels.short series.Y[i]}{ends}"

    let private circle kind radius struct (x, y) children =
        Svg.element "circle" [ "class", kind; "cx", Svg.length x; "cy", Svg.length y; "r", Svg.length radius ] children

    let private segment kind struct (x1, y1) struct (x2, y2) children =
        let at = [ "x1", x1; "y1", y1; "x2", x2; "y2", y2 ] |> List.map (fun (name, value) -> name, Svg.length value)
        Svg.element "line" (("class", kind) :: at) children

    let private line (plot: Plot) dashed say (series: Series) =
        let pieces =
            stretches series.X.Length (isPoint series)
            |> List.map (Array.map (fun i -> plot.Point(series.X[i], series.Y[i])))

        let kind = if dashed then "series dashed" else "series"
        let good = [ 0 .. series.X.Length - 1 ] |> List.filter (isPoint series)
        let stride = max 1 ((good.Length + mostHits - 1) / mostHits)

        [
            if not good.IsEmpty then
                Svg.element
                    "path"
                    [ "class", kind; "d", Svg.path pieces false ]
                    [ if series.Name <> "" then Svg.hover series.Name ]

                for place, i in List.indexed good do
                    if place % stride = 0 then
                        circle "hit" 4.0 (plot.Point(series.X[i], series.Y[i])) [ Svg.hover (say series i) ]
        ]

    let private band (plot: Plot) (low: float[]) (high: float[]) (series: Series) =
        let isGood i = not (Double.IsNaN series.X[i] || Double.IsNaN low[i] || Double.IsNaN high[i])

        let outline indices =
            let along (ends: float[]) = indices |> Array.map (fun i -> plot.Point(series.X[i], ends[i]))
            Array.append (along low) (Array.rev (along high))

        match stretches series.X.Length isGood with
        | [] -> []
        | pieces ->
            let d = Svg.path (pieces |> List.map outline) true

            [
                Svg.element "path" [ "class", "band"; "d", d ] [ if series.Name <> "" then Svg.hover series.Name ]
            ]

    let private errorBar (plot: Plot) (series: Series) i =
        match series.Bounds with
        | ValueSome(struct (low, high)) when not (Double.IsNaN low[i] || Double.IsNaN high[i]) ->
            if plot.HasRows then
                [ segment "bar" (plot.Point(low[i], series.Y[i])) (plot.Point(high[i], series.Y[i])) [] ]
            else
                [ segment "bar" (plot.Point(series.X[i], low[i])) (plot.Point(series.X[i], high[i])) [] ]
        | _ -> []

    let private points (plot: Plot) say (series: Series) =
        [
            for i in 0 .. series.X.Length - 1 do
                if isPoint series i then
                    let point = circle "point" 3.6 (plot.Point(series.X[i], series.Y[i])) []
                    Svg.element "g" [] (Svg.hover (say series i) :: errorBar plot series i @ [ point ])
        ]

    let private rug (plot: Plot) xTitle (series: Series) =
        [
            for i in 0 .. series.X.Length - 1 do
                if not (Double.IsNaN series.X[i]) then
                    let x = plot.X series.X[i]

                    let text =
                        if series.Notes.Length > 0 then
                            series.Notes[i]
                        else
                            $"{label series}{xTitle}: {Labels.short series.X[i]}"

                    segment "rug" (struct (x, plot.Height)) (struct (x, plot.Height - 12.0)) [ Svg.hover text ]
        ]

    let private across (series: Series) title value from until =
        if Double.IsNaN value then
            []
        else
            [ segment "series dashed" from until [ Svg.hover $"{label series}{title}: {Labels.short value}" ] ]

    /// The class of the colour of the area above a level.
    let shade (count: int) (level: int) = if count = 0 then "f0" else $"f{9 * level / count}"

    let private contours (plot: Plot) (z: float[,]) (levels: float[]) (series: Series) =
        let onPlot = Array.map (fun (struct (x, y)) -> plot.Point(x, y))
        let x, y = series.X, series.Y
        let level i = Labels.short levels[i]

        let text i =
            if i = 0 && levels.Length = 0 then series.Name
            elif i = 0 then $"{series.Name} below {level 0}"
            elif i = levels.Length then $"{series.Name} above {level (i - 1)}"
            else $"{series.Name} from {level (i - 1)} to {level i}"

        let area i polygons =
            match polygons with
            | [] -> []
            | _ ->
                let d = Svg.path (polygons |> List.map onPlot) true
                [ Svg.element "path" [ "class", shade levels.Length i; "d", d ] [ Svg.hover (text i) ] ]

        let lines i =
            match MarchingSquares.lines x y z levels[i] with
            | [] -> []
            | lines ->
                let d = Svg.path (lines |> List.map onPlot) false
                [ Svg.element "path" [ "class", "iso"; "d", d ] [ Svg.hover $"{series.Name} {level i}" ] ]

        [
            yield! area 0 (MarchingSquares.regions x y z Double.NegativeInfinity)
            for i in 1 .. levels.Length do
                yield! area i (MarchingSquares.regions x y z levels[i - 1])
            for i in 0 .. levels.Length - 1 do
                yield! lines i
        ]

    /// The marks of a series in its colour.
    let series (plot: Plot) (xTitle: string) (yTitle: string) (accent: int) (series: Series) : string =
        let say = note xTitle yTitle

        let marks =
            match series.Kind with
            | Line dashed -> line plot dashed say series
            | Band ->
                let struct (low, high) = series.Bounds.Value
                band plot low high series
            | Points -> points plot say series
            | Rug -> rug plot xTitle series
            | Horizontal ->
                let y = plot.Y series.Y[0]
                across series yTitle series.Y[0] (struct (0.0, y)) (struct (plot.Width, y))
            | Vertical ->
                let x = plot.X series.X[0]
                across series xTitle series.X[0] (struct (x, 0.0)) (struct (x, plot.Height))
            | Contours(z, levels) -> contours plot z levels series

        Svg.element "g" [ "class", $"a{accent}" ] (if marks.IsEmpty then [ "" ] else marks)
