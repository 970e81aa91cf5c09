/// Plans of tapes and of random numbers: their texts by the interpreter, what puts sums together by PoCL.
module Curvature.Tests.CudaWithoutCard.TapePlanTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private sumTape (shape: int[]) summed =
    let kept = Array.take (shape.Length - summed) shape

    // The target is reversed, so that its strides count.
    let reversed =
        match kept with
        | [||] -> { denseLayout kept with Strides = [||] }
        | _ ->
            let strides = dense kept
            strides[0] <- -strides[0]

            {
                Strides = strides
                Offset = (kept[0] - 1) * (dense kept)[0]
                Length = count kept
            }

    reversed,
    TapeDescription(
        DType.Float64,
        shape,
        [| (denseLayout shape).Operand 0 |],
        [||],
        [| Instruction(OpCode.Exp, 0) |],
        [| TapeOutput(1, reversed.Operand 1, summed); TapeOutput(1, Operand(2, 0L, [||]), shape.Length) |]
    )

[<Tests>]
let tests =
    testList "CudaWithoutCard.TapePlanTests" [
        test "sums in pieces are put together in their places, and those over nothing are zero" {
            Pocl.require ()

            for shape, summed in [ [| 3; 9001 |], 1; [| 40; 7 |], 1; [| 2; 3; 0 |], 1; [| 5; 40 |], 2 ] do
                let _, tape = sumTape shape summed
                let random = Random 4
                let values = Array.init (max 1 (count shape)) (fun _ -> random.NextDouble())
                let kept = count (Array.take (shape.Length - summed) shape)
                let make () = [ upload device values; upload device (Array.create kept nan); upload device [| nan |] ]

                for slot in [ 1; 2 ] do
                    let expected, actual = both<float> (TapePlans.Make(tape, true)) (device.Map tape) make slot
                    Array.iter2 (fun e a -> Expect.floatClose $"%A{shape}" Accuracy.veryHigh e a) expected actual
        }

        test "random numbers begin where the description says" {
            let fill = RandomDescription(DType.Float32, Distribution.Normal, 5u, 6u, 7L, 300L, Place(0, 11L))
            let make () = [ upload device (Array.create 320 (float32 mark)) ]
            both<float32> (RandomPlans.Make fill) (device.Random fill) make 0 ||> sameBits "normal"
        }

        test "bits are integers" {
            refuses "DType" (fun () ->
                RandomPlans.Make(RandomDescription(DType.Float32, Distribution.Bits, 5u, 6u, 7L, 3L, Place(0, 0L)))
                |> ignore)
        }
    ]
