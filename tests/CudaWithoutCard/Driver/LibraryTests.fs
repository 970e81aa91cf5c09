/// The whole library on a card whose launches compute here: all that the tests of a second device run. What comes out is
/// what the processor says, to rounding.
module Curvature.Tests.CudaWithoutCard.LibraryTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Tests.Unit.Devices

let private close name (expected: float list) (actual: float list) =
    Expect.equal $"{name}: numbers" expected.Length actual.Length
    let scale = expected |> Seq.filter Double.IsFinite |> Seq.fold (fun most x -> max most (abs x)) 1.0

    for i, (e, a) in List.zip expected actual |> List.indexed do
        if not (e.Equals a || abs (e - a) <= 1e-6 * scale) then
            failtest $"{name}, number {i}: {e:R} on the processor, {a:R} on the card"

[<Tests>]
let tests =
    testSequenced
    <| testList "CudaWithoutCard.LibraryTests" [
        for name, run in SecondDeviceCases.all do
            test $"everything runs on a card and gives what the processor gives ({name})" {
                Pocl.require ()
                Stub.reset ()
                let launches = Launches()
                Stub.listen launches.Listener
                use card = Stub.openDevice ()
                let expected = run id
                let actual = run (Tensor.toDevice card)
                launches.Check()
                close name expected actual
                Expect.equal "misuses" 0 (Stub.misuses ())
            }
    ]
