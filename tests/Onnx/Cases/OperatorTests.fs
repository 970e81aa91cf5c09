/// Every operator of the table against OnnxRuntime, in every version in which it means something else, with random
/// shapes, axes and attributes, in both precisions.
module Curvature.Tests.Onnx.OperatorTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Expecto.Flip
open Curvature
open Curvature.OnnxFormat
open Curvature.Tests
open Curvature.Tests.Onnx

let private cases: Case list =
    List.concat [
        ElementwiseCases.cases
        ReductionCases.cases
        ShapeCases.cases
        SelectionCases.cases
        ProductCases.cases
        WindowCases.cases
        NormalizationCases.cases
        ResizingCases.cases
    ]

/// Samples of each operator, version and precision.
let private samples = 6

let private supported = OperatorTable.all |> List.map _.Name |> List.distinct

/// The first and last version of each range in which an operator means the same.
let private versions (op: string) : int list =
    OperatorTable.all
    |> List.filter (fun operator -> operator.Name = op)
    |> List.collect (fun operator -> [ operator.First; operator.Last ])
    |> List.distinct

let private seedOf (case: Case) (opset: int) (i: int) =
    let text = $"{case.Op} {opset}"
    (17, text) ||> Seq.fold (fun hash c -> hash * 31 + int c) |> fun hash -> abs (hash + i * 7919) % 1_000_000_000

/// How many samples could be compared.
let private compare (case: Case) (opset: int) (dtype: DType) : int =
    [ 0 .. samples - 1 ]
    |> List.sumBy (fun i ->
        let seed = seedOf case opset i
        let sample = case.Sample opset (Random seed)

        try
            match Agreement.check opset dtype case sample with
            | Agrees -> 1
            | NotThere _ -> 0
        with
        | :? IgnoreException -> reraise ()
        | error -> failtest $"{case.Op}, version {opset}, {dtype}, seed {seed}, %A{sample}: {error.Message}")

[<Tests>]
let tests =
    testList "Onnx.OperatorTests" [
        for op, cases in cases |> List.groupBy _.Op do
            test $"{op} is that of OnnxRuntime" {
                for opset in versions op do
                    let compared dtype = cases |> List.sumBy (fun case -> compare case opset dtype)

                    if compared DType.Float32 + compared DType.Float64 = 0 then
                        failtest $"{op}, version {opset}: OnnxRuntime computed no sample"
            }

        test "the page lists the operators of the table" {
            let page = File.ReadAllLines(Path.Combine(SharedData.repositoryRoot.Value, "docs", "onnx.md"))
            let section = page |> Array.skipWhile ((<>) "## Operators")

            let rows =
                section |> Array.filter (fun line -> line.StartsWith "| ") |> Array.map (fun line -> line.Split('|')[2])

            let names = Regex("`(\\w+)`")

            let listed =
                [
                    for row in rows do
                        for found in names.Matches row -> found.Groups[1].Value
                ]

            Expect.equal "listed" (Set.ofList supported) (Set.ofList listed)
        }

        test "every operator has a case" {
            let compared = cases |> List.map _.Op |> Set.ofList
            Expect.equal "compared" (Set.ofList supported) compared
        }
    ]
