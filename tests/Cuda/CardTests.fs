/// What needs a card: every operation, a kernel of every sort, and all that the tests of a second device run. Skipped,
/// with the reason, where there is none.
module Curvature.Tests.Cuda.CardTests

open Expecto
open Expecto.Flip
open Curvature.Cuda
open Curvature.Kernels
open Curvature.Tests.CudaWithoutCard
open Curvature.Tests.Unit.Kernels.Support

let private opened =
    lazy
        (let _, card, reason = CudaDevice.TryOpen()
         card, reason)

/// The card; skips the test where there is none.
let private card () =
    match opened.Value with
    | null, reason -> skiptest reason
    | card, _ -> card

let private runOnCard (tape: TapeDescription) slots =
    let card = card ()
    run card (card.Map tape) slots

[<Tests>]
let tests =
    testSequenced
    <| testList "Cuda.CardTests" [
        for op in OperationCases.operations do
            test $"{op} in Float64 has the bits of the processor, or is within 2 units of the C library" {
                OperationCases.check64 (card ()) runOnCard op
            }

            test $"{op} in Float32 has the bits of the processor, or is within a unit of the C library" {
                OperationCases.check32 (card ()) runOnCard op
            }

        for name, run in KernelCases.all do
            test $"{name} has the bits of the processor, twice" {
                let card = card ()
                let expected = run TapeRuns.device
                Expect.equal "once" expected (run card)
                Expect.equal "twice" expected (run card)
            }

        for name, run in LibraryCases.all do
            test $"everything runs on the card and gives what the processor gives ({name})" {
                LibraryCases.check (card ()) (name, run)
            }
    ]
