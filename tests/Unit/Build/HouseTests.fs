namespace Curvature.Tests.Unit

open System.IO
open System.Xml.Linq
open NUnit.Framework
open Curvature.Tests

/// How the sources are laid out: rooms in layers, each file short enough to read.
[<TestFixture>]
type HouseTests() =

    let sources = Path.Combine(SharedData.repositoryRoot.Value, "src")

    /// The rooms of Curvature.FSharp. F# compiles files in order, so a room cannot know a later one.
    let rooms =
        [
            "Algebra"
            "Risk"
            "Operators"
            "Estimation"
            "Spectra"
            "Solvers"
            "Networks"
            "Layers"
            "Landscapes"
            "Sensitivity"
            "Diagnostics"
        ]

    /// The projects that a project may refer to.
    let foundations =
        Map
            [
                "Curvature.Kernels", []
                "Curvature.Autodiff", [ "Curvature.Kernels" ]
                "Curvature.Data", [ "Curvature.Autodiff" ]
                "Curvature.Charts", [ "Curvature.Autodiff" ]
                "Curvature.FSharp", [ "Curvature.Autodiff"; "Curvature.Data" ]
                "Curvature.CSharp", [ "Curvature.FSharp"; "Curvature.Charts" ]
            ]

    let included (item: string) (project: string) =
        let file = Directory.GetFiles(Path.Combine(sources, project), "*proj") |> Array.exactlyOne

        [
            for element in XDocument.Load(file).Descendants(XName.Get item) do
                element.Attribute(XName.Get "Include").Value
        ]

    /// The first file that a project compiles after one of a later room, or one of no room.
    let misplaced (files: string list) =
        let floor (file: string) = rooms |> List.tryFindIndex ((=) (file.Split('/')[0]))

        List.pairwise ("Algebra/" :: files)
        |> List.tryFind (fun (before, file) -> (floor file).IsNone || floor file < floor before)
        |> Option.map snd

    [<Test>]
    member _.``A room knows only the rooms before it``() =
        Expect.equal None (misplaced (included "Compile" "Curvature.FSharp"))

    [<TestCase("Operators/Hessian.fs Algebra/Panels.fs", "Algebra/Panels.fs")>]
    [<TestCase("Algebra/Panels.fs Attic/Old.fs", "Attic/Old.fs")>]
    [<TestCase("Algebra/Panels.fs Risk/Risk.fs Estimation/Methods/XTrace.fs", "")>]
    member _.``A file out of its room is noticed``(files: string, expected: string) =
        let found = misplaced (List.ofArray (files.Split ' '))
        Expect.equal (if expected = "" then None else Some expected) found

    [<Test>]
    member _.``A project refers only to those beneath it``() =
        for KeyValue(project, allowed) in foundations do
            for reference in included "ProjectReference" project do
                let name = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))
                Expect.isTrue $"{project} refers to {name}" (List.contains name allowed)

    [<Test>]
    member _.``Every project of the library has its place``() =
        let projects = Directory.GetFiles(sources, "*proj", SearchOption.AllDirectories)
        let names = projects |> Array.map Path.GetFileNameWithoutExtension |> Set.ofArray
        Expect.equal (foundations |> Map.keys |> Set.ofSeq) names
