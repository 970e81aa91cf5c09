namespace Curvature.Tests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Runtime.Intrinsics
open System.Xml.Linq
open NUnit.Framework
open Curvature.Kernels

/// Runs tests of an assembly again in a process of its own, whose runtime has vector instructions switched off. There
/// .NET's own vectors take their portable paths too, which no kernel reaches on a machine that has all instructions.
[<RequireQualifiedAccess>]
module WithoutInstructions =

    /// Tells the process which instruction set has to be the best of what is left.
    let private expected = "CURVATURE_BEST_INSTRUCTIONS"

    /// .NET's switches, and what is the best without them.
    let switches =
        [
            "DOTNET_EnableAVX512", InstructionSet.Avx512, InstructionSet.Avx2
            "DOTNET_EnableAVX2", InstructionSet.Avx2, InstructionSet.Portable
        ]

    /// That a switch took effect in this process; without one, that the best instruction set runs here.
    let check () =
        match Environment.GetEnvironmentVariable expected with
        | null -> Assert.That(InstructionSets.IsSupported InstructionSets.Best)
        | best ->
            Assert.That(string InstructionSets.Best, Is.EqualTo best)
            Assert.That(Vector512.IsHardwareAccelerated, Is.False)
            Assert.That(InstructionSets.IsSupported InstructionSet.Avx512, Is.False)
            let isAvx2Best = (best = string InstructionSet.Avx2)
            Assert.That(Vector256.IsHardwareAccelerated, Is.EqualTo isAvx2Best)

    let private outcomes (results: string) =
        let document = XDocument.Load results

        [
            for result in document.Descendants() do
                if result.Name.LocalName = "UnitTestResult" then
                    result.Attribute(XName.Get "testName").Value, result.Attribute(XName.Get "outcome").Value
        ]

    let private start (switch: string) (best: InstructionSet) (assembly: Assembly) (filter: string) (folder: string) =
        let arguments =
            [
                "vstest"
                assembly.Location
                $"--TestCaseFilter:{filter}"
                "--logger:trx;LogFileName=results.trx"
                $"--ResultsDirectory:{folder}"
            ]

        let info = ProcessStartInfo("dotnet", arguments)
        info.Environment[switch] <- "0"
        info.Environment[expected] <- string best
        info.RedirectStandardOutput <- true
        info.RedirectStandardError <- true
        Process.Start info

    /// The tests that a filter chooses, among them the one of this name that calls `check`. Fails where one of them
    /// fails, or where less ran than `least`.
    let run (switch: string) (assembly: Assembly) (filter: string) (checking: string) (least: int) : unit =
        let _, off, best = switches |> List.find (fun (name, _, _) -> name = switch)

        if not (InstructionSets.IsSupported off) then
            Assert.Ignore $"this machine has no {off}"

        let folder = Directory.CreateTempSubdirectory "curvature-instructions"

        try
            use child = start switch best assembly filter folder.FullName
            let error = child.StandardError.ReadToEndAsync()
            let output = child.StandardOutput.ReadToEnd()
            child.WaitForExit()
            Assert.That(child.ExitCode, Is.Zero, $"{output}\n{error.Result}")
            let outcomes = outcomes (Path.Combine(folder.FullName, "results.trx"))
            let passed = outcomes |> List.filter (fun (_, outcome) -> outcome = "Passed")
            TestContext.Out.WriteLine $"{passed.Length} of {outcomes.Length} tests passed with {switch}=0"
            Assert.That(passed |> List.exists (fun (name, _) -> name.Contains checking), $"{checking} did not run")
            Assert.That(passed.Length, Is.GreaterThanOrEqualTo least)
        finally
            folder.Delete true
