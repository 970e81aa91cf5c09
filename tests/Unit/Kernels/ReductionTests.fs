/// Reductions against plain loops.
module Curvature.Tests.Unit.Kernels.ReductionTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

/// The elements that go into each result, in order.
let private groups (shape: int[]) (axes: int[]) (values: 'T[]) =
    let kept =
        [|
            for axis in 0 .. shape.Length - 1 do
                if not (Array.contains axis axes) then axis
        |]

    let size = Array.map (fun axis -> shape[axis]) kept
    let result = Array.init (count size) (fun _ -> ResizeArray<'T>())
    let strides = dense size

    for value, index in Seq.zip values (indices shape) do
        result[Array.sum (Array.mapi (fun i axis -> index[axis] * strides[i]) kept)].Add value

    size, result

let private reduceOn<'T, 'R
    when 'T: unmanaged
    and 'T: (new: unit -> 'T)
    and 'T: struct
    and 'T :> ValueType
    and 'R: unmanaged
    and 'R: (new: unit -> 'R)
    and 'R: struct
    and 'R :> ValueType
    and 'R: equality>
    kind
    shape
    axes
    (source: Layout)
    (target: Layout)
    kept
    (blank: 'R)
    (buffer: 'T[])
    (device: CpuDevice)
    =
    let kernel =
        device.Reduce(ReductionDescription(dtypeOf<'T>, kind, shape, axes, source.Operand 0, target.Operand 1))

    let memory = [ upload device buffer; upload device (Array.create target.Length blank) ]
    run device kernel memory
    download<'R> device target.Length memory[1] |> target.ReadAlone kept ((=) blank)

let private randomAxes (random: Random) rank =
    [|
        for axis in 0 .. rank - 1 do
            if random.Next 2 = 0 then axis
    |]

[<Tests>]
let tests =
    testList "Unit.Kernels.ReductionTests" [
        test "random reductions agree with loops, whatever the instruction set and the number of threads" {
            let random = Random 11

            for trial in 1..120 do
                let shape = randomShape random
                let axes = randomAxes random shape.Length
                let source = randomLayout random true shape

                let kept =
                    [|
                        for axis in 0 .. shape.Length - 1 do
                            if not (Array.contains axis axes) then shape[axis]
                    |]

                let target = randomLayout random false kept
                let buffer = Array.init source.Length (fun _ -> float (float32 (random.NextDouble() - 0.5)))
                let _, parts = groups shape axes (source.Read shape buffer)
                let sums = parts |> Array.map (fun part -> Seq.sum part, 1.0 + Seq.sumBy abs part)
                let largest = parts |> Array.map (Seq.fold max -infinity)
                let single = Array.map float32 buffer

                let check tolerance actual =
                    Array.forall2 (fun (sum, scale) value -> abs (sum - value) <= tolerance * scale) sums actual
                    |> holds $"sum, trial {trial}"

                for device in devices do
                    reduceOn ReductionKind.Sum shape axes source target kept (float mark) buffer device |> check 1e-13

                    reduceOn ReductionKind.Sum shape axes source target kept (float32 mark) single device
                    |> Array.map float
                    |> check 1e-7

                    reduceOn ReductionKind.Maximum shape axes source target kept (float mark) buffer device
                    |> same largest

                    reduceOn ReductionKind.Maximum shape axes source target kept (float32 mark) single device
                    |> Array.map float
                    |> same largest

                    if parts |> Array.forall (fun part -> part.Count > 0) then
                        let first =
                            Array.map2 (fun (part: ResizeArray<float>) largest -> part.IndexOf largest) parts largest

                        reduceOn ReductionKind.ArgMaximum shape axes source target kept mark buffer device |> same first
                        reduceOn ReductionKind.ArgMaximum shape axes source target kept mark single device |> same first

                let results =
                    teams |> List.map (reduceOn ReductionKind.Sum shape axes source target kept (float32 mark) single)

                results |> List.forall ((=) results.Head) |> holds $"threads, trial {trial}"
        }

        test "long reductions are the same bits on any number of threads" {
            for shape, axes in
                [
                    [| 3000001 |], [| 0 |]
                    [| 100000; 10 |], [| 0 |]
                    [| 100000; 10 |], [| 1 |]
                    [| 5; 300; 700 |], [| 0; 2 |]
                    [| 3; 200; 1000 |], [| 1 |]
                    [| 2; 300000 |], [| 1 |]
                ] do
                let random = Random 2
                let values = Array.init (count shape) (fun _ -> random.NextDouble() - 0.4)

                let kept =
                    [|
                        for axis in 0 .. shape.Length - 1 do
                            if not (Array.contains axis axes) then shape[axis]
                    |]

                let source, target = denseLayout shape, denseLayout kept
                let results = teams |> List.map (reduceOn ReductionKind.Sum shape axes source target kept 0.0 values)
                results |> List.forall ((=) results.Head) |> holds $"{shape}"
                let total = Array.sum values
                holds $"{shape}" (abs (Array.sum results.Head - total) <= 1e-9 * total)
        }

        test "ten million float32 tenths add up to a million" {
            for device in devices do
                let n = 10_000_000
                let layout, result = denseLayout [| n |], denseLayout [||]
                let sum = reduceOn ReductionKind.Sum [| n |] [| 0 |] layout result [||] 0f (Array.create n 0.1f) device
                same [| float32 (float n * float 0.1f) |] sum
        }

        test "the sum of nothing is zero and its maximum minus infinity" {
            for axes, kept in [ [| 1 |], [| 2; 3 |]; [| 0; 1 |], [| 3 |]; [| 1; 2 |], [| 2 |]; [| 0; 1; 2 |], [||] ] do
                let shape = [| 2; 0; 3 |]
                let source, target = denseLayout shape, denseLayout kept
                let reduce kind = reduceOn kind shape axes source target kept 5f [| 1f |] devices.Head
                same (Array.create (count kept) 0f) (reduce ReductionKind.Sum)
                same (Array.create (count kept) -infinityf) (reduce ReductionKind.Maximum)
        }

        test "NaN wins every maximum, and the first NaN is where it is" {
            let values = Array.init 1000 (fun i -> if i % 400 = 399 then nan else float i)
            let layout, result = denseLayout [| 1000 |], denseLayout [||]

            for device in devices do
                let reduce kind blank = reduceOn kind [| 1000 |] [| 0 |] layout result [||] blank values device
                holds "maximum" (Double.IsNaN(Array.head (reduce ReductionKind.Maximum 0.0)))

                reduceOn ReductionKind.ArgMaximum [| 1000 |] [| 0 |] layout result [||] 0 values device
                |> same [| 399 |]
        }

        test "a malformed reduction is refused with the name of what is wrong" {
            let shape = [| 2; 3 |]
            let source = (denseLayout shape).Operand 0
            let target = (denseLayout [| 2 |]).Operand 1
            let good = ReductionDescription(DType.Float32, ReductionKind.Sum, shape, [| 1 |], source, target)

            let bad =
                [
                    "DType", ReductionDescription(DType.Int32, good.Kind, shape, good.Axes, source, target)
                    "Kind", ReductionDescription(good.DType, enum 9, shape, good.Axes, source, target)
                    "Shape", ReductionDescription(good.DType, good.Kind, [| 2; -1 |], good.Axes, source, target)
                    "Axes", ReductionDescription(good.DType, good.Kind, shape, [| 2 |], source, target)
                    "Axes", ReductionDescription(good.DType, good.Kind, shape, [| 1; 0 |], source, target)
                    "Source", ReductionDescription(good.DType, good.Kind, shape, good.Axes, target, target)
                    "Target", ReductionDescription(good.DType, good.Kind, shape, good.Axes, source, source)
                    "Shape",
                    ReductionDescription(good.DType, ReductionKind.ArgMaximum, [| 2; 0 |], good.Axes, source, target)
                ]

            for argument, reduction in bad do
                refuses argument (fun () -> devices.Head.Reduce reduction |> ignore)
        }
    ]
