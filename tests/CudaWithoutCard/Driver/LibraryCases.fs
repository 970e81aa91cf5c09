/// The whole library on another device: all that the tests of a second device run. What comes out is what the processor
/// says, to rounding.
module Curvature.Tests.CudaWithoutCard.LibraryCases

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests.Unit.Devices

let all = SecondDeviceCases.all

/// Runs a case on the processor and on a device, and compares the numbers.
let check (device: Device) (name: string, run: (Tensor -> Tensor) -> float list) =
    let expected, actual = run id, run (Tensor.toDevice device)
    Expect.equal $"{name}: numbers" expected.Length actual.Length
    let scale = expected |> Seq.filter Double.IsFinite |> Seq.fold (fun most x -> max most (abs x)) 1.0

    for i, (e, a) in List.zip expected actual |> List.indexed do
        if not (e.Equals a || abs (e - a) <= 1e-6 * scale) then
            failtest $"{name}, number {i}: {e:R} on the processor, {a:R} on {device.Name}"
