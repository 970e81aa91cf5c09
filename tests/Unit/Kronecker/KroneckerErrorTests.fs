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
