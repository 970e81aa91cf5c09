/// The F# of docs/charts.md.
module DocExamples.ChartExamples

open System.IO
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private hessian =
    Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 60; 60 ] |> LinearOperator.ofMatrix |> LinearOperator.gram

let private folder = TemporaryFolder.create "curvature-chart-"
let private file name = Path.Combine(folder, name)

[<Tests>]
let tests =
    testList "DocExamples.ChartExamples" [
        test "an eigenvalue density" {
            let sample = StochasticLanczos.sample 8 40 (Key.OfSeed 1L) hessian
            let density = SpectralDensity.ofSample Smoothing.papyan sample
            let low = Array.map2 (-) density.Values density.StandardErrors
            let high = Array.map2 (+) density.Values density.StandardErrors

            let chart =
                Chart.create
                    "Eigenvalue density"
                    (Axis.linear "eigenvalue λ")
                    ((Axis.logarithmic "density per unit of λ").WithRange(1e-4, 1.0))
                    [
                        (Series.band "± standard error" density.Grid low high).WithAccent 1
                        (Series.line "density" density.Grid density.Values).WithAccent 1
                        Series.rug "Ritz values" (sample.Rules |> Array.collect _.Nodes)
                    ]

            File.WriteAllText(file "density.svg", Chart.toSvg chart)

            Expect.equal "the root of the file" "svg" (XDocument.Load(file "density.svg").Root.Name.LocalName)
        }

        test "kinds of series and axes" {
            let traces =
                Chart.create "Traces" (Axis.linear "trace") (Axis.categories [ "first"; "rest" ] "layer") [
                    Series.errorBars "" [| 3.1; 1.2 |] [| 0.0; 1.0 |] [| 2.8; 1.1 |] [| 3.4; 1.3 |]
                ]

            let side = [| -1.0; -0.5; 0.0; 0.5; 1.0 |]
            let losses = Array2D.init 5 5 (fun row column -> side[column] ** 2.0 + 3.0 * side[row] ** 2.0)

            let valley =
                Chart.create "Valley" (Axis.linear "along v₁") (Axis.linear "along v₂") [
                    Series.contours "loss" side side losses
                ]

            let elements = Chart.toElement traces + Chart.toElement (valley.WithSize(420, 380))
            let page = $"<style>{Chart.styleSheet}</style>{elements}"

            Expect.hasLength "a style and two charts" 3 (XDocument.Parse($"<body>{page}</body>").Root.Elements())
        }
    ]
