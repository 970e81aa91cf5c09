/// How wrong K-FAC says that it is.
module Curvature.Tests.Unit.KroneckerErrorTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private network = Network.mlp Layer.tanh [ 4; 6; 3 ]
let private theta = point network
let private data = risk Reduction.Mean crossEntropy 8 (normal 130L [ 20; 4 ]) (labels 20 3 20) network
let private k = lazy Kfac.estimate network.Layout data theta

let private within name (truth: float) (estimate: Estimate<float>) key =
    Expect.isTrue
        $"{name}: {truth} against {estimate} with {key}"
        (abs (estimate.Value - truth) <= 5.0 * estimate.StandardError)

[<Tests>]
let tests =
    testList "Unit.KroneckerErrorTests" [
        for name, operator in
            [
                "Gauss-Newton", (fun () -> GaussNewton.ofRisk data theta)
                "Hessian", (fun () -> Hessian.ofRisk data theta)
            ] do
            test $"errors and the share outside the blocks lie within 5 standard errors of the truth ({name})" {
                let g, k, key = operator (), k.Value, Key.OfSeed 12L
                let matrix = LinearOperator.dense g
                let found = KroneckerError.estimate (StoppingRule.matvecs 400) key k g
                within "in all" (distance matrix (dense k)) found.RelativeError key
                within "squared norm" (norm matrix ** 2.0) found.SquaredNorm key
                let inside = withinBlocks k matrix
                within "outside" (1.0 - (norm inside / norm matrix) ** 2.0) found.OutsideShare key

                for block in found.Blocks do
                    let truth = at block.Block.Positions matrix
                    within block.Block.Name (distance truth (block.Block.ToMatrix())) block.RelativeError key
                    within $"{block.Block.Name}, norm" (norm truth ** 2.0) block.SquaredNorm key

                let alone = KroneckerError.total (StoppingRule.matvecs 400) key k g
                within "alone" (distance matrix (dense k)) alone key
                Expect.isLessThan "resolved" (alone.StandardError, 0.1 * alone.Value)
                Expect.equal "products" 400 alone.Matvecs
            }

        test "the standard error is that of many runs" {
            let g, k = GaussNewton.ofRisk data theta, k.Value

            let runs =
                [|
                    for i in 0L .. 199L -> KroneckerError.total (StoppingRule.matvecs 60) (Key.OfSeed(500L + i)) k g
                |]

            let values = runs |> Array.map _.Value
            let mean = Array.average values
            let spread = sqrt (values |> Array.averageBy (fun v -> (v - mean) ** 2.0))
            Expect.withinPercent "standard error" 30.0 spread (runs |> Array.averageBy _.StandardError)
        }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"95 percent intervals hold the truth from few, some and many signs ({dtype})" {
                let size, key, repetitions = 24, Key.OfSeed 16L, 60

                let spectra =
                    [
                        "flat", Array.init size (fun i -> 1.0 + float i / float size)
                        "decaying", Array.init size (fun i -> 0.7 ** float i)
                        "low rank", Array.init size (fun i -> if i < 4 then 1.0 + float i else 0.0)
                        "outlier", Array.init size (fun i -> if i = 0 then 20.0 else 1.0 + 0.02 * float i)
                        "indefinite", Array.init size (fun i -> if i % 2 = 0 then -1.0 - 0.1 * float i else 1.0)
                    ]

                for name, values in spectra do
                    let matrix =
                        Matrices.withEigenvalues (Matrices.orthogonal 17 size) values
                        |> Tensor.convert dtype
                        |> Tensor.convert DType.Float64

                    let g = LinearOperator.ofSymmetricMatrix (Tensor.convert dtype matrix)

                    // Its two blocks, in which the eigenvalues are a fifth too large.
                    let block number first =
                        let positions = [| first .. first + size / 2 - 1 |]
                        let spectrum = BlockSpectrum.ofMatrix (at positions (1.2 * matrix + 0.0))
                        let place = { Names = [ $"block {number}" ]; Positions = positions }
                        KroneckerBlock(place, KroneckerBlockKind.Exact, spectrum, dtype, Kernels.CpuDevice.Shared)

                    let k =
                        KroneckerOperator("K", dtype, Kernels.CpuDevice.Shared, [| block 0 0; block 1 (size / 2) |], [])

                    let wide = dense k |> Tensor.convert DType.Float64
                    let truth = distance matrix wide
                    let outside = 1.0 - (norm (withinBlocks k matrix) / norm matrix) ** 2.0

                    for signs in [ 6; 24; 96 ] do
                        let found =
                            key.Split repetitions
                            |> Array.map (fun key -> KroneckerError.estimate (StoppingRule.matvecs signs) key k g)

                        let missed truth (choose: KroneckerError -> Estimate<float>) =
                            found
                            |> Array.filter (fun each ->
                                let interval = (choose each).Interval 0.95
                                not (interval.Low - 1e-6 <= truth && truth <= interval.High + 1e-6))
                            |> Array.length

                        let ofError = missed truth _.RelativeError

                        let ofBlock =
                            missed
                                (distance (at k.Blocks[0].Positions matrix) (at k.Blocks[0].Positions wide))
                                _.Blocks[0].RelativeError

                        let ofShare = missed outside _.OutsideShare
                        let ofNorm = missed (norm matrix ** 2.0) _.SquaredNorm

                        let missed = [ ofError; ofBlock; ofShare; ofNorm ]
                        printfn $"{name}, {dtype}, {signs} signs: missed %A{missed} of {repetitions}"

                        // More misses at 95 percent happen by chance in less than one of 10⁷ runs.
                        for what, count in [ "error", ofError; "block", ofBlock; "share", ofShare; "norm", ofNorm ] do
                            Expect.isLessThanOrEqual $"{what}, {name}, {signs} signs, {key}" (count, 14)
            }

        test "a rule on the error holds for the whole and each block" {
            let stop = StoppingRule.relativeError 0.05 |> StoppingRule.orElse (StoppingRule.matvecs 4000)
            let found = KroneckerError.estimate stop (Key.OfSeed 14L) k.Value (GaussNewton.ofRisk data theta)

            for estimate in found.RelativeError :: [ for block in found.Blocks -> block.RelativeError ] do
                Expect.isLessThan "the error asked for" (1.9 * estimate.StandardError, 0.05 * estimate.Value * 1.05)
        }

        test "an exact approximation has no error" {
            let network = Network.ofLayer (Layer.dense 3 2)
            let risk = risk Reduction.Mean squared 6 (normal 131L [ 6; 3 ]) (normal 132L [ 6; 2 ]) network
            let k = Kfac.estimate network.Layout risk (point network)
            let g = GaussNewton.ofRisk risk (point network)
            let found = KroneckerError.estimate (StoppingRule.matvecs 10) (Key.OfSeed 15L) k g
            Expect.isLessThan "relative error" (found.RelativeError.Value, 1e-12)
            within "outside" 0.0 found.OutsideShare (Key.OfSeed 15L)
        }

        test "operators that do not fit are refused" {
            let other = LinearOperator.ofMatrix (Tensor.eye DType.Float64 3)

            Expect.error<ShapeException> [ "KroneckerError"; "[3; 3]" ] (fun () ->
                KroneckerError.total (StoppingRule.matvecs 4) (Key.OfSeed 1L) k.Value other |> ignore)

            let tall = LinearOperator.zero DType.Float64 3 network.ParameterCount

            Expect.error<OperatorException> [ "square" ] (fun () ->
                KroneckerError.estimate (StoppingRule.matvecs 4) (Key.OfSeed 1L) k.Value tall |> ignore)
        }
    ]
