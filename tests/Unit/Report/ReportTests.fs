module Curvature.Tests.Unit.ReportTests

open System
open System.IO
open System.Text.Json.Nodes
open Expecto
open Expecto.Flip
open Spectre.Console
open Curvature.Samples.Report
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-report-"

let private file name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, text)
    path

/// The exit code, what was printed, and what was complained about.
let private run (arguments: string list) =
    use printed = new StringWriter()
    use complaint = new StringWriter()
    let code = Program.run (List.toArray arguments) (PlainDisplay printed) complaint
    code, string printed, string complaint

/// The report of a run that must succeed.
let private report name (arguments: string list) =
    let out = Path.Combine(folder, name)
    let code, printed, complaint = run (arguments @ [ "--max-products"; "320"; "--out"; out ])
    Expect.isTrue $"exit code {code}: {complaint}" (code = 0 && complaint = "")
    printed, JsonNode.Parse(File.ReadAllText(Path.Combine(out, "report.json"))).AsObject()

let private timeless (node: JsonObject) =
    node.Remove "seconds" |> ignore
    node.ToJsonString()

let private keys (node: JsonNode) = [ for pair in node.AsObject() -> pair.Key ]
let private number (node: JsonNode) = node.GetValue<float>()

/// Rows of as many features, of classes 0 and 1 in turn.
let private table features rows =
    [
        for row in 0 .. rows - 1 ->
            String.Join(",", [ for i in 0 .. features - 1 -> (row * (i + 3)) % 17 ]) + $",{row % 2}\n"
    ]
    |> String.concat ""

let private refuses (arguments: string list) (fragments: string list) =
    let code, _, complaint = run arguments
    let lines = complaint.TrimEnd('\n', '\r').Split '\n'
    Expect.isTrue $"{arguments}: exit code {code}" (code = 2)
    Expect.isTrue $"{arguments}: {complaint}" (lines.Length = 1 && complaint.EndsWith '\n')

    for fragment in fragments do
        Expect.isTrue $"\"{fragment}\" in {complaint}" (complaint.Contains fragment)

[<Tests>]
let tests =
    testList "Unit.ReportTests" [
        test "the report of the spirals is written with the keys that were promised" {
            let printed, json = report "keys" []

            let expected =
                [
                    "parameters"
                    "loss"
                    "gradientNorm"
                    "trace"
                    "blockTraces"
                    "diagonal"
                    "accuracy"
                    "traceHistory"
                    "topEigenvalues"
                    "density"
                    "ritzValues"
                    "landscape"
                    "heldOut"
                    "seconds"
                ]

            Expect.isTrue $"{keys json}" (keys json = expected)
            let trace = keys json["trace"]
            Expect.isTrue $"{trace}" (trace = [ "value"; "standardError"; "low"; "high"; "matvecs"; "exact" ])
            let block = keys (json["blockTraces"].AsArray()[0])
            Expect.isTrue $"{block}" (block = [ "name"; "size"; "value"; "standardError" ])
            Expect.isTrue $"""{keys json["diagonal"]}""" (keys json["diagonal"] = [ "min"; "max"; "mean" ])
            let heldOut = json["heldOut"]
            Expect.equal "points again" 200.0 (number heldOut["rows"])
            Expect.isTrue "negative log-likelihood" (number heldOut["negativeLogLikelihood"] < 0.3)
            Expect.isTrue "accuracy" (number heldOut["accuracy"] > 0.95)
            let laplace = heldOut["laplace"]
            let shared = keys heldOut |> List.filter (fun key -> key <> "rows" && key <> "laplace")
            Expect.equal "of the posterior too" ([ "priorPrecision"; "logEvidence" ] @ shared) (keys laplace)
            let negative = number laplace["negativeLogLikelihood"]
            Expect.isTrue $"better than chance: {negative}" (negative < log 2.0)
            Expect.isTrue "plain lines" (not (printed.Contains '\u001b') && not (printed.Contains '\r'))

            for word in
                [
                    "Loss"
                    "gradient norm"
                    "Trace"
                    "exact"
                    "Diagonal"
                    "products"
                    "0.weight"
                    "held out"
                    "seed 0"
                ] do
                Expect.isTrue $"\"{word}\" in {printed}" (printed.Contains word)
        }

        test "the spectrum and the landscape are written too" {
            let _, json = report "spectrum" [ "--eigenvalues"; "3"; "--density-steps"; "40"; "--probes"; "5" ]
            let pairs = json["topEigenvalues"].AsArray() |> List.ofSeq
            Expect.equal "pairs.Length" 3 pairs.Length
            Expect.equal "keys pairs[0]" [ "value"; "residual" ] (keys pairs[0])
            let values = pairs |> List.map (fun pair -> number pair["value"])
            Expect.equal "values" (List.sortDescending values) values
            Expect.isTrue "residuals" (pairs |> List.forall (fun pair -> number pair["residual"] < 1e-8 * values[0]))

            let column (key: string) (node: JsonNode) = [| for value in node[key].AsArray() -> number value |]
            let density = json["density"]
            let grid, value = column "grid" density, column "value" density
            Expect.close 0.01 [| 1.0 |] [| (grid[1] - grid[0]) * Array.sum value |]
            let low, middle, high = column "low" density, column "cumulative" density, column "high" density
            Expect.isTrue "a band" (Array.forall2 (<=) low middle && Array.forall2 (<=) middle high)
            Expect.isTrue "ascending" (middle |> Array.pairwise |> Array.forall (fun (a, b) -> a <= b))
            let rules = json["ritzValues"].AsArray() |> List.ofSeq
            Expect.equal "rules.Length" 5 rules.Length
            let largest = rules |> List.map (column "values" >> Array.last) |> List.max
            Expect.close 1e-6 [| values[0] |] [| largest |]

            let lines = json["landscape"].["lines"].AsArray() |> List.ofSeq
            Expect.equal "lines.Length" 3 lines.Length

            for line in lines do
                let at = (column "positions" line) |> Array.findIndex (fun t -> t = 0.0)

                Expect.close 1e-12 [| number json["loss"]; number json["loss"] |] [|
                    (column "loss" line)[at]
                    (column "model" line)[at]
                |]

            let history = json["traceHistory"].AsArray() |> Seq.last
            Expect.equal "number history[\"samples\"]" (number json["trace"].["matvecs"]) (number history["samples"])
            Expect.close 1e-12 [| number json["trace"].["value"] |] [| number history["value"] |]
        }

        testCase "the page needs nothing but itself, and is well formed" (fun () ->
            let data = file "a&b<c>.csv" (table 2 30)
            report "page" [ "--data"; data ] |> ignore
            let page = File.ReadAllText(Path.Combine(folder, "page", "report.html"))
            let body = page.Replace("<!DOCTYPE html>", "")
            let root = System.Xml.Linq.XDocument.Parse(body).Root

            let elements (name: string) =
                [
                    for one in root.Descendants() do
                        if one.Name.LocalName = name then one
                ]
            // Charts are pictures within pictures.
            let charts =
                elements "svg"
                |> List.filter (fun svg -> not (isNull (svg.Attribute(System.Xml.Linq.XName.Get "aria-label"))))

            // Residuals at the level of rounding are a sentence, and an exact trace does not converge.
            Expect.equal "charts.Length" 8 charts.Length
            Expect.isTrue "tables" ((elements "table").Length >= 3)

            for word in [ "script"; "link rel=\"stylesheet"; "http:"; "https:"; "url("; "@import"; "NaN" ] do
                Expect.isTrue $"no {word}" (not (page.Contains word))

            Expect.isTrue "the name of the file is text" (root.Value.Contains "a&b<c>.csv")
            let foot = elements "footer" |> List.exactlyOne

            for part in [ "Curvature"; "UTC"; "Report --data"; "a&b<c>.csv"; "--max-products 320" ] do
                Expect.isTrue $"{part} in the foot" (foot.Value.Contains part)

            for part in [ "Sharpness"; "2/η"; "Flatness"; "Negative curvature"; "Effective dimension" ] do
                Expect.isTrue part (root.Value.Contains part)

            let programmers = @"[0-9][eE][-+][0-9]|(?<=[ (])-[0-9]"
            let numbers = System.Text.RegularExpressions.Regex.Matches(root.Value, programmers)
            Expect.isTrue $"no {Seq.tryHead numbers}" (numbers.Count = 0))

        test "estimates agree with the exact trace and with each other" {
            for precision in [ "float64"; "float32" ] do
                let _, json = report precision [ "--dtype"; precision; "--seed"; "5" ]
                let trace, blocks, diagonal = json["trace"], json["blockTraces"].AsArray(), json["diagonal"]
                let value, error = number trace["value"], number trace["standardError"]
                let exact, parameters = number trace["exact"], number json["parameters"]
                Expect.isTrue $"{value} ± {error}, exactly {exact}" (error > 0.0 && abs (value - exact) < 6.0 * error)
                Expect.isTrue "interval" (number trace["low"] < value && value < number trace["high"])
                // All of them come from the same products.
                let rounding = if precision = "float64" then 1e-10 else 1e-4
                Expect.close rounding [| value |] [| blocks |> Seq.sumBy (fun block -> number block["value"]) |]
                Expect.close rounding [| value |] [| number diagonal["mean"] * parameters |]
                Expect.isTrue "sizes" (blocks |> Seq.sumBy (fun block -> number block["size"]) = parameters)
                Expect.isTrue "a trained network" (number json["loss"] < 0.1)
        }

        test "the same seed gives the same bits on any number of threads" {
            let ofThreads (threads: int) =
                let _, json = report $"threads{threads}" [ "--seed"; "7"; "--threads"; $"{threads}" ]
                timeless json

            let one = ofThreads 1
            Expect.isTrue "two threads" (ofThreads 2 = one)
            Expect.isTrue "three threads" (ofThreads 3 = one)
            let all = timeless (snd (report "all" [ "--seed"; "7" ]))
            Expect.isTrue "all threads" (all = one)
            let other = timeless (snd (report "other" [ "--seed"; "8" ]))
            Expect.isTrue "another seed" (other <> one)
        }

        test "a table is reported on, and a large network has no exact trace" {
            let printed, small = report "small" [ "--data"; file "small.csv" (table 3 40) ]
            Expect.isTrue $"{small}" (number small["parameters"] = 3.0 * 32.0 + 32.0 + 64.0 + 2.0)
            let trace = small["trace"]
            Expect.isTrue $"{small}" (number trace["exact"] > 0.0)
            Expect.isTrue printed (printed.Contains "small.csv" && printed.Contains "40 rows")
            let _, large = report "large" [ "--data"; file "large.csv" (table 200 20) ]
            let large = large["trace"]
            Expect.isTrue $"{large}" (isNull large["exact"] && keys large = keys trace)
        }

        test "rows of a table are held out where that is asked for" {
            let data = file "held.csv" (table 3 40)
            let printed, json = report "held" [ "--data"; data; "--held-out"; "0.25" ]
            Expect.isTrue printed (printed.Contains "30 rows" && printed.Contains "10 rows that were held out")
            Expect.equal "rows" 10.0 (number json["heldOut"].["rows"])
            let page = File.ReadAllText(Path.Combine(folder, "held", "report.html"))
            Expect.isTrue "on the page" (page.Contains "Held-out data")
            let _, none = report "none-held" [ "--data"; data ]
            Expect.isTrue "none by themselves" (isNull none["heldOut"])
            refuses [ "--data"; data; "--held-out"; "1" ] [ "--held-out"; "1" ]
            refuses [ "--held-out"; "0.5" ] [ "--held-out"; "table" ]
        }

        test "options that make no sense are refused in one line" {
            refuses [ "--bogus" ] [ "--bogus" ]
            refuses [ "extra" ] [ "extra" ]
            refuses [ "--data" ] [ "--data" ]
            refuses [ "--seed"; "x" ] [ "--seed"; "'x'" ]
            refuses [ "--seed"; "1"; "--seed"; "2" ] [ "--seed" ]
            refuses [ "--dtype"; "float16" ] [ "--dtype"; "float16" ]
            refuses [ "--relative-error"; "-0.1" ] [ "--relative-error"; "-0.1" ]
            refuses [ "--relative-error"; "NaN" ] [ "--relative-error"; "NaN" ]
            refuses [ "--threads"; "0" ] [ "--threads"; "0" ]
            refuses [ "--max-products"; "1" ] [ "--max-products"; "1" ]
            refuses [ "--eigenvalues"; "0" ] [ "--eigenvalues"; "0" ]
            refuses [ "--density-steps"; "1" ] [ "--density-steps"; "1" ]
            refuses [ "--probes"; "1" ] [ "--probes"; "1" ]
            refuses [ "--landscape-points"; "1" ] [ "--landscape-points"; "1" ]
            refuses [ "--model"; "resnet18" ] [ "--model"; "resnet18" ]
            refuses [ "--weights"; "w" ] [ "--weights"; "--model" ]
            refuses [ "--batch"; "5" ] [ "--batch"; "--model" ]
            refuses [ "--dataset-size"; "5" ] [ "--dataset-size"; "--model" ]
            let model = [ "--model"; "resnet20" ]
            refuses model [ "--weights" ]
            refuses (model @ [ "--weights"; "w" ]) [ "--data" ]
            refuses (model @ [ "--weights"; "w"; "--data"; "d"; "--batch"; "0" ]) [ "--batch"; "0" ]
            refuses (model @ [ "--weights"; "w"; "--data"; "d"; "--dataset-size"; "0" ]) [ "--dataset-size"; "0" ]
            refuses (model @ [ "--weights"; "w"; "--data"; "d" ]) [ "w does not exist" ]
            refuses (model @ [ "--weights"; file "w.safetensors" "no"; "--data"; "d" ]) [ "w.safetensors" ]
            refuses [ "--out"; file "file" "" ] [ "--out"; "file" ]
        }

        test "files that are no tables are refused in one line" {
            let refusesTable text fragments = refuses [ "--data"; file "bad.csv" text ] ("bad.csv" :: fragments)
            refuses [ "--data"; Path.Combine(folder, "missing.csv") ] [ "missing.csv does not exist" ]
            refuses [ "--data"; folder ] [ folder; "is a folder" ]
            refusesTable "" [ "is empty" ]
            refusesTable "1,2,0\n3,4\n" [ "line 2"; "expected 3 cells"; "got 2" ]
            refusesTable "1,2,0\n3,four,1\n" [ "line 2, column 2"; "four" ]
            refusesTable "1,2,0\n3,NaN,1\n" [ "line 2, column 2"; "NaN" ]
            refusesTable "1,2,0\n3,4,-1\n" [ "line 2"; "label -1" ]
            refusesTable "1,2,0\n3,4,0.5\n" [ "line 2"; "label 0.5" ]
            refusesTable "1,2,0\n3,4,0\n" [ "one class only" ]
            refusesTable "1,2,0\n3,4,2000000000\n" [ "label 2000000000"; "2 rows" ]
        }

        test "a trained ResNet-20 has the loss and the eigenvalues that PyTorch finds" {
            let weights, images =
                SharedData.path "data/resnet20_cifar10.safetensors", SharedData.path "data/cifar10_test_1000.bin"

            let reference = JsonNode.Parse(File.ReadAllText(SharedData.path "reference/resnet20_cifar10_float64.json"))

            let options =
                [
                    "--model"
                    "resnet20"
                    "--weights"
                    weights
                    "--data"
                    images
                    "--batch"
                    "50"
                    "--dtype"
                    "float64"
                ]

            let small = [ "--eigenvalues"; "1"; "--density-steps"; "2"; "--probes"; "2"; "--landscape-points"; "2" ]
            let out = Path.Combine(folder, "resnet")
            let code, printed, complaint = run (options @ small @ [ "--out"; out ])
            Expect.isTrue $"exit code {code}: {complaint}" (code = 0)

            for text in [ "Loss 0.0351289"; "211.30067"; "269,722"; "98.0 %" ] do
                Expect.isTrue $"\"{text}\" in {printed}" (printed.Contains text)

            let json = JsonNode.Parse(File.ReadAllText(Path.Combine(out, "report.json")))
            let expected, norm = number reference["loss"], number reference["gradient_norm"]
            Expect.close 1e-8 [| expected; norm |] [| number json["loss"]; number json["gradientNorm"] |]
            let top = number (json["topEigenvalues"].[0].["value"])
            Expect.close 1e-6 [| number (reference["hessian_top6"].[0]) |] [| top |]
            refuses (options @ [ "--dataset-size"; "1001" ]) [ "1001"; "1000 images" ]
        }

        test "help is printed, and is no mistake" {
            let code, printed, complaint = run [ "--help" ]
            Expect.isTrue complaint (code = 0 && complaint = "")

            for option in
                [
                    "--model"
                    "--weights"
                    "--data"
                    "--batch"
                    "--dataset-size"
                    "--eigenvalues"
                    "--density-steps"
                    "--probes"
                    "--landscape-points"
                    "--out"
                    "--seed"
                    "--dtype"
                    "--relative-error"
                    "--max-products"
                    "--threads"
                    "--help"
                ] do
                Expect.isTrue $"{option} in {printed}" (printed.Contains option)
        }

        test "a terminal is shown the same numbers, with progress" {
            use writer = new StringWriter()

            let settings =
                AnsiConsoleSettings(
                    Ansi = AnsiSupport.Yes,
                    Interactive = InteractionSupport.Yes,
                    Out = AnsiConsoleOutput writer
                )

            let console = AnsiConsole.Create settings
            console.Profile.Width <- 120
            let display = TerminalDisplay console

            let result =
                display.Work(
                    "Working [on] it",
                    fun tell ->
                        tell 0.5
                        42
                )

            display.Table("Sizes [all]", [ "name"; "size" ], [ [ "a [b]"; "1,234" ] ])
            display.Say "done [yes]"
            let text = string writer
            Expect.isTrue $"{result}" (result = 42)

            for part in [ "Working [on] it"; "Sizes [all]"; "a [b]"; "1,234"; "done [yes]" ] do
                Expect.isTrue $"\"{part}\" in {text}" (text.Contains part)
        }

        test "numbers are written with the digits that are known" {
            let check expected actual = Expect.isTrue $"expected {expected}, got {actual}" (actual = expected)
            check "−1234" (Typeset.within 56.2 -1234.4)
            check "−3.61886×10⁻⁵" (Typeset.value -3.61886e-5)
            check "3.8871506" (Typeset.within 1.7e-14 3.887150593238455)
            check "1.7×10⁻¹⁴" (Typeset.error 1.7e-14)
            check "3.14159" (Typeset.value Math.PI)
            check "3.14" (Typeset.rough Math.PI)
            check "1,234,567" (Typeset.count 1234567)
            check "12.3 %" (Typeset.percent 0.1234)
            check "1.20 s" (Typeset.seconds 1.2)
        }
    ]
