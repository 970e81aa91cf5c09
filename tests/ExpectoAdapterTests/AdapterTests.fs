module Curvature.Tests.ExpectoAdapterTests.AdapterTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Xml.Linq
open Expecto

/// What the test platform says of one test.
type private Result =
    {
        Name: string
        Outcome: string
        Message: string
        Stack: string
        Output: string
    }

/// A run of the test platform: its exit status, what it printed, the counters of its file of results, and the results.
type private Run = { Status: int; Text: string; Counters: Map<string, int>; Results: Result list }

let private named (name: string) (node: XContainer) =
    node.Descendants() |> Seq.filter (fun element -> element.Name.LocalName = name)

let private attribute (name: string) (element: XElement) = element.Attribute(XName.Get name).Value

let private text (name: string) (node: XContainer) = named name node |> Seq.map _.Value |> String.concat ""

let private result (element: XElement) =
    {
        Name = attribute "testName" element
        Outcome = attribute "outcome" element
        Message = text "Message" element
        Stack = text "StackTrace" element
        Output = text "StdOut" element
    }

let private counters (document: XDocument) =
    named "Counters" document
    |> Seq.exactlyOne
    |> _.Attributes()
    |> Seq.map (fun counter -> counter.Name.LocalName, int counter.Value)
    |> Map.ofSeq

/// Runs the test platform on this assembly, whose sample has its tests there.
let private vstest (sample: string) (arguments: string list) : Run =
    let folder = Directory.CreateTempSubdirectory "expecto-adapter-"

    try
        let all =
            [
                "vstest"
                Assembly.GetExecutingAssembly().Location
                "--logger:trx;LogFileName=results.trx"
                $"--ResultsDirectory:{folder.FullName}"
                yield! arguments
            ]

        let info = ProcessStartInfo("dotnet", all)
        info.Environment[Sample.Switch] <- sample
        info.RedirectStandardOutput <- true
        info.RedirectStandardError <- true
        use child = Process.Start info
        let errors = child.StandardError.ReadToEndAsync()
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        let file = Path.Combine(folder.FullName, "results.trx")
        let document = if File.Exists file then Some(XDocument.Load file) else None

        {
            Status = child.ExitCode
            Text = output + errors.Result
            Counters = document |> Option.map counters |> Option.defaultValue Map.empty
            Results =
                [
                    for document in Option.toList document do
                        yield! named "UnitTestResult" document |> Seq.map result
                ]
        }
    finally
        folder.Delete true

let private whole = lazy vstest "outcomes" [ "--TestCaseFilter:FullyQualifiedName~Sample." ]

let private find name =
    match whole.Value.Results |> List.filter (fun result -> result.Name = name) with
    | [ result ] -> result
    | found -> failtest $"{found.Length} results have the name '{name}':\n{whole.Value.Text}"

/// The names of the tests that a filter chooses, in order.
let private chosenBy (filter: string) =
    (vstest "outcomes" [ $"--TestCaseFilter:{filter}" ]).Results |> List.map _.Name |> List.sort

[<Tests>]
let tests =
    testList "AdapterTests" [
        test "tests are listed by their names" {
            let listed = (vstest "outcomes" [ "--ListTests" ]).Text.Split '\n' |> Array.map _.Trim()

            for name in [ "passes"; "is pending"; "inner.case 1"; "a law that does not hold" ] do
                Expect.contains listed name "a name"
        }

        test "the results are counted" {
            let run = whole.Value
            Expect.equal run.Status 1 "the exit status of a run with failures"
            Expect.equal run.Counters["total"] 11 "tests"
            Expect.equal run.Counters["executed"] 9 "tests that ran to their end"
            Expect.equal run.Counters["passed"] 5 "passed"
            Expect.equal run.Counters["failed"] 4 "failed"
        }

        test "a test is passed, failed or skipped" {
            let outcomes =
                [
                    "passes", "Passed"
                    "fails", "Failed"
                    "throws", "Failed"
                    "skips while it runs", "NotExecuted"
                    "is pending", "NotExecuted"
                    "inner.case 2", "Passed"
                    "inner.case 3", "Failed"
                    "a law that does not hold", "Failed"
                ]

            for name, outcome in outcomes do
                Expect.equal (find name).Outcome outcome name
        }

        test "a failure has its message, and its stack the file and the line" {
            let failure = find "fails"
            Expect.stringContains failure.Message "two numbers" "the message"
            Expect.isFalse (failure.Message.Contains "   at ") "the stack stands apart"
            Expect.isFalse (failure.Message.Contains '\u001b') "no colours"
            Expect.isMatch failure.Stack @"Sample\.fs:line \d+" "the stack"
            let thrown = find "throws"
            Expect.stringContains thrown.Message "System.TimeoutException: too slow" "type and message"
            Expect.isMatch thrown.Stack @"Sample\.fs:line \d+" "the stack of an exception"
        }

        test "a skipped test says why" {
            Expect.equal (find "skips while it runs").Message "nothing to look at" "the reason"
        }

        test "a law that fails gives its counterexample and the seed that replays it" {
            let message = (find "a law that does not hold").Message
            Expect.isMatch message @"\(\d+UL, \d+UL, Some \d+\)" "the seed"
            Expect.stringContains message "5" "the smallest counterexample"
        }

        test "what a test prints belongs to its result, from other threads and later on too" {
            Expect.equal ((find "prints").Output.Trim()) "first and second" "two threads"
            Expect.equal ((find "waits").Output.Trim()) "after a while" "after a wait"
            Expect.equal (find "passes").Output "" "of a test that prints nothing"
        }

        test "filters choose by parts of the name and of the full name" {
            Expect.equal (chosenBy "Name~case") [ "inner.case 1"; "inner.case 2"; "inner.case 3" ] "by name"

            Expect.equal (chosenBy "FullyQualifiedName~Sample.inner&Name!~2") [ "inner.case 1"; "inner.case 3" ] "both"

            Expect.equal (chosenBy "FullyQualifiedName=Sample.passes") [ "passes" ] "by the whole name"
            Expect.equal (chosenBy "Name~Sample") [] "the list is no part of the name"
        }

        test "two tests of one name are an error" {
            let run = vstest "duplicates" []
            Expect.equal run.Status 1 "the exit status"
            Expect.stringContains run.Text "2 tests have the name 'Sample.passes'" "the message"
        }
    ]
