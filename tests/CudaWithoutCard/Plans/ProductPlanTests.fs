/// Contractions by PoCL, over the cases of the processor's, whose sums are exact in any order.
module Curvature.Tests.CudaWithoutCard.ProductPlanTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.Unit.Kernels
open Curvature.Tests.Unit.Kernels.Support

let private arrays (blocks: Block list) : PtxArrays = [ for block in blocks -> block.Address, int64 block.Bytes.Length ]

/// C after a contraction, from operands as they are or with one of them packed.
let private actual tile packed (contraction: ContractionDescription) (a: float[]) (b: float[]) (c: float[]) =
    let dtype = contraction.DType
    let a, b, c = Block(dtype, a), Block(dtype, b), Block(dtype, c)

    match packed with
    | None ->
        runAt
            (ProductPlans.Contract(contraction, ?forced = tile))
            [| a.Address; b.Address; c.Address |]
            (arrays [ a; b; c ])
        |> ignore
    | Some side ->
        let size = if dtype = DType.Float32 then 4L else 8L
        let copy = Block(dtype, Array.create (int (ProductPlans.PackedBytes(contraction, side) / size)) nan)
        let addresses = [| a.Address; b.Address; c.Address; copy.Address |]
        runAt (ProductPlans.Pack(contraction, side, ContractionCases.slotPacked)) addresses [] |> ignore
        let packed = ContractionCases.withPacked side contraction
        runAt (ProductPlans.Contract(packed, ?forced = tile)) addresses [] |> ignore
        GC.KeepAlive copy

    GC.KeepAlive a
    GC.KeepAlive b
    c.Values

let private check what tile packed contraction a b c =
    let expected = ContractionCases.expected contraction a b c
    let found = actual tile packed contraction a b c

    if expected <> found then
        let i = Seq.zip expected found |> Seq.findIndex (fun (e, f) -> e <> f)
        failtest $"{what}, element {i}: expected {expected[i]}, got {found[i]}"

let private products = Tile.All |> Seq.truncate 5 |> List.ofSeq

[<Tests>]
let tests =
    testList "CudaWithoutCard.ProductPlanTests" [
        test "random contractions over any axes, packed and not" {
            Pocl.require ()
            let random = Random 21

            for trial in 1..120 do
                let dtype = if trial % 2 = 0 then DType.Float32 else DType.Float64
                let contraction, a, b, c = ContractionCases.random random dtype
                let packed = [ None; Some ContractionSide.A; Some ContractionSide.B ][trial % 3]
                check $"trial {trial}" None packed contraction a b c
        }

        for tile in products do
            test $"products by tiles of {tile.Name}, with every transposition and sizes that tiles do not divide" {
                Pocl.require ()
                let random = Random 22
                let dtype = if tile.Name.StartsWith "f32" then DType.Float32 else DType.Float64

                for m, n, k in [ 70, 75, 37; 130, 129, 8; 1, 5, 3; 33, 1, 64; 3, 4, 0 ] do
                    for transposeA, transposeB in [ false, false; true, false; false, true; true, true ] do
                        for accumulate in [ false; true ] do
                            let plain = ContractionCases.product dtype transposeA transposeB m n k

                            let contraction =
                                ContractionDescription(dtype, plain.Axes, plain.A, plain.B, plain.C, accumulate)

                            let numbers count = ContractionCases.wholeNumbers random (max 1 count)
                            let a, b, c = numbers (m * k), numbers (k * n), numbers (m * n)
                            check $"{m}×{n}×{k}" (Some tile) None contraction a b c
            }

        test "long sums of few results are split, and put together" {
            Pocl.require ()
            let random = Random 23

            for dtype in [ DType.Float32; DType.Float64 ] do
                for accumulate in [ false; true ] do
                    let plain = ContractionCases.product dtype true false 20 15 3000
                    let contraction = ContractionDescription(dtype, plain.Axes, plain.A, plain.B, plain.C, accumulate)
                    Expect.isGreaterThan "launches" (ProductPlans.Contract(contraction).Launches.Length, 1)
                    let numbers count = ContractionCases.wholeNumbers random count
                    check "split" None None contraction (numbers 60000) (numbers 45000) (numbers 300)
        }

        test "how a product is split depends on its sizes, and covers all of its inner axis" {
            for blocks in [ 1L; 3L; 100L; 263L; 1000L ] do
                for inner in [ 0L; 1L; 63L; 64L; 129L; 1000L; 100003L ] do
                    let splits = Splits.For(blocks, inner, 64, 32)
                    Expect.isTrue "one at least" (splits.Count >= 1 && splits.Chunk >= 1)
                    Expect.isTrue "all of it" (int64 splits.Count * int64 splits.Chunk >= inner)

                    Expect.isTrue
                        "no empty part"
                        (splits.Count = 1 || int64 (splits.Count - 1) * int64 splits.Chunk < inner)
        }

        test "a result with more columns than a grid is wide is computed by its transpose" {
            Pocl.require ()
            let columns = 65536 * 32
            let contraction = ContractionCases.product DType.Float32 false false 2 columns 1
            let a, b = [| 3.0; -2.0 |], Array.init columns (fun i -> float (i % 8))
            check "wide" None None contraction a b (Array.zeroCreate (2 * columns))
        }

        test "a malformed contraction is refused" {
            refuses "A" (fun () ->
                ProductPlans.Contract(
                    ContractionDescription(DType.Float32, [||], Place(-1, 0L), Place(1, 0L), Place(2, 0L))
                )
                |> ignore)
        }
    ]
