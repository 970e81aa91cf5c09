/// Searches and samples that are cancelled return what was found until then, or raise where there is nothing yet.
module Curvature.Tests.Unit.SpectrumCancellationTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 21L

/// diag(1, …, 50), of which product number `last` cancels the source.
let private cancelling (source: CancellationTokenSource) last =
    let mutable products = 0

    LinearOperator.ofDelegate DType.Float64 50 50 (fun v ->
        products <- products + 1
        if products = last then source.Cancel()
        v |> Array.mapi (fun i x -> float (i + 1) * x))
    |> LinearOperator.claim OperatorProperties.Symmetric

let private residuals (operator: LinearOperator) (pairs: EigenPairs) =
    let products = operator.Apply pairs.Vectors

    pairs.Values
    |> Array.mapi (fun i value ->
        (Tensor.norm (Tensor.item 0 i products - value * Tensor.item 0 i pairs.Vectors)).ToScalar())

[<Tests>]
let tests =
    testList "Unit.SpectrumCancellationTests" [
        test "Lanczos returns the steps that were taken" {
            use source = new CancellationTokenSource()
            let result = Lanczos.runWith source.Token 20 key (cancelling source 7)

            Expect.equal
                "result.Steps, result.Matvecs, r…"
                (7, 7, true, false)
                (result.Steps, result.Matvecs, result.IsCancelled, result.IsInvariant)

            Expect.close 1e-12 (Lanczos.run 7 key (cancelling source 0)).RitzValues result.RitzValues

            Expect.error<OperationCanceledException> [] (fun () ->
                Lanczos.runWith source.Token 20 key (cancelling source 0) |> ignore)

            use never = new CancellationTokenSource()
            Expect.isTrue "not cancelled" (not (Lanczos.runWith never.Token 20 key (cancelling never 0)).IsCancelled)
        }

        test "eigenpairs are the best until then, and those that are not good enough say so" {
            let options (source: CancellationTokenSource) = EigenOptions.Default.WithCancellation source.Token

            for name, find in
                [
                    "thick restart",
                    fun source ->
                        ThickRestartLanczos.findWith (options source) SpectrumEnd.Largest 3 (cancelling source 25)
                    "LOBPCG",
                    fun source -> Lobpcg.findWith (options source) id SpectrumEnd.Largest 3 (cancelling source 25)
                    "power iteration",
                    fun source ->
                        PowerIteration.findWith source.Token (PowerStop.residual 1e-9) 1000 3 key (cancelling source 25)
                ] do
                use source = new CancellationTokenSource()
                let pairs = find source
                Expect.isTrue $"{name}: {pairs}" (pairs.IsCancelled && not pairs.AllConverged)
                Expect.isTrue $"{name}: {pairs.Matvecs} products" (pairs.Matvecs >= 25 && pairs.Matvecs < 31)

                Array.iter2
                    (fun found claimed ->
                        Expect.isTrue $"{name}: {found} against {claimed}" (found <= 1.0001 * claimed))
                    (residuals (cancelling source 0) pairs)
                    pairs.Residuals
        }

        test "power iteration returns the pairs that were begun" {
            use source = new CancellationTokenSource()
            // At a tolerance of a tenth the first pair takes a few products.
            let first = PowerIteration.find (PowerStop.residual 0.1) 1000 1 key (cancelling source 0)
            let operator = cancelling source (first.Matvecs + 2)
            let pairs = PowerIteration.findWith source.Token (PowerStop.residual 0.1) 1000 5 key operator
            Expect.equal "pairs.IsConverged" [| true; false |] pairs.IsConverged
            Expect.close 1e-12 [| first.Values[0] |] [| pairs.Values[0] |]
            Expect.isTrue "cancelled" pairs.IsCancelled

            Expect.error<OperationCanceledException> [] (fun () ->
                PowerIteration.findWith source.Token (PowerStop.residual 0.1) 1000 5 key operator |> ignore)
        }

        test "Chebyshev moments are those of the vectors that were finished" {
            use source = new CancellationTokenSource()
            let options = RunOptions.Default.WithBlockSize(1).WithCancellation source.Token
            // 24 products find the ends of the spectrum, and each vector takes 10 for 20 moments.
            let operator = cancelling source (24 + 25)
            let sample = ChebyshevMoments.sampleWith options Probe.gaussian 9 20 key operator

            Expect.equal
                "sample.Ledger.Samples, sample.L…"
                (2, StopReason.Cancelled)
                (sample.Ledger.Samples, sample.Ledger.StopReason)

            let whole = ChebyshevMoments.sampleWith RunOptions.Default Probe.gaussian 2 20 key (cancelling source 0)
            Expect.close 1e-12 whole.Moments sample.Moments

            Expect.error<OperationCanceledException> [] (fun () ->
                ChebyshevMoments.sampleWith options Probe.gaussian 9 20 key operator |> ignore)

            use early = new CancellationTokenSource()

            Expect.error<OperationCanceledException> [] (fun () ->
                let options = RunOptions.Default.WithCancellation early.Token
                ChebyshevMoments.sampleWith options Probe.gaussian 9 20 key (cancelling early 30) |> ignore)
        }
    ]
