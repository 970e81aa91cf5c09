namespace Curvature.Tests

open System
open System.Reflection
open System.Runtime.Intrinsics
open Expecto
open Expecto.Flip
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
        | null -> Expect.isTrue "InstructionSets.IsSupported Ins…" (InstructionSets.IsSupported InstructionSets.Best)
        | best ->
            Expect.equal "string InstructionSets.Best" best (string InstructionSets.Best)
            Expect.isFalse "Vector512.IsHardwareAccelerated" Vector512.IsHardwareAccelerated
            Expect.isFalse "InstructionSets.IsSupported Ins…" (InstructionSets.IsSupported InstructionSet.Avx512)
            let isAvx2Best = (best = string InstructionSet.Avx2)
            Expect.equal "Vector256.IsHardwareAccelerated" isAvx2Best Vector256.IsHardwareAccelerated

    /// The tests that a filter chooses, among them the one of this name that calls `check`. Fails where one of them
    /// fails, or where less ran than `least`.
    let run (switch: string) (assembly: Assembly) (filter: string) (checking: string) (least: int) : unit =
        let _, off, best = switches |> List.find (fun (name, _, _) -> name = switch)

        if not (InstructionSets.IsSupported off) then
            skiptest $"this machine has no {off}"

        let passed = ChildRun.passed [ switch, "0"; expected, string best ] assembly filter
        stdout.WriteLine $"{passed.Length} tests passed with {switch}=0"
        Expect.isTrue $"{checking} did not run" (passed |> List.exists _.Contains(checking))
        Expect.isGreaterThanOrEqual "passed.Length" (passed.Length, least)
