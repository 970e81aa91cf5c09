/// Gathers, scatter-adds and cumulative sums by PoCL against the processor.
module Curvature.Tests.CudaWithoutCard.IndexPlanTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private places = Place(0, 3L), Place(1, 2L), Place(2, 1L)

let private indexing<'T> (sizes: IndexingSizes) =
    let source, index, target = places
    IndexingDescription(dtypeOf<'T>, sizes, source, index, target)

/// Arrays of elements for the table and for what is picked, and an index; each begins some places in.
let private arrays (random: Random) (sizes: IndexingSizes) tableFirst (convert: float -> 'T) =
    let table = sizes.Batch * sizes.Outer * sizes.Length * sizes.Inner
    let picked = sizes.Batch * sizes.Outer * sizes.Count * sizes.Inner
    let values length = Array.init length (fun _ -> convert (random.NextDouble() - 0.5))
    let index = Array.init (sizes.Batch * sizes.Count + 2) (fun _ -> random.Next(max 1 sizes.Length))
    let source = values ((if tableFirst then table else picked) + 3)
    let target = (if tableFirst then picked else table) + 2

    fun () ->
        [
            upload device source
            upload device index
            upload device (Array.create target (convert (float mark)))
        ]

let private check<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    random
    sizes
    (convert: float -> 'T)
    =
    let gather = indexing<'T> sizes
    let make = arrays random sizes true convert
    both<'T> (IndexPlans.Gather gather) (device.Gather gather) make 2 ||> sameBits $"gather {sizes}"
    let make = arrays random sizes false convert
    both<'T> (IndexPlans.ScatterAdd gather) (device.ScatterAdd gather) make 2 ||> sameBits $"scatter-add {sizes}"

let private cumulative<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (random: Random)
    (outer, length, inner)
    reverse
    (convert: float -> 'T)
    =
    let sum = CumulativeSumDescription(dtypeOf<'T>, outer, length, inner, reverse, Place(0, 2L), Place(1, 1L))
    let values = Array.init (outer * length * inner + 2) (fun _ -> convert (random.NextDouble()))
    let make () = [ upload device values; upload device (Array.create values.Length (convert (float mark))) ]
    both<'T> (IndexPlans.CumulativeSum sum) (device.CumulativeSum sum) make 1

[<Tests>]
let tests =
    testList "CudaWithoutCard.IndexPlanTests" [
        test "rows are picked, and added in the order of the index" {
            Pocl.require ()
            let random = Random 4

            for sizes in
                [
                    IndexingSizes(1, 1, 7, 300, 5)
                    IndexingSizes(1, 1, 1, 50, 1)
                    IndexingSizes(3, 2, 11, 40, 6)
                    IndexingSizes(2, 1, 100, 3, 70)
                    IndexingSizes(4, 50, 6, 9, 60)
                    IndexingSizes(1, 1, 30, 20000, 1)
                    IndexingSizes(2, 3, 5, 0, 4)
                ] do
                check<float32> random sizes float32
                check<float> random sizes id
        }

        test "integers are picked as they are" {
            Pocl.require ()
            let sizes = IndexingSizes(2, 2, 9, 17, 3)
            let gather = indexing<int> sizes
            let make = arrays (Random 1) sizes true (fun x -> int (1e6 * x))
            both<int> (IndexPlans.Gather gather) (device.Gather gather) make 2 ||> sameBits "gather"
        }

        test "an index out of range is reported with a place where there is one" {
            Pocl.require ()

            for count, wrong in [ 40, 33; 20000, 19999 ] do
                let sizes = IndexingSizes(2, 1, 5, count, 2)

                for plan, tableFirst in
                    [
                        IndexPlans.Gather(indexing<float> sizes), true
                        IndexPlans.ScatterAdd(indexing<float> sizes), false
                    ] do
                    for value in [ 5; -1 ] do
                        let memory = arrays (Random 2) sizes tableFirst id ()
                        let index = download<int> device (2 * count + 2) memory[1]
                        index[2 + count + wrong] <- value
                        device.Upload<int>(ReadOnlySpan index, memory[1].Address)
                        Expect.equal "the place" (int64 (count + wrong + 1)) (runPlan plan memory)
        }

        test "cumulative sums from either end" {
            Pocl.require ()
            let random = Random 6

            for sizes in [ 1, 1, 1; 3, 5, 2; 1, 255, 1; 1, 256, 1; 2, 257, 3; 1, 5000, 1; 4, 0, 2 ] do
                for reverse in [ false; true ] do
                    let expected, actual = cumulative<float> random sizes reverse id
                    Array.iter2 (fun e a -> Expect.floatClose $"{sizes}" Accuracy.veryHigh e a) expected actual
                    let expected, actual = cumulative<float32> random sizes reverse float32

                    // Sums in double precision round to the same number, but for a few between two.
                    Expect.isTrue $"{sizes}" (Array.forall2 (fun e a -> distance e a <= 1UL) expected actual)
        }
    ]
