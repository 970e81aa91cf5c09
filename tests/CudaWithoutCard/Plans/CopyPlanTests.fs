/// Copies by PoCL against the processor, bit for bit.
module Curvature.Tests.CudaWithoutCard.CopyPlanTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private check<'S, 'T
    when 'S: unmanaged
    and 'S: (new: unit -> 'S)
    and 'S: struct
    and 'S :> ValueType
    and 'T: unmanaged
    and 'T: (new: unit -> 'T)
    and 'T: struct
    and 'T :> ValueType>
    (random: Random)
    (shape: int[])
    (draw: unit -> 'S)
    (blank: 'T)
    =
    let source, target = randomLayout random true shape, randomLayout random false shape
    let copy = CopyDescription(dtypeOf<'S>, dtypeOf<'T>, shape, source.Operand 0, target.Operand 1)
    let values = Array.init source.Length (fun _ -> draw ())
    let make () = [ upload device values; upload device (Array.create target.Length blank) ]
    let expected, actual = both<'T> (CopyPlans.Make copy) (device.Copy copy) make 1
    sameBits (CopyKernels.Describe copy) expected actual

let private hard =
    [|
        nan
        infinity
        -infinity
        0.0
        -0.0
        2147483647.0
        2147483648.0
        -2147483648.0
        -2147483649.0
        1.9
        -1.9
        1e30
    |]

[<Tests>]
let tests =
    testList "CudaWithoutCard.CopyPlanTests" [
        test "copies over random layouts, from every type to every type" {
            Pocl.require ()
            let random = Random 8

            let number () =
                if random.Next 3 = 0 then
                    hard[random.Next hard.Length]
                else
                    2000.0 * random.NextDouble() - 1000.0

            for _ in 1..25 do
                let shape = randomShape random
                check<float, float> random shape number (float mark)
                check<float32, float32> random shape (number >> float32) (float32 mark)
                check<int, int> random shape (fun () -> random.Next()) mark
                check<float, float32> random shape number (float32 mark)
                check<float32, float> random shape (number >> float32) (float mark)
                check<float, int> random shape number mark
                check<float32, int> random shape (number >> float32) mark
                check<int, float> random shape (fun () -> random.Next()) (float mark)
                check<int, float32> random shape (fun () -> random.Next()) (float32 mark)
        }

        test "more axes than a kernel takes are refused" {
            let shape = Array.create 9 2
            let strides = Array.init 9 (fun i -> pown 3 i)

            let copy =
                CopyDescription(
                    DType.Float32,
                    DType.Float32,
                    shape,
                    Operand(0, 0L, strides),
                    Operand(1, 0L, dense shape)
                )

            refuses "Shape" (fun () -> CopyPlans.Make copy |> ignore)
        }

        test "an empty copy launches nothing" {
            let copy =
                CopyDescription(
                    DType.Float32,
                    DType.Float32,
                    [| 3; 0 |],
                    Operand(0, 0L, [| 0; 1 |]),
                    Operand(1, 0L, [| 0; 1 |])
                )

            Expect.isEmpty "launches" (CopyPlans.Make copy).Launches
        }
    ]
