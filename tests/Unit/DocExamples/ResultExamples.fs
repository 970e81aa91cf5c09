/// The examples of dense decompositions, ranks and shift-invert.
module Curvature.Tests.Unit.ResultExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private values = Array.init 30 (fun i -> float (i + 1))

let private hessian =
    LinearOperator.ofDiagonal (Tensor.ofArray [ 30 ] values)
    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

[<Tests>]
let tests =
    testList "Unit.ResultExamples" [
        test "dense decompositions" {
            let eigenvalues = Exact.eigenvalues hessian // n products, and a dense decomposition
            let logDeterminant = Exact.logDeterminant hessian
            let condition = Exact.conditionNumber hessian
            printfn $"{logDeterminant}, shorter {logDeterminant:F2}; your own: {Numbers.withError 0.12 3.456}"

            Expect.within "Tensor.sum eigenvalues.Value" 1e-9 465.0 ((Tensor.sum eigenvalues.Value).ToScalar())
            Expect.within "logDeterminant.Value" 1e-9 (Array.sumBy log values) logDeterminant.Value
            Expect.within "condition.Value" 1e-9 30.0 condition.Value
        }

        test "smallest eigenvalues by the inverse" {
            let smallest = ShiftInvert.smallest 0.1 3 hessian // of A, by systems with A + 0.1·I
            printfn $"{smallest}"

            Expect.within "smallest.Values[2]" 1e-6 3.0 smallest.Values[2]
        }

        test "ranks" {
            let spectrum = Spectrum.automatic 10 25 (Key.OfSeed 1L) hessian
            let rank = Rank.effective spectrum // exp(−Σ pᵢ ln pᵢ) for pᵢ = λᵢ/tr A
            let share = Rank.normalisedEffective spectrum // of n
            let stable = Rank.stable 0.01 (StoppingRule.matvecs 100) (Key.OfSeed 1L) hessian // ‖A‖²_F/‖A‖₂²

            Expect.within "rank.Value" 1e-9 (30.0 * share.Value) rank.Value
            Expect.withinPercent "stable.Value" 5 10.5 stable.Value
        }
    ]
