/// Values of the estimators: how close they come to the trace, and whether error bars are true.
module Curvature.Tests.Unit.LowRankTraceTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.LowRankTraceCases

let private basis = lazy (Matrices.orthogonal 59 1000)

let private lowRank seed n rank =
    let factor = Matrices.random seed n rank
    Tensor.matmul factor (Tensor.transpose factor)

/// The tables of mean |error|/trace over 180 trials that docs/estimators were checked against: n = 1000, m = 100,
/// resphered.
let private published =
    [
        ("flat", 1.6e-3, 1.0e-3)
        ("poly", 2.8e-4, 2.1e-4)
        ("exp", 3.6e-9, 3.0e-14)
        ("step", 1.2e-2, 5.9e-4)
    ]

/// More of the same tables: entries for the sizes that take longer, and for the estimators whose signs see the
/// basis.
let private more =
    [
        ("XTrace", "flat", 200, 1.1e-3)
        ("XTrace", "flat", 300, 8.6e-4)
        ("XTrace", "poly", 200, 7.9e-5)
        ("XTrace", "poly", 300, 3.2e-5)
        ("XTrace", "step", 200, 5.3e-7)
        ("XTrace", "step", 300, 1.6e-7)
        ("XNysTrace", "poly", 200, 5.7e-5)
        ("Hutch++", "flat", 100, 2.0e-3)
        ("Hutch++", "poly", 100, 4.8e-4)
        ("Hutch++", "poly", 300, 5.7e-5)
        ("Hutch++", "exp", 100, 9.4e-7)
        ("Hutch++", "exp", 200, 5.3e-12)
        ("Hutch++", "step", 100, 1.7e-2)
        ("Hutch++", "step", 200, 2.0e-5)
        ("NA-Hutch++", "flat", 100, 4.0e-3)
        ("NA-Hutch++", "poly", 200, 4.3e-4)
        ("NA-Hutch++", "exp", 300, 5.0e-9)
        ("NA-Hutch++", "step", 200, 9.7e-3)
    ]

[<Tests>]
let tests =
    testList "Unit.LowRankTraceTests" [
        for method, name, m, published in more do
            test $"mean errors of the tables agree for other numbers of products ({method}, {name}, {m})" {
                let values = spectrum 1000 name
                let truth = Array.sum values

                let operator =
                    if method.StartsWith "X" then
                        diagonal values
                    else
                        LinearOperator.ofSymmetricMatrix (Matrices.withEigenvalues basis.Value values)

                let estimate = estimators |> List.find (fst >> (=) method) |> snd
                let error key = abs ((estimate m key operator).Value - truth) / truth
                let measured = (Key.OfSeed 61L).Split 50 |> Array.averageBy error
                Expect.inRange "measured" (0.5 * published) (2.0 * published) measured
            }

        // Vectors of the sphere look the same in every basis, so that a diagonal stands for every matrix with these
        // eigenvalues.
        for name, xtrace, xnystrace in published do
            test $"mean errors from 100 products are those of the literature, within a factor of 2 ({name})" {
                let values = spectrum 1000 name
                let truth = Array.sum values

                let mean (estimate: Key -> Estimate<float>) =
                    (Key.OfSeed 61L).Split 50 |> Array.averageBy (fun key -> abs ((estimate key).Value - truth) / truth)

                let check (what: string) (published: float) (measured: float) =
                    Expect.inRange what (0.5 * published) (max 1e-13 (2.0 * published)) measured

                check
                    "XTrace"
                    xtrace
                    (mean (fun key -> XTrace.estimate (StoppingRule.matvecs 100) key (diagonal values)))

                let measured = mean (fun key -> XNysTrace.estimate (StoppingRule.matvecs 100) key (diagonal values))

                if xnystrace < 1e-13 then
                    Expect.isLessThan "measured" (measured, 1e-13)
                else
                    check "XNysTrace" xnystrace measured
            }

        test "every estimator is unbiased, and its standard error true" {
            let matrix = Matrices.semidefinite 62 40 + 3.0 * Tensor.eye DType.Float64 40

            let operator =
                LinearOperator.ofSymmetricMatrix matrix |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let truth = Matrices.trace matrix

            for name, estimate in estimators do
                let results = (Key.OfSeed 63L).Split 400 |> Array.map (fun key -> estimate 16 key operator)
                let mean = results |> Array.averageBy _.Value
                let spread = sqrt (results |> Array.averageBy (fun r -> (r.Value - truth) ** 2.0))
                Expect.isLessThan name (abs (mean - truth), 5.0 * spread / 20.0)
                let claimed = sqrt (results |> Array.averageBy (fun r -> r.StandardError ** 2.0))
                Expect.inRange name 0.8 3.0 (claimed / spread)
                Expect.isTrue name (results |> Array.forall (fun r -> r.Matvecs + r.QuadraticForms = 16))
        }

        test "unsymmetric operators have unbiased traces by Hutch++ and XTrace" {
            let matrix = Matrices.random 64 30 30 + 2.0 * Tensor.eye DType.Float64 30
            let truth = Matrices.trace matrix

            for name, estimate in
                estimators |> List.filter (fun (name, _) -> not (name.StartsWith "N" || name.StartsWith "XN")) do
                let values =
                    (Key.OfSeed 65L).Split 400
                    |> Array.map (fun key -> (estimate 14 key (LinearOperator.ofMatrix matrix)).Value)

                let spread = sqrt (values |> Array.averageBy (fun v -> (v - truth) ** 2.0))
                Expect.isLessThan name (abs (Array.average values - truth), 5.0 * spread / 20.0)
        }

        test "XTrace of a product of rank 10 is exact from 11 vectors" {
            let left, right = Matrices.random 66 50 10, Matrices.random 67 10 50
            let matrix = Tensor.matmul left right

            for probe in [ Probe.sphere; Probe.gaussian; Probe.rademacher ] do
                let trace =
                    Estimate.run (XTrace.withProbe probe) (StoppingRule.matvecs 22) key (LinearOperator.ofMatrix matrix)

                Expect.within "trace.Value" (10.0 * sqrt 2.2e-16) (Matrices.trace matrix) trace.Value
                Expect.isTrue $"{probe}" trace.IsExact
                Expect.inRange $"{probe}" 1e-16 1e-11 trace.StandardError
                Expect.isLessThanOrEqual "trace.Matvecs" (trace.Matvecs, 22)
        }

        test "signs that reach the rounding level have an error bar" {
            let values = spectrum 1000 "exp"
            let operator = LinearOperator.ofSymmetricMatrix (Matrices.withEigenvalues basis.Value values)

            for key in (Key.OfSeed 58L).Split 4 do
                let trace = Estimate.run (XTrace.withProbe Probe.rademacher) (StoppingRule.matvecs 200) key operator
                let interval = trace.Interval 0.95
                Expect.isLessThanOrEqual "interval.Low" (interval.Low, 10.0 / 3.0 + 1e-13)
                Expect.isGreaterThanOrEqual "interval.High" (interval.High, 10.0 / 3.0 - 1e-13)
                Expect.isLessThan "interval.High - interval.Low" (interval.High - interval.Low, 1e-11)
        }

        test "an operator of low rank is known when its range is" {
            for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
                let matrix = lowRank 68 80 5

                let operator =
                    Tensor.convert dtype matrix
                    |> LinearOperator.ofSymmetricMatrix
                    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

                let truth = Matrices.trace matrix

                for name, estimate in estimators do
                    let trace = estimate 40 key operator
                    Expect.within $"{name}, {dtype}" (tolerance * truth) truth trace.Value

                    if not (name.Contains "Nys" || name.Contains "NA") then
                        Expect.isTrue name trace.IsExact
                        Expect.isLessThan name (trace.Matvecs, 40)
                    else
                        Expect.isLessThan name (trace.StandardError, 100.0 * tolerance * truth)
        }

        test "signs that repeat themselves are not taken for a complete range" {
            // Signs on two nonzero rows are equal or opposite half of the time each: they agree that the rank is 1.
            let values = Array.init 30 (fun i -> if i < 2 then 1.0 else 0.0)
            let matrix = Tensor.ofArray [ 2; 30 ] (Array.init 60 (fun i -> if i = 0 || i = 31 then 1.0 else 0.0))

            let rotated =
                Tensor.matmul (Tensor.transpose matrix) (Tensor.matmul (tensor [ [ 2.0; 1.0 ]; [ 1.0; 2.0 ] ]) matrix)

            for operator, truth in [ diagonal values, 2.0; LinearOperator.ofMatrix rotated, 4.0 ] do
                for seed in 1L .. 40L do
                    for products in [ 4; 6; 12 ] do
                        let trace =
                            Estimate.run
                                (XTrace.withProbe Probe.rademacher)
                                (StoppingRule.matvecs products)
                                (Key.OfSeed seed)
                                operator

                        if trace.IsExact then
                            Expect.within $"seed {seed}, {products} products" 1e-12 truth trace.Value
                        else
                            // Even where a single vector can be left out.
                            Expect.isGreaterThan $"seed {seed}, {products} products" (trace.StandardError, 0.0)

                        Expect.isLessThanOrEqual "trace.Matvecs" (trace.Matvecs, products)
        }

        test "the zero operator has trace 0" {
            let zero = LinearOperator.zero DType.Float64 30 30

            for name, estimate in estimators do
                let trace = estimate 12 key zero
                Expect.equal name (0.0, 0.0) (trace.Value, trace.StandardError)

            Expect.equal
                "(AdaptiveHutchPlusPlus.estimate…"
                0.0
                (AdaptiveHutchPlusPlus.estimate 1e-3 0.05 key zero).Value
        }

        test "as many products as columns, or more, give an exact result" {
            for n in [ 0; 1; 2; 3; 7; 20 ] do
                let matrix = Matrices.semidefinite 69 (max n 1)

                let operator =
                    if n = 0 then
                        LinearOperator.zero DType.Float64 0 0
                    else
                        LinearOperator.ofSymmetricMatrix matrix
                        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

                let truth = if n = 0 then 0.0 else Matrices.trace matrix

                for name, estimate in estimators do
                    for products in [ max 1 n; n + 1; 2 * n + 5; 1000 ] do
                        let trace = estimate products key operator
                        Expect.within $"{name} of size {n}, {products} products" 1e-12 truth trace.Value
                        Expect.equal name (true, n) (trace.IsExact, trace.Matvecs)
                        Expect.inRange name 0.0 1e-12 trace.StandardError

                Expect.within
                    "(AdaptiveHutchPlusPlus.estimate…"
                    1e-6
                    truth
                    (AdaptiveHutchPlusPlus.estimate 1e-6 0.05 key operator).Value
        }

        test "adaptive Hutch++ keeps its promise, with products where they pay" {
            for name, most in [ "flat", 400.0; "poly", 120.0; "exp", 90.0; "step", 200.0 ] do
                let values = spectrum 1000 name
                let truth = Array.sum values

                let results =
                    (Key.OfSeed 76L).Split 40
                    |> Array.map (fun key -> AdaptiveHutchPlusPlus.estimate (0.01 * truth) 0.05 key (diagonal values))
                // The risk is 10 % at most, as a bound: 13 of 40 would happen once in a million times.
                Expect.isLessThan
                    name
                    (results |> Array.filter (fun r -> abs (r.Value - truth) > 0.01 * truth) |> Array.length, 13)

                Expect.isLessThan name (results |> Array.averageBy (fun r -> float r.Matvecs), most)
        }

        test "float32 products of a million parameters give figures right to float32" {
            let n = 1_000_000
            let d = Tensor.uniform (Key.OfSeed 77L) DType.Float32 [ n ]
            let factor = Tensor.normal (Key.OfSeed 78L) DType.Float32 [ n; 3 ]
            let weights = Tensor.convert DType.Float32 (tensor [ 5.0; 2.0; 1.0 ])
            let operator = LinearOperator.lowRankPlusDiagonal d factor weights
            let squares = Tensor.convert DType.Float64 factor |> Tensor.square |> Tensor.sumAxes [ 0 ]

            let truth =
                (Tensor.sum (Tensor.convert DType.Float64 d)).ToScalar()
                + (Tensor.dot squares (Tensor.convert DType.Float64 weights)).ToScalar()

            // What is left when the large eigenvalues are known is flat, which costs XNysTrace, with its single pass,
            // more than XTrace.
            for name, estimate, error in [ "XTrace", XTrace.estimate, 1.5e-4; "XNysTrace", XNysTrace.estimate, 0.03 ] do
                let trace: Estimate<float> = estimate (StoppingRule.matvecs 16) key operator
                Expect.isLessThan name (abs (trace.Value - truth) / truth, error)
                Expect.isLessThan name (abs (trace.Value - truth), 6.0 * trace.StandardError)
        }
    ]
