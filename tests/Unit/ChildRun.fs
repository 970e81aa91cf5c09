namespace Curvature.Tests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Xml.Linq
open Expecto.Flip

/// Runs tests of an assembly again in a process of their own, where nothing ran before them.
[<RequireQualifiedAccess>]
module ChildRun =

    let private outcomes (results: string) =
        let document = XDocument.Load results

        [
            for result in document.Descendants() do
                if result.Name.LocalName = "UnitTestResult" then
                    result.Attribute(XName.Get "testName").Value, result.Attribute(XName.Get "outcome").Value
        ]

    let private start (environment: (string * string) list) (assembly: Assembly) (filter: string) (folder: string) =
        let arguments =
            [
                "vstest"
                assembly.Location
                $"--TestCaseFilter:{filter}"
                "--logger:trx;LogFileName=results.trx"
                $"--ResultsDirectory:{folder}"
            ]

        let info = ProcessStartInfo("dotnet", arguments)

        for name, value in environment do
            info.Environment[name] <- value

        info.RedirectStandardOutput <- true
        info.RedirectStandardError <- true
        Process.Start info

    /// The names of the tests that a filter chooses and that passed, with these variables in the environment. Fails
    /// where one of them fails. A filter cannot have spaces.
    let passed (environment: (string * string) list) (assembly: Assembly) (filter: string) : string list =
        let folder = Directory.CreateTempSubdirectory "curvature-child"

        try
            use child = start environment assembly filter folder.FullName
            let error = child.StandardError.ReadToEndAsync()
            let output = child.StandardOutput.ReadToEnd()
            child.WaitForExit()
            Expect.isZero $"{output}\n{error.Result}" child.ExitCode

            [
                for name, outcome in outcomes (Path.Combine(folder.FullName, "results.trx")) do
                    if outcome = "Passed" then name
            ]
        finally
            folder.Delete true

    let private variable = "CURVATURE_TEST_ALONE"

    /// Runs the body where nothing ran before it. Call it from the one test of this assembly that the filter chooses.
    let alone (assembly: Assembly) (filter: string) (body: unit -> unit) : unit =
        match Environment.GetEnvironmentVariable variable with
        | null -> Expect.hasLength "tests that ran" 1 (passed [ variable, "1" ] assembly filter)
        | _ -> body ()
