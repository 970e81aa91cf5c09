/// Whatever the numbers and names are, a chart is a document without numbers that no browser draws.
module Curvature.Tests.Properties.ChartLaws

open System.Xml.Linq
open FsCheck.FSharp
open Expecto
open Curvature
open Curvature.FSharp

let private axis kind title =
    match abs kind % 4 with
    | 0 -> Axis.linear title
    | 1 -> Axis.logarithmic title
    | 2 -> Axis.symmetricLogarithmic 0.1 title
    | _ -> Axis.categories [ title; "other" ] title

let private isDrawable (chart: Chart) =
    let text = XDocument.Parse(Chart.toSvg chart).ToString()
    // Words of the style sheet and of the names are no numbers.
    let paths =
        XDocument.Parse(Chart.toSvg chart).Descendants()
        |> Seq.collect _.Attributes()
        |> Seq.filter (fun one -> one.Name.LocalName <> "aria-label")

    text.Length > 0
    && paths
       |> Seq.forall (fun one ->
           not (one.Value.Contains "NaN" || one.Value.Contains '∞' || one.Value.Contains "Infinity"))

[<Tests>]
let tests =
    testList "Properties.ChartLaws" [
        law
            "any series on any axes make a drawing"
            (fun (points: (float * float * float) list) (name: string) kindX kindY ->
                let column pick = points |> List.map pick |> List.toArray
                let x, y, z = column (fun (x, _, _) -> x), column (fun (_, y, _) -> y), column (fun (_, _, z) -> z)
                let name = if isNull name then "" else name

                let series =
                    [
                        Series.line name x y
                        Series.dashed name x z
                        Series.band name x y z
                        Series.errorBars name x y z y
                        Series.rug name x
                        yield! x |> Array.truncate 1 |> Array.map (Series.vertical name)
                        yield! y |> Array.truncate 1 |> Array.map (Series.horizontal name)
                    ]

                isDrawable (Chart.create name (axis kindX name) (axis kindY name) series))

        law "any numbers on a grid make a drawing" (fun (z: float[,]) ->
            let places length = Array.init length float
            let rows, columns = Array2D.length1 z, Array2D.length2 z

            (rows > 1 && columns > 1)
            ==> lazy
                (isDrawable (
                    Chart.create "grid" (Axis.linear "x") (Axis.linear "y") [
                        Series.contours "z" (places columns) (places rows) z
                    ]
                )))
    ]
