/// Reductions by PoCL against the processor: sums within rounding, the rest exactly.
module Curvature.Tests.CudaWithoutCard.ReductionPlanTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private keptOf (shape: int[]) (axes: int[]) =
    [|
        for axis in 0 .. shape.Length - 1 do
            if not (Array.contains axis axes) then shape[axis]
    |]

let private reduce<'T, 'R
    when 'T: unmanaged
    and 'T: (new: unit -> 'T)
    and 'T: struct
    and 'T :> ValueType
    and 'R: unmanaged
    and 'R: (new: unit -> 'R)
    and 'R: struct
    and 'R :> ValueType>
    kind
    (shape: int[])
    axes
    (source: Layout)
    (target: Layout)
    (blank: 'R)
    (values: 'T[])
    =
    let reduction = ReductionDescription(dtypeOf<'T>, kind, shape, axes, source.Operand 0, target.Operand 1)
    let make () = [ upload device values; upload device (Array.create target.Length blank) ]
    both<'R> (ReductionPlans.Make reduction) (device.Reduce reduction) make 1

let private close what tolerance (expected: float[]) (actual: float[]) =
    for i in 0 .. expected.Length - 1 do
        if not (expected[i].Equals actual[i] || abs (expected[i] - actual[i]) <= tolerance) then
            failtest $"{what}, element {i}: {expected[i]:R} on the processor, {actual[i]:R} by PoCL"

let private check what shape axes source target (values: float[]) =
    let single = Array.map float32 values
    let scale = 1.0 + Seq.sumBy (fun x -> if Double.IsFinite x then abs x else 0.0) values

    reduce ReductionKind.Sum shape axes source target (float mark) values ||> close $"{what}, sum" (1e-14 * scale)

    reduce ReductionKind.Sum shape axes source target (float32 mark) single
    |> fun (expected, actual) -> close $"{what}, sum" (1e-7 * scale) (Array.map float expected) (Array.map float actual)

    reduce ReductionKind.Maximum shape axes source target (float mark) values ||> sameBits $"{what}, maximum"
    reduce ReductionKind.Maximum shape axes source target (float32 mark) single ||> sameBits $"{what}, maximum"

    if axes |> Array.forall (fun axis -> Array.item axis shape > 0) then
        reduce ReductionKind.ArgMaximum shape axes source target mark values ||> sameBits $"{what}, position"
        reduce ReductionKind.ArgMaximum shape axes source target mark single ||> sameBits $"{what}, position"

[<Tests>]
let tests =
    testList "CudaWithoutCard.ReductionPlanTests" [
        test "random reductions over random layouts, with ties, NaN and infinities" {
            Pocl.require ()
            let random = Random 12

            for trial in 1..40 do
                let shape = randomShape random

                let axes =
                    [|
                        for axis in 0 .. shape.Length - 1 do
                            if random.Next 2 = 0 then axis
                    |]

                let source, target = randomLayout random true shape, randomLayout random false (keptOf shape axes)

                let draw () =
                    match random.Next 400 with
                    | 0 when trial % 2 = 0 -> nan
                    | 1 when trial % 3 = 0 -> -infinity
                    | _ -> float (random.Next(-50, 50))

                check $"trial {trial}" shape axes source target (Array.init source.Length (fun _ -> draw ()))
        }

        test "long reductions, in pieces, by rows and by columns" {
            Pocl.require ()

            for shape, axes in
                [
                    [| 100003 |], [| 0 |]
                    [| 20000; 10 |], [| 0 |]
                    [| 20000; 10 |], [| 1 |]
                    [| 70; 5000 |], [| 0 |]
                    [| 5; 300; 70 |], [| 0; 2 |]
                    [| 3; 20000 |], [| 1 |]
                    [| 65; 4 |], [| 0 |]
                    [| 0; 4 |], [| 0 |]
                ] do
                let random = Random 2
                let source, target = denseLayout shape, denseLayout (keptOf shape axes)
                let values = Array.init source.Length (fun _ -> random.NextDouble() - 0.4)
                check $"%A{shape} over %A{axes}" shape axes source target values
        }

        test "a position among nothing is refused" {
            refuses "Shape" (fun () ->
                ReductionPlans.Make(
                    ReductionDescription(
                        DType.Float32,
                        ReductionKind.ArgMaximum,
                        [| 2; 0 |],
                        [| 1 |],
                        Operand(0, 0L, [| 0; 1 |]),
                        Operand(1, 0L, [| 1 |])
                    )
                )
                |> ignore)
        }
    ]
