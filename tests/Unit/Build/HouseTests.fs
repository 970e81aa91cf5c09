/// How the sources are laid out: rooms in layers, each file short enough to read.
module Curvature.Tests.Unit.HouseTests

open System.Globalization
open System.IO
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature.Tests

let private sources = Path.Combine(SharedData.repositoryRoot.Value, "src")

/// The rooms of Curvature.FSharp. F# compiles files in order, so a room cannot know a later one.
let private rooms =
    [
        "Algebra"
        "Risk"
        "Operators"
        "Sparse"
        "Estimation"
        "Spectra"
        "Solvers"
        "Kronecker"
        "Samples"
        "Networks"
        "Monitoring"
        "Training"
        "Layers"
        "Landscapes"
        "Sensitivity"
        "Uncertainty"
        "Influence"
        "Diagnostics"
    ]

/// The projects that a project may refer to.
let private foundations =
    Map [
        "Curvature.Kernels", []
        "Curvature.Autodiff", [ "Curvature.Kernels" ]
        "Curvature.Cuda", [ "Curvature.Kernels" ]
        "Curvature.Data", [ "Curvature.Autodiff" ]
        "Curvature.Charts", [ "Curvature.Autodiff" ]
        "Curvature.FSharp", [ "Curvature.Autodiff"; "Curvature.Data"; "Curvature.Charts" ]
        "Curvature.FSharp.Laws", [ "Curvature.FSharp" ]
        "Curvature.TorchSharp", [ "Curvature.FSharp" ]
        "Curvature.Onnx", [ "Curvature.FSharp" ]
        "Curvature.Distributed", [ "Curvature.FSharp" ]
        "Curvature.Mpi", [ "Curvature.Distributed" ]
        "Curvature.Orleans", [ "Curvature.Distributed" ]
        "Curvature.CSharp", [ "Curvature.FSharp"; "Curvature.Charts"; "Curvature.FSharp.Laws" ]
    ]

let private included (item: string) (project: string) =
    let file = Directory.GetFiles(Path.Combine(sources, project), "*proj") |> Array.exactlyOne

    [
        for element in XDocument.Load(file).Descendants(XName.Get item) do
            element.Attribute(XName.Get "Include").Value
    ]

/// The first file that a project compiles after one of a later room, or one of no room.
let private misplaced (files: string list) =
    let floor (file: string) = rooms |> List.tryFindIndex ((=) (file.Split('/')[0]))

    List.pairwise ("Algebra/" :: files)
    |> List.tryFind (fun (before, file) -> (floor file).IsNone || floor file < floor before)
    |> Option.map snd

/// The files of F# and C# in a folder of the repository, other than those that builds make.
let private written (folder: string) =
    let root = Path.Combine(SharedData.repositoryRoot.Value, folder)

    Directory.GetFiles(root, "*", SearchOption.AllDirectories)
    |> Array.map (fun path -> Path.GetRelativePath(root, path).Replace('\\', '/'))
    |> Array.filter (fun path ->
        let parts = path.Split '/'
        let isBuilt = Array.contains "obj" parts || Array.contains "bin" parts
        not isBuilt && Array.contains (Path.GetExtension path) [| ".fs"; ".fsx"; ".cs" |])

/// The files of F# and C# of the whole repository, with their lines.
let private texts () =
    [
        for folder in [ "src"; "tests"; "bench"; "samples"; "build" ] do
            for file in written folder do
                let path = $"{folder}/{file}"
                path, File.ReadAllLines(Path.Combine(SharedData.repositoryRoot.Value, path))
    ]

/// The numbers of the lines that are wider than this, in characters as a reader counts them.
let private wide (most: int) (lines: string seq) =
    [
        for number, line in Seq.indexed lines do
            if StringInfo(line).LengthInTextElements > most then number + 1
    ]

/// Folders, by the files that stand in them directly, with more files than are seen at a glance.
let private crowded (most: int) (files: string seq) =
    files
    |> Seq.countBy (fun file -> Path.GetDirectoryName(file).Replace('\\', '/'))
    |> Seq.filter (fun (_, count) -> count > most)
    |> Seq.sort
    |> List.ofSeq

/// Folders whose files do not stand together in a list of files.
let private scattered (files: string list) =
    let folders = files |> List.map Path.GetDirectoryName

    List.pairwise ("" :: folders)
    |> List.filter (fun (before, folder) -> before <> folder)
    |> List.countBy snd
    |> List.filter (fun (_, count) -> count > 1)
    |> List.map fst

[<Tests>]
let tests =
    testList "Unit.HouseTests" [
        test "No folder of the sources holds more than 14 files" {
            Expect.equal "[ for folder, count in crowded…" [] [
                for folder, count in crowded 14 (written "src") -> $"{folder} has {count} files"
            ]
        }

        test "No file has more than 400 lines" {
            Expect.equal "[ for file, lines in texts () d…" [] [
                for file, lines in texts () do
                    if lines.Length > 400 then $"{file} has {lines.Length} lines"
            ]
        }

        test "No line is wider than 120 columns" {
            Expect.equal "[ for file, lines in texts () d…" [] [
                for file, lines in texts () do
                    for number in wide 120 lines -> $"{file}, line {number}"
            ]
        }

        test "A wide line is noticed" {
            Expect.equal "wide 3 [ \"abc\"; \"abcd\"; \"λ²x\";…" [ 2; 4 ] (wide 3 [ "abc"; "abcd"; "λ²x"; "   e" ])
        }

        test "The files of a folder are compiled one after the other" {
            Expect.equal "scattered (included \"Compile\" \"…" [] (scattered (included "Compile" "Curvature.FSharp"))
            Expect.equal "scattered [ \"a/1.fs\"; \"b/1.fs\";…" [ "a" ] (scattered [ "a/1.fs"; "b/1.fs"; "a/2.fs" ])
        }

        test "A crowded folder is noticed" {
            let files = [ "a/1.fs"; "a/2.fs"; "a/3.fs"; "a/b/1.fs"; "a/b/2.fs" ]
            Expect.equal "crowded 2 files" [ "a", 3 ] (crowded 2 files)
            Expect.equal "crowded 3 files" [] (crowded 3 files)
        }

        test "A room knows only the rooms before it" {
            Expect.equal "misplaced (included \"Compile\" \"…" None (misplaced (included "Compile" "Curvature.FSharp"))
        }

        for files, expected in
            [
                "Operators/Hessian.fs Algebra/Panels.fs", "Algebra/Panels.fs"
                "Algebra/Panels.fs Attic/Old.fs", "Attic/Old.fs"
                "Algebra/Panels.fs Risk/Risk.fs Estimation/Methods/XTrace.fs", ""
            ] do
            test $"A file out of its room is noticed ({files}, {expected})" {
                let found = misplaced (List.ofArray (files.Split ' '))
                Expect.equal "found" (if expected = "" then None else Some expected) found
            }

        test "A project refers only to those beneath it" {
            for KeyValue(project, allowed) in foundations do
                for reference in included "ProjectReference" project do
                    let name = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))
                    Expect.isTrue $"{project} refers to {name}" (List.contains name allowed)
        }

        test "Every project of the library has its place" {
            let projects = Directory.GetFiles(sources, "*proj", SearchOption.AllDirectories)
            let names = projects |> Array.map Path.GetFileNameWithoutExtension |> Set.ofArray
            Expect.equal "names" (foundations |> Map.keys |> Set.ofSeq) names
        }
    ]
