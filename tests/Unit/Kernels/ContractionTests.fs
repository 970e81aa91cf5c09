namespace Curvature.Tests.Unit.Kernels

open System
open System.Threading.Tasks
open NUnit.Framework
open Curvature
open Curvature.Kernels

[<TestFixture>]
type ContractionTests() =

    let alone = ThreadTeam 1
    let operands = [ None; Some ContractionSide.A; Some ContractionSide.B ]

    let run set packed contraction a b c = ContractionCases.actual set alone packed contraction a b c

    let product dtype (transposeA, transposeB) (m, n, k) =
        let random = Random(m + 100 * n + 10000 * k)
        let numbers = ContractionCases.wholeNumbers random
        ContractionCases.product dtype transposeA transposeB m n k, numbers (m * k), numbers (k * n), numbers (m * n)

    let transpositions = List.allPairs [ false; true ] [ false; true ]

    /// Every instruction set of this machine with every element type.
    static member Families =
        [
            for set in Enum.GetValues<InstructionSet>() do
                if InstructionSets.IsSupported set then
                    for dtype in [ DType.Float32; DType.Float64 ] -> [| box set; box dtype |]
        ]

    [<Test>]
    member _.``the best instruction set is one that the machine has``() =
        Assert.That(InstructionSets.IsSupported InstructionSets.Best)
        Assert.That(InstructionSets.IsSupported InstructionSet.Portable)

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``any axes, strides and packed operands give the sum of products``(set: InstructionSet, dtype: DType) =
        let random = Random 1

        for case in 1..300 do
            let contraction, a, b, c = ContractionCases.random random dtype
            let expected = ContractionCases.expected contraction a b c

            for packed in operands do
                let actual = run set packed contraction a b c
                Assert.That((actual = expected), $"case {case}, packed {packed}: {Seq.toList contraction.Axes}")

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``matrix products of all sizes from 1 to 40 are right, however transposed``
        (set: InstructionSet, dtype: DType)
        =
        for m in 1..40 do
            for transposed in transpositions do
                let sizes = m, 1 + m * 7 % 40, 1 + m * 11 % 40
                let contraction, a, b, c = product dtype transposed sizes
                let expected = ContractionCases.expected contraction a b c

                for packed in operands do
                    let actual = run set packed contraction a b c
                    Assert.That((actual = expected), $"{sizes}, transposed {transposed}, packed {packed}")

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``narrow, long and large matrices are right, however transposed``(set: InstructionSet, dtype: DType) =
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
                    Assert.That((actual = expected), $"{sizes}, transposed {transposed}, packed {packed}")

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``results are the same bits on one, two and three threads``(set: InstructionSet, dtype: DType) =
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
                Assert.That((results[1] = results[0] && results[2] = results[0]), $"packed {packed}")

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``NaN and infinity reach the results that depend on them, and no others``
        (set: InstructionSet, dtype: DType)
        =
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

                            Assert.That(right, $"{(m, n, k)} {transposed} ({row}, {column}) is {value}")

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``an empty sum is zero, and adds nothing``(set: InstructionSet, dtype: DType) =
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
                Assert.That((run set packed contraction [||] [||] old = expected))

    [<TestCaseSource(nameof ContractionTests.Families)>]
    member _.``an operand that a batch shares is packed once``(set: InstructionSet, dtype: DType) =
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

        Assert.That(bytes 50, Is.LessThanOrEqualTo(2L * bytes 2))

    [<Test>]
    member _.``running a kernel allocates nothing``() =
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

            // Not the most: the first run makes what later ones share, and so does the first that waits for a helper.
            let fewest = Seq.min [ for _ in 1..10 -> allocated () ]
            Assert.That(fewest, Is.Zero, $"{(m, n, k)}")
            GC.KeepAlive blocks

    [<Test>]
    member _.``one kernel runs on several threads at once``() =
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
                Assert.That((blocks[2].Values = ContractionCases.expected contraction a b c))
        )
        |> ignore

    [<Test>]
    member _.``a contraction that makes no sense says why``() =
        let axes = [ ContractionCases.axis AxisRole.Left 3 1 0 1 ]

        let make dtype axes =
            ContractionKernels.Contract(
                ContractionCases.contraction dtype axes 0 0 0 false,
                InstructionSet.Portable,
                alone
            )

        let message (action: unit -> Kernel) =
            Assert.Throws<DescriptionException>(Action(fun () -> action () |> ignore)).Message

        Assert.That(message (fun () -> make DType.Int32 axes), Does.Contain "Int32")

        Assert.That(
            message (fun () -> make DType.Float32 [ ContractionCases.axis AxisRole.Left -2 1 0 1 ]),
            Does.Contain "-2"
        )
