module Curvature.Tests.Unit.ChartTests

open System.Globalization
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private x, private y = [| 1.0; 2.0; 3.0; 4.0; 5.0 |], [| 2.0; 4.0; 8.0; 16.0; 32.0 |]
let private linear, private logarithmic = Axis.linear "time in s", Axis.logarithmic "growth"
let private parse (chart: Chart) = XDocument.Parse(Chart.toSvg chart).Root
let private isNamed name (element: XElement) = element.Name.LocalName = name

let private kind (element: XElement) =
    match element.Attribute(XName.Get "class") with
    | null -> ""
    | found -> found.Value

let private ofKind name (root: XElement) = root.Descendants() |> Seq.filter (fun one -> kind one = name) |> Seq.toList
let private attribute name (element: XElement) = element.Attribute(XName.Get name).Value
let private number name element = System.Double.Parse(attribute name element, CultureInfo.InvariantCulture)

let private texts (root: XElement) =
    [
        for one in root.Descendants() do
            if isNamed "text" one then one.Value
    ]

let private titles (root: XElement) =
    [
        for one in root.Descendants() do
            if isNamed "title" one then one.Value
    ]

let private chart series = Chart.create "A chart" linear logarithmic series
let private plot root = ofKind "plot" root |> List.exactlyOne

/// The points of a path of M and L.
let private points (path: string) =
    [|
        for step in path.Split([| 'M'; 'L'; 'Z' |], System.StringSplitOptions.RemoveEmptyEntries) do
            let parts = step.Split ' '
            float parts[0], float parts[1]
    |]

[<Tests>]
let tests =
    testList "Unit.ChartTests" [
        test "a line goes through its points" {
            let root = parse (chart [ Series.line "doubling" x y ])
            let width, height = number "width" (plot root), number "height" (plot root)
            let path = ofKind "series" root |> List.exactlyOne |> attribute "d" |> points
            Expect.equal "path.Length" 5 path.Length
            // On a logarithmic axis, doubling is a straight line, from near the lower left corner to near the upper
            // right one.
            let steps = path |> Array.pairwise |> Array.map (fun ((x1, y1), (x2, y2)) -> x2 - x1, y2 - y1)

            for dx, dy in steps do
                Expect.close 2e-3 [| fst steps[0]; snd steps[0] |] [| dx; dy |]

            Expect.isTrue "within" (path |> Array.forall (fun (x, y) -> x > 0.0 && x < width && y > 0.0 && y < height))

            Expect.isTrue
                "rising"
                (fst path[4] - fst path[0] > 0.9 * width && snd path[0] - snd path[4] > 0.85 * height)
        }

        test "titles, names and numbers are there to be read" {
            let root = parse (chart [ Series.line "doubling" x y; Series.dashed "guess" x (Array.map ((*) 1.1) y) ])
            let all = texts root

            for text in [ "A chart"; "time in s"; "growth"; "doubling"; "guess"; "2"; "10" ] do
                Expect.isTrue $"{text} in {all}" (List.contains text all)

            Expect.isTrue "under the pointer" (titles root |> List.contains "doubling\ntime in s: 3\ngrowth: 8")
        }

        test "what is not a number breaks a line, and nothing of it is drawn" {
            let gap = [| 2.0; 4.0; nan; 16.0; 32.0 |]

            let root =
                parse (
                    chart [
                        Series.line "line" x gap
                        Series.band "band" x gap y
                        Series.points "points" x gap
                        Series.errorBars "bars" x y gap y
                        Series.rug "rug" gap
                        Series.horizontal "level" nan
                    ]
                )

            let d name = ofKind name (plot root) |> List.exactlyOne |> attribute "d"
            Expect.equal "(d \"series\").Split('M').Length…" 2 ((d "series").Split('M').Length - 1)
            Expect.equal "(d \"band\").Split('Z').Length - 1" 2 ((d "band").Split('Z').Length - 1)
            // Four points, and five with an error bar but for one.
            Expect.equal "(ofKind \"point\" (plot root)).Le…" 9 (ofKind "point" (plot root)).Length
            Expect.equal "(ofKind \"bar\" root).Length" 4 (ofKind "bar" root).Length
            Expect.equal "(ofKind \"rug\" (plot root)).Leng…" 4 (ofKind "rug" (plot root)).Length
            Expect.isTrue "no NaN" (not (root.ToString().Contains "NaN"))
        }

        test "a chart without numbers says so" {
            for series in [ []; [ Series.line "nothing" [||] [||] ]; [ Series.rug "" [||] ] ] do
                let root = parse (chart series)
                Expect.isTrue $"{texts root}" (texts root |> List.contains "no data")
                Expect.isTrue "no path" ((ofKind "series" (plot root)).IsEmpty)
        }

        testCase "text cannot become markup" (fun () ->
            let hostile = "<script>alert(\"&\")</script>\u0000 \ud800 é 𝜆"

            let root =
                parse (
                    Chart.create hostile (Axis.linear hostile) (Axis.categories [ hostile ] hostile) [
                        Series.points hostile [| 1.0 |] [| 0.0 |]
                    ]
                )

            let shown = "<script>alert(\"&\")</script>\ufffd \ufffd é 𝜆"
            Expect.isTrue $"{texts root}" (texts root |> List.filter ((=) shown) |> List.length >= 3)
            Expect.isTrue "no script" (root.Descendants() |> Seq.forall (isNamed "script" >> not)))

        test "contours have areas, lines and a key" {
            let side = Array.init 21 (fun i -> float i - 10.0)
            let z = Array2D.init 21 21 (fun row column -> side[column] ** 2.0 + 2.0 * side[row] ** 2.0)

            let root =
                parse (Chart.create "Valley" (Axis.linear "x") (Axis.linear "y") [ Series.contours "loss" side side z ])

            let lines = ofKind "iso" root
            Expect.isTrue $"{lines.Length} levels" (lines.Length >= 4 && lines.Length <= 9)

            Expect.equal
                "titles root |> List.filter (fun…"
                (lines.Length + 1)
                (titles root
                 |> List.filter (fun title -> title.Contains "from" || title.Contains "below" || title.Contains "above")
                 |> List.length)

            let keyed = ofKind "f0" root @ ofKind "f9" root |> List.filter (isNamed "rect")
            Expect.equal "keyed.Length" 2 keyed.Length
            Expect.isTrue "levels" (texts root |> List.contains "100")
        }

        test "names along the y axis are rows from the top" {
            let rows = Axis.categories [ "first"; "second"; "third" ] "layer"

            let series =
                Series.errorBars "" [| 1.0; 2.0; 3.0 |] [| 0.0; 1.0; 2.0 |] [| 0.5; 1.0; 2.0 |] [| 1.5; 3.0; 4.0 |]

            let root = parse (Chart.create "Layers" (Axis.linear "trace") rows [ series.WithNotes [ "a"; "b"; "c" ] ])
            let heights = ofKind "point" root |> List.map (number "cy")
            Expect.equal "heights" (List.sort heights) heights

            for bar in ofKind "bar" root do
                Expect.isTrue "level" (number "y1" bar = number "y2" bar && number "x2" bar > number "x1" bar)

            Expect.equal "titles root" [ "a"; "b"; "c" ] (titles root)
        }

        test "a chart within a page takes its rules from the page" {
            let element = Chart.toElement (chart [ Series.line "" x y ])
            Expect.isTrue "no style of its own" (not (element.Contains "<style"))
            Expect.isTrue "dark" (Chart.styleSheet.Contains "prefers-color-scheme:dark")
            Expect.isTrue "print" (Chart.styleSheet.Contains "@media print")

            Expect.isTrue
                "nothing is loaded"
                (not (Chart.styleSheet.Contains "url(" || Chart.styleSheet.Contains "@import"))
        }

        test "sizes, accents and numbers that do not fit are refused" {
            let names = raises<ShapeException>(fun () -> box (Series.line "short" x [| 1.0 |]))

            Expect.isTrue
                names.Message
                (names.Message.Contains "short" && names.Message.Contains "5" && names.Message.Contains "1")

            raises<ShapeException>(fun () -> box (Series.band "" x y [||])) |> ignore
            raises<ShapeException>(fun () -> box (Series.errorBars "" x y y [||])) |> ignore
            raises<ShapeException>(fun () -> box ((Series.rug "" x).WithNotes [ "one" ])) |> ignore
            raises<ShapeException>(fun () -> box (Series.contours "" x y (Array2D.zeroCreate 5 4))) |> ignore

            raises<ShapeException>(fun () -> box (Series.contours "" [| 1.0 |] [| 1.0 |] (Array2D.zeroCreate 1 1)))
            |> ignore

            let z = Array2D.zeroCreate 5 5
            raises<ArgumentRangeException>(fun () -> box (Series.contours "" x (Array.rev x) z)) |> ignore
            raises<ArgumentRangeException>(fun () -> box (Series.contoursAt [| 1.0; 1.0 |] "" x x z)) |> ignore
            raises<ArgumentRangeException>(fun () -> box ((Series.rug "" x).WithAccent 9)) |> ignore
            raises<ArgumentRangeException>(fun () -> box ((chart []).WithSize(100, 100))) |> ignore
        }
    ]
