/// The F# of docs/low-rank.md.
module DocExamples.LowRankExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Symmetric, with eigenvalues that fall.
let private gaussNewton =
    let n = 200
    let a = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ n; n ]
    let falling = Tensor.ofArray [ n; 1 ] (Array.init n (fun i -> 1.0 / float (i + 1)))
    falling * a |> LinearOperator.ofMatrix |> LinearOperator.gram

let private hessian = gaussNewton
let private truth = (Exact.trace hessian).Value

let private isNear (trace: Estimate<float>) =
    Expect.isLessThan "abs (trace.Value - truth)" (abs (trace.Value - truth), 6.0 * trace.StandardError)

[<Tests>]
let tests =
    testList "DocExamples.LowRankExamples" [
        test "without choosing" {
            let chosen = Automatic.trace (StoppingRule.relativeError 0.01) (Key.OfSeed 1L) gaussNewton
            printfn $"{chosen.Estimate.Value} by {chosen.Method}: {chosen.Reason}"
            let diagonal = Automatic.diagonal (StoppingRule.relativeError 0.05) (Key.OfSeed 1L) hessian

            isNear chosen.Estimate
            Expect.isNonEmpty "diagonal.Method" diagonal.Method
        }

        test "a trace to one percent" {
            let stop = StoppingRule.relativeError 0.01 |> StoppingRule.orElse (StoppingRule.matvecs 300)
            let trace = XTrace.estimate stop (Key.OfSeed 1L) hessian
            let ofGaussNewton = XNysTrace.estimate stop (Key.OfSeed 1L) gaussNewton
            printfn $"{trace.Value} ± {trace.StandardError} from {trace.Matvecs} products"

            isNear trace
            isNear ofGaussNewton
        }

        test "a number of products" {
            let trace = HutchPlusPlus.estimate (StoppingRule.matvecs 90) (Key.OfSeed 1L) hessian
            let atOnce = NonadaptiveHutchPlusPlus.estimate (StoppingRule.matvecs 90) (Key.OfSeed 1L) hessian

            isNear trace
            isNear atOnce
        }

        test "an error that is promised" {
            let trace = AdaptiveHutchPlusPlus.estimate 2.0 0.025 (Key.OfSeed 1L) hessian

            Expect.within "trace.Value" 2.0 truth trace.Value
        }

        test "diagonals" {
            let stop, key = StoppingRule.matvecs 60, Key.OfSeed 1L
            let diagonal = XDiag.estimate stop key hessian
            let inThreeParts = UDiagPlusPlus.estimate (StoppingRule.matvecs 60) key hessian
            let ofGaussNewton = XNysDiag.estimate stop key gaussNewton

            let blocks = [ ParameterBlock("first", 0, 50); ParameterBlock("rest", 50, 150) ]

            for block in XNysDiag.blockTraces stop key blocks gaussNewton do
                printfn $"{block.Block.Name}: {block.Trace}"

            let entries = (Exact.diagonal hessian).Value

            for estimate in [ diagonal; inThreeParts; ofGaussNewton ] do
                let errors = Tensor.abs (estimate.Value - entries) / estimate.StandardError
                Expect.isLessThan "Tensor.max errors" ((Tensor.max errors).ToScalar(), 12.0)
        }

        test "norms" {
            let stop, key = StoppingRule.relativeError 0.05, Key.OfSeed 1L
            let frobenius = Norm.frobenius stop key hessian
            let rows = Norm.rowNorms (StoppingRule.matvecs 200) key hessian
            let spectral = Norm.spectral 0.01 key hessian
            printfn $"‖A‖₂ is {spectral.Value} or more, and {(spectral.Interval 0.95).High} at most"

            Expect.withinPercent "frobenius.Value" 15 (Exact.frobenius hessian).Value frobenius.Value
            Expect.equal "rows.Value.Size" 200 rows.Value.Size
            Expect.isLessThan "(spectral.Interval 0.95).High" ((spectral.Interval 0.95).High, 1.011 * spectral.Value)
        }

        test "divergence of a flow" {
            let weights = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 5; 5 ]
            let points = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ 3; 5 ]
            let point = Tensor.item 0 0 points

            let field (x: Tensor) = Tensor.tanh (Tensor.matmul weights x)
            let exact = Divergence.exact field point
            let estimate = Divergence.hutchinson (StoppingRule.matvecs 100) (Key.OfSeed 1L) field point
            let atPoints = Divergence.hutchinsonAtPoints (StoppingRule.matvecs 100) (Key.OfSeed 1L) field points

            Expect.isLessThan
                "abs (estimate.Value - exact.Val…"
                (abs (estimate.Value - exact.Value), 6.0 * estimate.StandardError)

            Expect.equal "atPoints.Length" 3 atPoints.Length
        }
    ]
