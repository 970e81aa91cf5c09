namespace Curvature.FSharp

open Curvature

/// What is around the marks of a chart: names, axes and numbers.
module internal Frame =

    /// The width of a letter, on average.
    let letter = 6.6

    let longest (scale: Scale) = scale.Ticks |> Array.map _.Label.Length |> Array.fold max 1 |> float

    let private at x y extra = [ "x", Svg.length x; "y", Svg.length y ] @ extra
    let private line (d: string) kind = Svg.element "path" [ "class", kind; "d", d ] []

    let private sample (accent: int) (series: Series) x y =
        let stroke kind = Svg.element "path" [ "class", kind; "d", $"M{Svg.length x} {Svg.length y}h20" ] []

        let mark =
            match series.Kind with
            | Line true
            | Horizontal
            | Vertical -> stroke "series dashed"
            | Line false -> stroke "series"
            | Band -> Svg.element "rect" (("class", "band") :: at x (y - 5.0) [ "width", "20"; "height", "10" ]) []
            | Rug ->
                Svg.element "path" [ "class", "rug"; "d", $"M{Svg.length (x + 10.0)} {Svg.length (y - 6.0)}v12" ] []
            | Points
            | Contours _ ->
                Svg.element
                    "circle"
                    [ "class", "point"; "cx", Svg.length (x + 10.0); "cy", Svg.length y; "r", "3.6" ]
                    []

        Svg.element "g" [ "class", $"a{accent}" ] [ mark ]

    /// Names with a sample of each, in rows below the title, and the height of these.
    let legend (width: float) (entries: (int * Series) list) =
        let place (x, y, drawn) (accent, series: Series) =
            let needed = 26.0 + letter * float series.Name.Length
            let x, y = if x > 14.0 && x + needed > width - 14.0 then 14.0, y + 18.0 else x, y
            let text = Svg.text "text" (at (x + 26.0) (y + 4.0) [ "class", "name" ]) series.Name
            x + needed + 18.0, y, text :: sample accent series x y :: drawn

        match entries with
        | [] -> [], 36.0
        | _ ->
            let _, bottom, drawn = entries |> List.fold place (14.0, 42.0, [])
            List.rev drawn, bottom + 16.0

    let grid (plot: Plot) : string list =
        let up tick = $"M{Svg.length (plot.X tick.Value)} 0v{Svg.length plot.Height}"
        let across tick = $"M0 {Svg.length (plot.Y tick.Value)}h{Svg.length plot.Width}"

        [
            line
                (Seq.append (Seq.map up plot.Horizontal.Ticks) (Seq.map across plot.Vertical.Ticks) |> String.concat "")
                "grid"
        ]

    let axes left top (plot: Plot) (xTitle: string) (yTitle: string) =
        let width, height = plot.Width, plot.Height
        let bottom = top + height

        let below tick =
            let place = [ "text-anchor", "middle" ]
            Svg.text "text" (at (left + plot.X tick.Value) (bottom + 18.0) place) tick.Label

        let beside tick =
            let kind =
                if plot.HasRows then
                    [ "text-anchor", "end"; "class", "name" ]
                else
                    [ "text-anchor", "end" ]

            Svg.text "text" (at (left - 8.0) (top + plot.Y tick.Value + 4.0) kind) tick.Label

        let minor =
            Seq.append
                (plot.Horizontal.Minor |> Seq.map (fun x -> $"M{Svg.length (left + plot.X x)} {Svg.length bottom}v3"))
                (plot.Vertical.Minor |> Seq.map (fun y -> $"M{Svg.length left} {Svg.length (top + plot.Y y)}h-3"))

        let frame = $"M{Svg.length left} {Svg.length top}v{Svg.length height}h{Svg.length width}"
        let middle = top + height / 2.0

        [
            line (frame + String.concat "" minor) "frame"
            yield! plot.Horizontal.Ticks |> Seq.map below
            yield! plot.Vertical.Ticks |> Seq.map beside
            Svg.text
                "text"
                (at (left + width / 2.0) (bottom + 38.0) [ "text-anchor", "middle"; "class", "name" ])
                xTitle
            if not plot.HasRows then
                let turn = $"translate(18 {Svg.length middle}) rotate(-90)"
                Svg.text "text" [ "transform", turn; "text-anchor", "middle"; "class", "name" ] yTitle
        ]

    /// A column of colours with the levels between them.
    let key left top height (name: string) (levels: float[]) =
        let count = levels.Length + 1
        let step = height / float count
        let y i = top + height - step * float i

        let colour i =
            Svg.element
                "rect"
                (("class", Drawing.shade levels.Length i)
                 :: at left (y (i + 1)) [ "width", "14"; "height", Svg.length step ])
                []

        let number i = Svg.text "text" (at (left + 20.0) (y (i + 1) + 4.0) []) (Labels.short levels[i])

        [
            yield! List.init count colour
            yield! List.init levels.Length number
            Svg.text "text" (at (left + 62.0) (top - 10.0) [ "text-anchor", "end"; "class", "name" ]) name
        ]
