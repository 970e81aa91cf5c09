namespace DocExamples

open System.IO
open System.Xml.Linq
open NUnit.Framework
open Curvature
open Curvature.FSharp

/// The F# of docs/charts.md.
module ChartExamples =

    let private hessian =
        Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 60; 60 ] |> LinearOperator.ofMatrix |> LinearOperator.gram

    let private path = Path.Combine(Path.GetTempPath(), $"curvature-chart-{System.Guid.NewGuid()}.svg")

    [<OneTimeTearDown>]
    let ``remove the file`` () = File.Delete path

    [<Test>]
    let ``an eigenvalue density`` () =
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

        File.WriteAllText(path, Chart.toSvg chart)

        Assert.That(XDocument.Load(path).Root.Name.LocalName, Is.EqualTo "svg")

    [<Test>]
    let ``kinds of series and axes`` () =
        let traces =
            Chart.create
                "Traces"
                (Axis.linear "trace")
                (Axis.categories [ "first"; "rest" ] "layer")
                [ Series.errorBars "" [| 3.1; 1.2 |] [| 0.0; 1.0 |] [| 2.8; 1.1 |] [| 3.4; 1.3 |] ]

        let side = [| -1.0; -0.5; 0.0; 0.5; 1.0 |]
        let losses = Array2D.init 5 5 (fun row column -> side[column] ** 2.0 + 3.0 * side[row] ** 2.0)

        let valley =
            Chart.create
                "Valley"
                (Axis.linear "along v₁")
                (Axis.linear "along v₂")
                [ Series.contours "loss" side side losses ]

        let page =
            $"<style>{Chart.styleSheet}</style>{Chart.toElement traces}{Chart.toElement (valley.WithSize(420, 380))}"

        Assert.That(XDocument.Parse($"<body>{page}</body>").Root.Elements(), Has.Exactly(3).Items)
