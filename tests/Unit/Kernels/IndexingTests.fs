/// Gather, scatter-add and cumulative sums against plain loops.
module Curvature.Tests.Unit.Kernels.IndexingTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support
open Curvature.Tests

let private randomSizes (random: Random) =
    match random.Next 4 with
    | 0 -> 1, 1, 1 + random.Next 50, 1 + random.Next 9000, 1
    | 1 -> 1, 1, 1 + random.Next 50, 1 + random.Next 90, 1 + random.Next 3000
    | _ -> 1 + random.Next 4, 1 + random.Next 4, 1 + random.Next 9, 1 + random.Next 12, 1 + random.Next 6

let private indexing dtype (batch, outer, length, size, inner) =
    let sizes = IndexingSizes(batch, outer, length, size, inner)
    IndexingDescription(dtype, sizes, Place(0, 1L), Place(1, 2L), Place(2, 3L))

let private runIndexing (kernel: Kernel) (device: CpuDevice) (source: 'T[]) (index: int[]) size =
    let blank = Array.zeroCreate<'T> 1

    let memory =
        [
            upload device (Array.append blank source)
            upload device (Array.append [| -1; -1 |] index)
            upload device (Array.create (size + 3) (Array.head source))
        ]

    run device kernel memory
    Array.skip 3 (download<'T> device (size + 3) memory[2])

[<Tests>]
let tests =
    testList "Unit.Kernels.IndexingTests" [
        test "gather picks and scatter-add puts back, duplicates in order" {
            let random = Random 9

            for _ in 1..100 do
                let batch, outer, length, size, inner as sizes = randomSizes random
                let index = Array.init (batch * size) (fun _ -> random.Next length)
                let table = Array.init (batch * outer * length * inner) (fun _ -> float32 (random.NextDouble()))
                let picked = Array.init (batch * outer * size * inner) (fun _ -> float32 (random.NextDouble()))

                let expectedPick = Array.zeroCreate<float32> picked.Length
                let expectedSum = Array.zeroCreate<float32> table.Length

                for b in 0 .. batch - 1 do
                    for o in 0 .. outer - 1 do
                        for i in 0 .. size - 1 do
                            for n in 0 .. inner - 1 do
                                let inTable = ((b * outer + o) * length + index[b * size + i]) * inner + n
                                let inPicked = ((b * outer + o) * size + i) * inner + n
                                expectedPick[inPicked] <- table[inTable]
                                expectedSum[inTable] <- expectedSum[inTable] + picked[inPicked]

                for device in devices.Head :: teams do
                    runIndexing (device.Gather(indexing DType.Float32 sizes)) device table index picked.Length
                    |> same expectedPick

                    runIndexing (device.ScatterAdd(indexing DType.Float32 sizes)) device picked index table.Length
                    |> same expectedSum

                    runIndexing
                        (device.Gather(indexing DType.Float64 sizes))
                        device
                        (Array.map float table)
                        index
                        picked.Length
                    |> same (Array.map float expectedPick)
        }

        test "an index out of range is an error that names its position and value" {
            let sizes = 2, 1, 5, 4, 1

            for wrong in [ -1; 5; Int32.MaxValue; Int32.MinValue ] do
                let index = [| 0; 1; 2; 3; 4; 0; wrong; 99 |]

                for device in teams do
                    for kernel in
                        (let work = indexing DType.Float64 sizes in [ device.Gather work; device.ScatterAdd work ]) do
                        let attempt () = runIndexing kernel device (Array.create 10 1.0) index 10 |> ignore
                        let error = Expect.caught<ArgumentRangeException> attempt
                        holds error.Message (error.Message.Contains $"from 0 to 4, got {wrong} at position [1, 2]")
        }

        test "an error in one run leaves the threads ready for the next" {
            let sizes = 1, 1, 10, 100000, 1

            for device in teams do
                let kernel = device.Gather(indexing DType.Float32 sizes)
                let table = Array.init 10 float32
                let index = Array.init 100000 (fun i -> i % 10)
                let broken = Array.mapi (fun i k -> if i >= 777 then 10 else k) index

                for _ in 1..10 do
                    let attempt () = runIndexing kernel device table broken 100000 |> ignore
                    let error = Expect.caught<ArgumentRangeException> attempt
                    holds error.Message (error.Message.Contains "at position 777.")
                    runIndexing kernel device table index 100000 |> same (Array.map float32 index)
        }

        test "cumulative sums agree with loops, forwards and backwards" {
            let random = Random 4

            for outer, length, inner in [ 1, 1, 1; 3, 17, 1; 1, 40000, 1; 2, 5, 7; 4, 30, 700; 50, 33, 12; 2, 0, 3 ] do
                for reverse in [ false; true ] do
                    let values = Array.init (outer * length * inner) (fun _ -> random.NextDouble() - 0.5)
                    let expected = Array.copy values

                    for o in 0 .. outer - 1 do
                        for n in 0 .. inner - 1 do
                            let at i = (o * length + i) * inner + n
                            let order = if reverse then [ length - 2 .. -1 .. 0 ] else [ 1 .. length - 1 ]

                            for i in order do
                                expected[at i] <- expected[at i] + expected[at (if reverse then i + 1 else i - 1)]

                    for device in devices @ teams do
                        let source, target = Place(0, 0L), Place(1, 0L)

                        let sum = CumulativeSumDescription(DType.Float64, outer, length, inner, reverse, source, target)

                        let memory = [ upload device values; upload device (Array.zeroCreate<float> values.Length) ]
                        run device (device.CumulativeSum sum) memory
                        download<float> device values.Length memory[1] |> same expected
        }

        test "malformed indexing is refused with the name of what is wrong" {
            let make (dtype, batch, outer, length, size, inner, slot) =
                let sizes = IndexingSizes(batch, outer, length, size, inner)
                IndexingDescription(dtype, sizes, Place(slot, 0L), Place(1, 0L), Place(2, 0L))

            let bad =
                [
                    "DType", make (enum 9, 1, 1, 1, 1, 1, 0)
                    "Batch", make (DType.Float32, -1, 1, 1, 1, 1, 0)
                    "Outer", make (DType.Float32, 1, -1, 1, 1, 1, 0)
                    "Length", make (DType.Float32, 1, 1, -1, 1, 1, 0)
                    "Count", make (DType.Float32, 1, 1, 1, -1, 1, 0)
                    "Inner", make (DType.Float32, 1, 1, 1, 1, -1, 0)
                    "Source", make (DType.Float32, 1, 1, 1, 1, 1, -1)
                ]

            for argument, indexing in bad do
                refuses argument (fun () -> devices.Head.Gather indexing |> ignore)
                refuses argument (fun () -> devices.Head.ScatterAdd indexing |> ignore)

            let sum dtype length =
                let sum = CumulativeSumDescription(dtype, 1, length, 1, false, Place(0, 0L), Place(1, 0L))
                devices.Head.CumulativeSum sum |> ignore

            refuses "DType" (fun () -> sum DType.Int32 1)
            refuses "Length" (fun () -> sum DType.Float32 -1)
        }
    ]
