/// Tests with every outcome, on which the adapter is tried. They exist only where a process is told so, since some of
/// them fail.
module Curvature.Tests.ExpectoAdapterTests.Sample

open System
open System.Threading
open Expecto

/// The environment variable that makes the tests exist: "outcomes", or "duplicates".
[<Literal>]
let Switch = "EXPECTO_ADAPTER_SAMPLE"

let private outcomes =
    [
        test "passes" { Expect.equal (1 + 1) 2 "a sum" }

        test "fails" { Expect.equal 1 2 "two numbers" }

        test "throws" { raise (TimeoutException "too slow") }

        test "skips while it runs" { skiptest "nothing to look at" }

        ptest "is pending" { failtest "never run" }

        test "prints" {
            printf "first"
            let thread = Thread(fun () -> Console.WriteLine " and second")
            thread.Start()
            thread.Join()
        }

        testAsync "waits" {
            do! Async.Sleep 20
            Console.WriteLine "after a while"
        }

        testList "inner" [ for i in 1..3 -> testCase $"case {i}" (fun () -> Expect.isLessThan i 3 "a small number") ]

        testProperty "a law that does not hold" (fun (n: int) -> n < 5)
    ]

[<Tests>]
let tests =
    match Environment.GetEnvironmentVariable Switch with
    | "outcomes" -> testList "Sample" outcomes
    | "duplicates" -> testList "Sample" [ outcomes.Head; outcomes.Head ]
    | _ -> testList "Sample" []
