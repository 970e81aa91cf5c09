/// That the numbers which a failing law prints replay it.
module Curvature.Tests.Properties.ReplayTests

open System.Text.RegularExpressions
open Expecto
open Expecto.Flip

/// Runs a law that does not hold; gives the cases in order and the message.
let private failureOf replay =
    let cases = ResizeArray<int * int>()

    let law =
        testPropertyWithConfig
            { FsCheckConfig.defaultConfig with replay = replay }
            "a law that does not hold"
            (fun (a: int) (b: int) ->
                cases.Add(a, b)
                abs a + abs b < 5)

    match Impl.evalTestsSilent law |> Async.RunSynchronously with
    | [ _, { result = Impl.Failed message } ] -> List.ofSeq cases, message
    | results -> failtest $"not one failure: {results}"

[<Tests>]
let tests =
    testList "Properties.ReplayTests" [
        test "the numbers that a failure prints replay the case that failed" {
            let cases, message = failureOf (Some(12UL, 35UL, None))
            let printed = Regex.Match(message, @"etestProperty\w* \((.*?)\)").Groups[1].Value
            let again, _ = failureOf (replayOf printed)
            let failed = cases |> List.find (fun (a, b) -> abs a + abs b >= 5)
            Expect.equal "the first case" failed again.Head
        }

        test "the same numbers give the same cases, and others give others" {
            let cases numbers = fst (failureOf (replayOf numbers))
            Expect.equal "the same" (cases "12,35") (cases "12UL, 35UL")
            Expect.notEqual "others" (cases "12,35") (cases "13,35")
        }

        test "text that is not two or three numbers is refused" {
            Expect.equal "nothing" None (replayOf "")
            Expect.equal "three" (Some(1UL, 3UL, Some 7)) (replayOf "1UL, 3UL, Some 7")
            Expect.throwsT<System.FormatException> "one" (fun () -> replayOf "1" |> ignore)
        }
    ]
