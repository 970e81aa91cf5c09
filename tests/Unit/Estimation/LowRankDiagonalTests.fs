module Curvature.Tests.Unit.LowRankDiagonalTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 80L
let private none = RunOptions.Default

let private semidefinite =
    LinearOperator.ofSymmetricMatrix >> LinearOperator.claim OperatorProperties.PositiveSemidefinite

let private spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd
let private basis = lazy (Matrices.orthogonal 81 1000)

let private estimators: (string * (int -> Key -> LinearOperator -> Estimate<Tensor>)) list =
    [
        "UDiag++", StoppingRule.matvecs >> UDiagPlusPlus.estimate
        "XDiag", StoppingRule.matvecs >> XDiag.estimate
        "XDiag of the sphere", StoppingRule.matvecs >> Estimate.run (XDiag.withProbe Probe.sphere)
        "XNysDiag", StoppingRule.matvecs >> XNysDiag.estimate
        "XNysDiag of the sphere", StoppingRule.matvecs >> Estimate.run (XNysDiag.withProbe Probe.sphere)
    ]

let private ofSigns = estimators |> List.filter (fun (name, _) -> not (name.Contains "sphere"))

/// Median over trials of max |error/entry|, for n = 1000 and m = 100: Epperly 2025, figure 16.1, in numbers.
let private published =
    [
        ("flat", 0.19, 0.22, 0.17)
        ("poly", 0.33, 0.15, 0.068)
        ("exp", 1.2e-3, 4e-6, 4e-12)
        ("step", 1.8, 0.42, 0.044)
    ]

[<Tests>]
let tests =
    testList "Unit.LowRankDiagonalTests" [
        for name, udiag, xdiag, xnysdiag in published do
            test $"largest errors from 100 products are those of the literature, within a factor of 2 ({name})" {
                let matrix = Matrices.withEigenvalues basis.Value (spectrum 1000 name)
                let truth = Matrices.diagonal matrix
                let operator = semidefinite matrix

                for (estimator, estimate), published in List.zip ofSigns [ udiag; xdiag; xnysdiag ] do
                    let largest (key: Key) =
                        Array.map2
                            (fun value own -> abs (value / own - 1.0))
                            ((estimate 100 key operator).Value.ToArray())
                            truth
                        |> Array.max

                    let median = (Key.OfSeed 82L).Split 21 |> Array.map largest |> Array.sort |> Array.item 10
                    Expect.inRange estimator (0.5 * published) (2.0 * published) median
            }

        test "every entry is unbiased, with a true standard error" {
            let matrix = Matrices.semidefinite 83 24 + 2.0 * Tensor.eye DType.Float64 24
            let truth = Matrices.diagonal matrix

            for name, estimate in estimators do
                let results = (Key.OfSeed 84L).Split 500 |> Array.map (fun key -> estimate 16 key (semidefinite matrix))

                let values, errors =
                    results |> Array.map (fun r -> r.Value.ToArray()),
                    results |> Array.map (fun r -> r.StandardError.ToArray())

                for i in 0..23 do
                    let spread = sqrt (values |> Array.averageBy (fun v -> (v[i] - truth[i]) ** 2.0))
                    let mean = values |> Array.averageBy (fun v -> v[i])
                    Expect.isLessThan $"{name}, entry {i}" (abs (mean - truth[i]), 6.0 * spread / sqrt 500.0)
                    let claimed = sqrt (errors |> Array.averageBy (fun e -> e[i] * e[i]))
                    Expect.inRange $"{name}, entry {i}" 0.7 3.0 (claimed / spread)

                Expect.isTrue name (results |> Array.forall (fun r -> r.Matvecs = 16))
        }

        test "unsymmetric operators with a transpose have unbiased diagonals" {
            let matrix = Matrices.random 85 20 20 + 2.0 * Tensor.eye DType.Float64 20
            let truth = Matrices.diagonal matrix

            for name, estimate in ofSigns |> List.truncate 2 do
                let values =
                    (Key.OfSeed 86L).Split 500
                    |> Array.map (fun key -> (estimate 9 key (LinearOperator.ofMatrix matrix)).Value.ToArray())

                for i in 0..19 do
                    let spread = sqrt (values |> Array.averageBy (fun v -> (v[i] - truth[i]) ** 2.0))

                    Expect.isLessThan
                        $"{name}, entry {i}"
                        (abs ((values |> Array.averageBy (fun v -> v[i])) - truth[i]), 6.0 * spread / sqrt 500.0)
        }

        test "the diagonal of an operator of low rank is known when its range is" {
            let factor = Matrices.random 87 70 4
            let matrix = Tensor.matmul factor (Tensor.transpose factor)

            for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
                for name, estimate in estimators do
                    let diagonal = estimate 36 key (semidefinite (Tensor.convert dtype matrix))
                    Expect.close tolerance (Matrices.diagonal matrix) (diagonal.Value.ToArray())

                    if not (name.Contains "Nys") then
                        Expect.isTrue name diagonal.IsExact
                        Expect.inRange name 1e-17 tolerance ((Tensor.max diagonal.StandardError).ToScalar())
                    else
                        Expect.isLessThan name ((Tensor.max diagonal.StandardError).ToScalar(), 100.0 * tolerance)
        }

        test "block traces are sums of the diagonal, with error bars of their own" {
            let matrix = Matrices.semidefinite 88 40

            let blocks =
                [ ParameterBlock("first", 0, 10); ParameterBlock("second", 10, 25); ParameterBlock("all", 0, 40) ]

            for diagonal, traces in
                [
                    XDiag.estimate (StoppingRule.matvecs 20) key (semidefinite matrix),
                    XDiag.blockTraces (StoppingRule.matvecs 20) key blocks (semidefinite matrix)
                    XNysDiag.estimate (StoppingRule.matvecs 20) key (semidefinite matrix),
                    XNysDiag.blockTraces (StoppingRule.matvecs 20) key blocks (semidefinite matrix)
                ] do
                let entries = diagonal.Value.ToArray()

                for trace in traces do
                    let own = entries[trace.Block.Offset .. trace.Block.Offset + trace.Block.Size - 1]
                    Expect.within "trace.Trace.Value" 1e-10 (Array.sum own) trace.Trace.Value

                    let truth =
                        Matrices.diagonal matrix
                        |> Array.skip trace.Block.Offset
                        |> Array.truncate trace.Block.Size
                        |> Array.sum

                    Expect.isLessThan
                        "abs (trace.Trace.Value - truth)"
                        (abs (trace.Trace.Value - truth), 6.0 * trace.Trace.StandardError)

                    Expect.isLessThan "trace.Trace.StandardError" (trace.Trace.StandardError, 0.5 * truth)

            let exact = XDiag.blockTraces (StoppingRule.matvecs 40) key blocks (semidefinite matrix)

            Expect.equal
                "exact[2].Trace.Value, exact[2].…"
                (Matrices.trace matrix, true)
                (exact[2].Trace.Value, exact[2].Trace.IsExact)

            Expect.error<ArgumentRangeException> [ "XDiag"; "far" ] (fun () ->
                XDiag.blockTraces (StoppingRule.matvecs 8) key [ ParameterBlock("far", 30, 20) ] (semidefinite matrix)
                |> ignore)
        }

        test "structure that leaves nothing to estimate gives exact diagonals" {
            for n in [ 0; 1; 2; 9 ] do
                let matrix = Matrices.semidefinite 89 (max 1 n)
                let operator = if n = 0 then LinearOperator.zero DType.Float64 0 0 else semidefinite matrix
                let truth = if n = 0 then [||] else Matrices.diagonal matrix

                for name, estimate in estimators do
                    for products in [ max 1 n; 3 * n + 2 ] do
                        let diagonal = estimate products key operator
                        Expect.close 1e-13 truth (diagonal.Value.ToArray())
                        Expect.equal name (true, n) (diagonal.IsExact, diagonal.Matvecs)

            for _, estimate in estimators do
                let diagonal = estimate 9 key (LinearOperator.zero DType.Float64 30 30)
                Expect.close 0.0 (Array.zeroCreate 30) (diagonal.Value.ToArray())
                Expect.close 0.0 (Array.zeroCreate 30) (diagonal.StandardError.ToArray())
        }

        test "operators that do not fit are refused" {
            let wide = LinearOperator.ofMatrix (Matrices.random 90 3 5)
            let plain = LinearOperator.ofMatrix (Matrices.random 91 60 60)
            let untransposed = LinearOperator.ofDelegate DType.Float64 60 60 id
            let claimed = LinearOperator.claim OperatorProperties.PositiveSemidefinite plain

            for name, estimate in ofSigns do
                Expect.error<OperatorException> [ "square"; "[3; 5]" ] (fun () -> estimate 6 key wide |> ignore)
                Expect.error<OperatorException> [ "symmetric"; "claims" ] (fun () -> estimate 24 key claimed |> ignore)

                if name.StartsWith "XN" then
                    Expect.error<OperatorException> [ "semidefinite"; "claim" ] (fun () ->
                        estimate 12 key plain |> ignore)
                else
                    Expect.error<OperatorException> [ "transpose" ] (fun () -> estimate 12 key untransposed |> ignore)
                    Expect.error<ArgumentRangeException> [ "products" ] (fun () -> estimate 1 key plain |> ignore)

            Expect.error<OperatorException> [ "Ritz" ] (fun () ->
                XNysDiag.estimate
                    (StoppingRule.matvecs 24)
                    key
                    (LinearOperator.ofMatrix (Matrices.symmetric 92 60)
                     |> LinearOperator.claim OperatorProperties.PositiveSemidefinite)
                |> ignore)
        }

        test "a rule on the error looks at the norms of diagonal and errors" {
            let matrix = Matrices.withEigenvalues basis.Value (spectrum 1000 "exp")

            for estimate in [ XDiag.estimate; XNysDiag.estimate ] do
                let diagonal: Estimate<Tensor> = estimate (StoppingRule.relativeError 0.02) key (semidefinite matrix)
                Expect.equal "diagonal.StopReason" StopReason.ErrorReached diagonal.StopReason
                let truth = Matrices.diagonal matrix |> Tensor.ofArray [ 1000 ]
                let error = (Tensor.norm (diagonal.Value - truth) / Tensor.norm truth).ToScalar()
                Expect.isLessThan "error" (error, 0.02)
        }

        testCase "cancelling inside a sketch, or any other estimator, returns what was found" (fun () ->
            let truth = Array.init 300 (fun i -> 1.0 / float (i + 1))

            for name, estimate in
                [
                    "UDiag++",
                    (fun options -> Estimate.runWith options UDiagPlusPlus.estimator (StoppingRule.matvecs 200) key)
                    "XNysDiag",
                    (fun options ->
                        Estimate.runWith options (XNysDiag.withProbe Probe.rademacher) (StoppingRule.matvecs 200) key)
                    "Hutchinson",
                    (fun options ->
                        Estimate.runWith
                            options
                            (Hutchinson.estimator Probe.gaussian Measurement.diagonal)
                            (StoppingRule.matvecs 200)
                            key)
                ] do
                for limit in [ 3; 40 ] do
                    use source = new CancellationTokenSource()
                    let mutable products = 0

                    let multiply (v: float[]) =
                        products <- products + 1
                        if products = limit then source.Cancel()
                        Array.map2 (*) truth v

                    let operator =
                        LinearOperator.ofDelegate DType.Float64 300 300 multiply
                        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

                    let found: Estimate<Tensor> = estimate (none.WithCancellation source.Token) operator
                    Expect.equal name StopReason.Cancelled found.StopReason
                    Expect.inRange name limit 80 found.Matvecs
                    Expect.isGreaterThan name ((Tensor.max found.StandardError).ToScalar(), 0.0))

        // With as many vectors as the rank, each that is left out takes an eigenvalue of 1 with it. A form along one
        // direction has variance 2, beside which the spread of 30 estimates is a tenth.
        test "the error bar of a trace counts the direction that every vector may have missed" {
            let operator =
                LinearOperator.ofDiagonal (
                    Tensor.ofArray [ 300 ] (Array.init 300 (fun i -> if i < 30 then 1.0 else 0.0))
                )

            let traces = XDiag.blockTraces (StoppingRule.matvecs 60) key [ ParameterBlock("all", 0, 300) ] operator
            Expect.inRange "traces[0].Trace.StandardError *…" 2.0 2.6 (traces[0].Trace.StandardError ** 2.0)
        }

        testCase "cancelling returns what was found" (fun () ->
            use source = new CancellationTokenSource()
            let mutable products = 0

            let multiply (v: float[]) =
                products <- products + 1
                if products = 40 then source.Cancel()
                v |> Array.mapi (fun i x -> x / float (i + 1))

            let operator =
                LinearOperator.ofDelegate DType.Float64 300 300 multiply
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let diagonal =
                Estimate.runWith
                    (none.WithCancellation source.Token)
                    (XDiag.withProbe Probe.rademacher)
                    (StoppingRule.matvecs 200)
                    key
                    operator

            Expect.equal
                "diagonal.StopReason, diagonal.M…"
                (StopReason.Cancelled, 64)
                (diagonal.StopReason, diagonal.Matvecs))
    ]
