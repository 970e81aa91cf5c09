/// Runs of the estimators: what is refused, how a run grows, and how it ends.
module Curvature.Tests.Unit.LowRankTraceRunTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.LowRankTraceCases

let private none = RunOptions.Default

[<Tests>]
let tests =
    testList "Unit.LowRankTraceRunTests" [
        test "the smallest numbers of products give estimates, and fewer are refused" {
            let operator = diagonal (spectrum 100 "poly")

            for name, estimate in estimators do
                let least =
                    if name.StartsWith "Hutch" then 3
                    elif name.StartsWith "NA" then 6
                    elif name.StartsWith "XT" then 2
                    else 1

                Expect.inRange name 0.0 200.0 (estimate least key operator).Value

                if least > 1 then
                    Expect.error<ArgumentRangeException> [ $"{least} products" ] (fun () ->
                        estimate (least - 1) key operator |> ignore)

            // Where a single vector can be left out, nothing tells how that varies.
            let few = XTrace.estimate (StoppingRule.matvecs 3) key operator
            Expect.equal "few.IsErrorKnown, few.StandardE…" (false, infinity) (few.IsErrorKnown, few.StandardError)
        }

        test "operators that do not fit are refused" {
            let wide = LinearOperator.ofMatrix (Matrices.random 70 3 5)
            let plain = LinearOperator.ofMatrix (Matrices.random 71 60 60)
            let symmetric = LinearOperator.ofMatrix (Matrices.symmetric 72 60)

            for name, estimate in estimators do
                Expect.error<OperatorException> [ "square"; "[3; 5]" ] (fun () -> estimate 6 key wide |> ignore)

                if name.StartsWith "NA" || name.StartsWith "XN" then
                    Expect.error<OperatorException> [ "matrix"; "claim" ] (fun () -> estimate 12 key plain |> ignore)

                if name.StartsWith "XN" then
                    Expect.error<OperatorException> [ "semidefinite"; "matrix"; "claim" ] (fun () ->
                        estimate 12 key symmetric |> ignore)

            Expect.error<OperatorException> [ "A-Hutch++"; "symmetric" ] (fun () ->
                AdaptiveHutchPlusPlus.estimate 1.0 0.05 key plain |> ignore)

            Expect.error<ArgumentRangeException> [ "error" ] (fun () ->
                AdaptiveHutchPlusPlus.estimate 0.0 0.05 key symmetric |> ignore)

            Expect.error<ArgumentRangeException> [ "risk" ] (fun () ->
                AdaptiveHutchPlusPlus.estimate 1.0 1.0 key symmetric |> ignore)
        }

        test "claims that products contradict are found out" {
            let plain =
                LinearOperator.ofMatrix (Matrices.random 73 60 60)
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let indefinite =
                LinearOperator.ofMatrix (Matrices.symmetric 74 60)
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            for name, estimate in estimators do
                Expect.error<OperatorException> [ "symmetric"; "matrix"; "claims" ] (fun () ->
                    estimate 24 key plain |> ignore)

                if name.StartsWith "XN" then
                    Expect.error<OperatorException> [ "semidefinite"; "Ritz" ] (fun () ->
                        estimate 24 key indefinite |> ignore)

                    Expect.error<OperatorException> [ "semidefinite"; "Ritz" ] (fun () ->
                        estimate
                            24
                            key
                            (-1.0 * LinearOperator.identity DType.Float64 60
                             |> LinearOperator.claim OperatorProperties.PositiveSemidefinite)
                        |> ignore)

            Expect.error<OperatorException> [ "A-Hutch++"; "symmetric" ] (fun () ->
                AdaptiveHutchPlusPlus.estimate 1.0 0.05 key plain |> ignore)
        }

        test "a product that is not finite is an error that names its vector" {
            let broken =
                LinearOperator.ofDelegate DType.Float64 60 60 (Array.map (fun x -> if x > 3.5 then nan else x))
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let always =
                LinearOperator.ofDelegate DType.Float64 60 60 (Array.map (fun _ -> infinity))
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            for name, estimate in estimators do
                Expect.error<NonFiniteException> [ "delegate"; "infinity"; "0 of"; name.Split(' ')[0] ] (fun () ->
                    estimate 24 key always |> ignore)

            Expect.error<NonFiniteException> [ "delegate"; "NaN" ] (fun () ->
                Estimate.run (XTrace.withProbe Probe.gaussian) (StoppingRule.matvecs 58) key broken |> ignore)
        }

        test "rules on the error let an estimator grow until it is reached" {
            for name in [ "poly"; "exp" ] do
                let values = spectrum 1000 name
                let truth = Array.sum values

                for estimate in [ XTrace.estimate; XNysTrace.estimate ] do
                    let trace: Estimate<float> = estimate (StoppingRule.relativeError 0.01) key (diagonal values)
                    let interval = trace.Interval 0.95
                    Expect.equal "trace.StopReason" StopReason.ErrorReached trace.StopReason
                    Expect.isLessThan "trace.Matvecs" (trace.Matvecs, 130)
                    Expect.isLessThanOrEqual name (interval.High - interval.Low, 0.02 * trace.Value * 1.0001)
                    Expect.inRange name interval.Low interval.High truth
        }

        test "growing uses the same vectors as one large step" {
            let operator = diagonal (spectrum 300 "poly")
            let once = XTrace.estimate (StoppingRule.matvecs 96) key operator
            let rule = StoppingRule.relativeError 1e-12 |> StoppingRule.orElse (StoppingRule.matvecs 96)
            let grown = XTrace.estimate rule key operator
            Expect.within "grown.Value" 1e-12 once.Value grown.Value
            Expect.equal "grown.Matvecs" 96 grown.Matvecs
            let width (e: Estimate<float>) = (e.Interval 0.95).High - (e.Interval 0.95).Low
            Expect.isGreaterThan "interim analyses are paid for" (width grown, width once)
        }

        test "where no error is reached below the number of columns, all of them are taken" {
            let operator = LinearOperator.ofSymmetricMatrix (Matrices.symmetric 75 50)
            let trace = XTrace.estimate (StoppingRule.relativeError 1e-9) key operator
            Expect.equal "trace.IsExact, trace.StopReason" (true, StopReason.Exact) (trace.IsExact, trace.StopReason)
            Expect.within "trace.Value" 1e-13 (Matrices.trace (LinearOperator.dense operator)) trace.Value
            Expect.inRange "what was spent before counts" 51 100 trace.Matvecs
        }

        testCase "cancelling returns what was found" (fun () ->
            let values = spectrum 500 "poly"

            let cancelled limit (estimate: RunOptions -> LinearOperator -> Estimate<float>) =
                use source = new CancellationTokenSource()
                let mutable products = 0

                let multiply (v: float[]) =
                    products <- products + 1
                    if products = limit then source.Cancel()
                    Array.map2 (*) values v

                let operator =
                    LinearOperator.ofDelegate DType.Float64 500 500 multiply
                    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

                estimate (none.WithCancellation source.Token) operator

            let check (trace: Estimate<float>) =
                Expect.equal "trace.StopReason" StopReason.Cancelled trace.StopReason
                Expect.isLessThan "trace.Matvecs" (trace.Matvecs, 90)

                Expect.isLessThan
                    "abs (trace.Value - Array.sum va…"
                    (abs (trace.Value - Array.sum values), 6.0 * trace.StandardError)

            check (
                cancelled 40 (fun options ->
                    Estimate.runWith options (XTrace.withProbe Probe.sphere) (StoppingRule.matvecs 200) key)
            )

            check (
                cancelled 40 (fun options ->
                    Estimate.runWith options (XNysTrace.withProbe Probe.sphere) (StoppingRule.matvecs 200) key)
            )

            check (
                cancelled 65 (fun options ->
                    Estimate.runWith options (HutchPlusPlus.withProbe Probe.rademacher) (StoppingRule.matvecs 90) key)
            )

            check (
                cancelled 50 (fun options ->
                    Estimate.runWith options NonadaptiveHutchPlusPlus.estimator (StoppingRule.matvecs 90) key)
            )

            // Before there is a vector outside the sketch, or an approximation.
            for limit in [ 1; 20; 40 ] do
                check (
                    cancelled limit (fun options ->
                        Estimate.runWith
                            options
                            (HutchPlusPlus.withProbe Probe.rademacher)
                            (StoppingRule.matvecs 200)
                            key)
                )

                check (
                    cancelled limit (fun options ->
                        Estimate.runWith options NonadaptiveHutchPlusPlus.estimator (StoppingRule.matvecs 200) key)
                )

            check (
                cancelled 12 (fun options ->
                    Estimate.runWith options (AdaptiveHutchPlusPlus.estimator 1e-3 0.05) unlimited key)
            )

            use source = new CancellationTokenSource()
            source.Cancel()
            let options = none.WithCancellation source.Token
            let operator = diagonal values |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            for _, estimate in
                [
                    "XTrace", Estimate.runWith options (XTrace.withProbe Probe.sphere) (StoppingRule.matvecs 20)
                    "XNysTrace", Estimate.runWith options (XNysTrace.withProbe Probe.sphere) (StoppingRule.matvecs 20)
                    "Hutch++",
                    Estimate.runWith options (HutchPlusPlus.withProbe Probe.rademacher) (StoppingRule.matvecs 20)
                    "NA-Hutch++", Estimate.runWith options NonadaptiveHutchPlusPlus.estimator (StoppingRule.matvecs 20)
                    "A-Hutch++", Estimate.runWith options (AdaptiveHutchPlusPlus.estimator 1e-3 0.05) unlimited
                ] do
                Expect.thrown<OperationCanceledException>(fun () -> estimate key operator |> ignore) |> ignore)
    ]
