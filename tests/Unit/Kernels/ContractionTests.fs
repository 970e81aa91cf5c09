module Curvature.Tests.Unit.Kernels.ContractionTests

open System
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests

let private alone = ThreadTeam 1
let private operands = [ None; Some ContractionSide.A; Some ContractionSide.B ]

let private run set packed contraction a b c = ContractionCases.actual set alone packed contraction a b c

let private product dtype (transposeA, transposeB) (m, n, k) =
    let random = Random(m + 100 * n + 10000 * k)
    let numbers = ContractionCases.wholeNumbers random
    ContractionCases.product dtype transposeA transposeB m n k, numbers (m * k), numbers (k * n), numbers (m * n)

let private transpositions = List.allPairs [ false; true ] [ false; true ]

/// Every instruction set of this machine with every element type.
let private families =
    [
        for set in Enum.GetValues<InstructionSet>() do
            if InstructionSets.IsSupported set then
                for dtype in [ DType.Float32; DType.Float64 ] -> set, dtype
    ]

[<Tests>]
let tests =
    testList "Unit.Kernels.ContractionTests" [
        test "the best instruction set is one that the machine has" {
            Expect.isTrue "InstructionSets.IsSupported Ins…" (InstructionSets.IsSupported InstructionSets.Best)
            Expect.isTrue "InstructionSets.IsSupported Ins…" (InstructionSets.IsSupported InstructionSet.Portable)
        }

        for set, dtype in families do
            test $"any axes, strides and packed operands give the sum of products ({set}, {dtype})" {
                let random = Random 1

                for case in 1..300 do
                    let contraction, a, b, c = ContractionCases.random random dtype
                    let expected = ContractionCases.expected contraction a b c

                    for packed in operands do
                        let actual = run set packed contraction a b c
                        Expect.isTrue $"case {case}, packed {packed}: {Seq.toList contraction.Axes}" (actual = expected)
            }

        for set, dtype in families do
            test $"matrix products of all sizes from 1 to 40 are right, however transposed ({set}, {dtype})" {
                for m in 1..40 do
                    for transposed in transpositions do
                        let sizes = m, 1 + m * 7 % 40, 1 + m * 11 % 40
                        let contraction, a, b, c = product dtype transposed sizes
                        let expected = ContractionCases.expected contraction a b c

                        for packed in operands do
                            let actual = run set packed contraction a b c
                            Expect.isTrue $"{sizes}, transposed {transposed}, packed {packed}" (actual = expected)
            }

        for set, dtype in families do
            test $"narrow, long and large matrices are right, however transposed ({set}, {dtype})" {
                for sizes in
                    [
                        1, 1, 3000
                        1, 70, 500
                        70, 1, 500
                        3, 90, 1100
                        90, 3, 1100
                        10, 128, 128
                        128, 10, 128
                        128, 128, 10
                        200, 200, 1
                        230, 270, 300
                    ] do
                    for transposed in transpositions do
                        let contraction, a, b, c = product dtype transposed sizes
                        let expected = ContractionCases.expected contraction a b c

                        for packed in operands do
                            let actual = run set packed contraction a b c
                            Expect.isTrue $"{sizes}, transposed {transposed}, packed {packed}" (actual = expected)
            }

        for set, dtype in families do
            test $"results are the same bits on one, two and three threads ({set}, {dtype})" {
                let random = Random 2
                let numbers count = Array.init count (fun _ -> random.NextDouble() - 0.5)
                let teams = [ alone; ThreadTeam 2; ThreadTeam 3 ]

                let batched =
                    ContractionCases.contraction
                        dtype
                        [
                            ContractionCases.axis AxisRole.Batch 5 (60 * 50) (50 * 40) (60 * 40)
                            ContractionCases.axis AxisRole.Left 60 50 0 40
                            ContractionCases.axis AxisRole.Right 40 0 1 1
                            ContractionCases.axis AxisRole.Inner 50 1 40 0
                        ]
                        0
                        0
                        0
                        true

                for contraction, sizeA, sizeB, sizeC in
                    [
                        for transposeA, transposeB in transpositions do
                            for m, n, k in [ 130, 70, 90; 5, 300, 250; 300, 5, 250; 61, 67, 530 ] do
                                ContractionCases.product dtype transposeA transposeB m n k, m * k, k * n, m * n
                        batched, 5 * 60 * 50, 5 * 50 * 40, 5 * 60 * 40
                    ] do
                    let a, b, c = numbers sizeA, numbers sizeB, numbers sizeC

                    for packed in operands do
                        let results = [ for team in teams -> ContractionCases.actual set team packed contraction a b c ]
                        Expect.isTrue $"packed {packed}" (results[1] = results[0] && results[2] = results[0])
            }

        for set, dtype in families do
            test $"NaN and infinity reach the results that depend on them, and no others ({set}, {dtype})" {
                for m, n, k in [ 30, 45, 37; 4, 60, 100; 1, 33, 70; 33, 1, 70 ] do
                    for transposed in transpositions do
                        let contraction, a, b, c = product dtype transposed (m, n, k)
                        let i, p = m / 2, k - 1
                        let position row column = if fst transposed then column * m + row else row * k + column
                        a[position i p] <- nan
                        a[position 0 p] <- infinity
                        Array.fill b 0 b.Length 1.0

                        for packed in operands do
                            let actual = run set packed contraction a b c

                            for row in 0 .. m - 1 do
                                for column in 0 .. n - 1 do
                                    let value = actual[row * n + column]

                                    let right =
                                        if row = 0 then Double.IsPositiveInfinity value
                                        elif row = i then Double.IsNaN value
                                        else Double.IsFinite value

                                    Expect.isTrue $"{(m, n, k)} {transposed} ({row}, {column}) is {value}" right
            }

        for set, dtype in families do
            test $"an empty sum is zero, and adds nothing ({set}, {dtype})" {
                let axes =
                    [
                        ContractionCases.axis AxisRole.Left 3 0 0 5
                        ContractionCases.axis AxisRole.Right 5 0 1 1
                        ContractionCases.axis AxisRole.Inner 0 1 5 0
                    ]

                let old = Array.create 15 7.0

                for accumulate, expected in [ false, Array.zeroCreate 15; true, old ] do
                    let contraction = ContractionCases.contraction dtype axes 0 0 0 accumulate

                    for packed in operands do
                        Expect.isTrue
                            "run set packed contraction [||]…"
                            (run set packed contraction [||] [||] old = expected)
            }

        for set, dtype in families do
            test $"an operand that a batch shares is packed once ({set}, {dtype})" {
                let contraction batch =
                    ContractionCases.contraction
                        dtype
                        [
                            ContractionCases.axis AxisRole.Batch batch 0 40 80
                            ContractionCases.axis AxisRole.Left 10 8 0 8
                            ContractionCases.axis AxisRole.Right 8 0 1 1
                            ContractionCases.axis AxisRole.Inner 5 1 8 0
                        ]
                        0
                        0
                        0
                        false

                let bytes batch = ContractionKernels.PackedBytes(contraction batch, ContractionSide.A, set)

                Expect.isLessThanOrEqual "bytes 50" (bytes 50, 2L * bytes 2)
            }

        test "running a kernel allocates nothing" {
            let team = ThreadTeam 2

            for m, n, k in [ 20, 30, 40; 100, 120, 130; 1, 500, 400; 500, 1, 400 ] do
                let contraction, a, b, c = product DType.Float32 (false, false) (m, n, k)
                let blocks = [ for values in [ a; b; c ] -> Block(DType.Float32, values) ]
                let slots = [| for block in blocks -> block.Address |]
                let kernel = ContractionKernels.Contract(contraction, InstructionSets.Best, team)

                let run () =
                    for threads in 1..2 do
                        kernel.Run(slots, threads)

                let allocated () =
                    let before = GC.GetAllocatedBytesForCurrentThread()
                    run ()
                    GC.GetAllocatedBytesForCurrentThread() - before

                // Not the most: the first run makes what later ones share, and so does the first that waits for a
                // helper.
                let fewest = Seq.min [ for _ in 1..10 -> allocated () ]
                Expect.isZero $"{(m, n, k)}" fewest
                GC.KeepAlive blocks
        }

        test "one kernel runs on several threads at once" {
            let contraction, _, _, _ = product DType.Float64 (false, true) (60, 70, 80)
            let kernel = ContractionKernels.Contract(contraction, InstructionSets.Best, ThreadTeam 2)

            Parallel.For(
                0,
                50,
                fun seed ->
                    let numbers = ContractionCases.wholeNumbers (Random seed)
                    let a, b, c = numbers (60 * 80), numbers (70 * 80), numbers (60 * 70)
                    let blocks = [ for values in [ a; b; c ] -> Block(DType.Float64, values) ]
                    kernel.Run([| for block in blocks -> block.Address |], 2)

                    Expect.isTrue
                        "blocks[2].Values = ContractionC…"
                        (blocks[2].Values = ContractionCases.expected contraction a b c)
            )
            |> ignore
        }

        test "a contraction that makes no sense says why" {
            let axes = [ ContractionCases.axis AxisRole.Left 3 1 0 1 ]

            let make dtype axes =
                ContractionKernels.Contract(
                    ContractionCases.contraction dtype axes 0 0 0 false,
                    InstructionSet.Portable,
                    alone
                )

            let message (action: unit -> Kernel) =
                (Expect.thrown<DescriptionException>(fun () -> action () |> ignore)).Message

            Expect.stringContains "message (fun () -> make DType.I…" "Int32" (message (fun () -> make DType.Int32 axes))

            Expect.stringContains
                "message (fun () -> make DType.F…"
                "-2"
                (message (fun () -> make DType.Float32 [ ContractionCases.axis AxisRole.Left -2 1 0 1 ]))
        }
    ]
