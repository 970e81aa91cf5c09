namespace Curvature.Tests.Unit

open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.LowRankTraceCases

/// Values of the estimators: how close they come to the trace, and whether error bars are true.
[<TestFixture>]
type LowRankTraceTests() =

    static let basis = lazy (Matrices.orthogonal 59 1000)

    let lowRank seed n rank =
        let factor = Matrices.random seed n rank
        Tensor.matmul factor (Tensor.transpose factor)

    /// The tables of mean |error|/trace over 180 trials that docs/estimators were checked against: n = 1000, m = 100,
    /// resphered.
    static member Published =
        [
            TestCaseData("flat", 1.6e-3, 1.0e-3)
            TestCaseData("poly", 2.8e-4, 2.1e-4)
            TestCaseData("exp", 3.6e-9, 3.0e-14)
            TestCaseData("step", 1.2e-2, 5.9e-4)
        ]

    /// More of the same tables: entries for the sizes that take longer, and for the estimators whose signs see the
    /// basis.
    static member More =
        [
            TestCaseData("XTrace", "flat", 200, 1.1e-3)
            TestCaseData("XTrace", "flat", 300, 8.6e-4)
            TestCaseData("XTrace", "poly", 200, 7.9e-5)
            TestCaseData("XTrace", "poly", 300, 3.2e-5)
            TestCaseData("XTrace", "step", 200, 5.3e-7)
            TestCaseData("XTrace", "step", 300, 1.6e-7)
            TestCaseData("XNysTrace", "poly", 200, 5.7e-5)
            TestCaseData("Hutch++", "flat", 100, 2.0e-3)
            TestCaseData("Hutch++", "poly", 100, 4.8e-4)
            TestCaseData("Hutch++", "poly", 300, 5.7e-5)
            TestCaseData("Hutch++", "exp", 100, 9.4e-7)
            TestCaseData("Hutch++", "exp", 200, 5.3e-12)
            TestCaseData("Hutch++", "step", 100, 1.7e-2)
            TestCaseData("Hutch++", "step", 200, 2.0e-5)
            TestCaseData("NA-Hutch++", "flat", 100, 4.0e-3)
            TestCaseData("NA-Hutch++", "poly", 200, 4.3e-4)
            TestCaseData("NA-Hutch++", "exp", 300, 5.0e-9)
            TestCaseData("NA-Hutch++", "step", 200, 9.7e-3)
        ]

    [<TestCaseSource("More")>]
    member _.``mean errors of the tables agree for other numbers of products``
        (method: string, name: string, m: int, published: float)
        =
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
        Assert.That(measured, Is.InRange(0.5 * published, 2.0 * published))

    // Vectors of the sphere look the same in every basis, so that a diagonal stands for every matrix with these
    // eigenvalues.
    [<TestCaseSource("Published")>]
    member _.``mean errors from 100 products are those of the literature, within a factor of 2``
        (name: string, xtrace: float, xnystrace: float)
        =
        let values = spectrum 1000 name
        let truth = Array.sum values

        let mean (estimate: Key -> Estimate<float>) =
            (Key.OfSeed 61L).Split 50 |> Array.averageBy (fun key -> abs ((estimate key).Value - truth) / truth)

        let check (what: string) (published: float) (measured: float) =
            Assert.That(measured, Is.InRange(0.5 * published, max 1e-13 (2.0 * published)), what)

        check "XTrace" xtrace (mean (fun key -> XTrace.estimate (StoppingRule.matvecs 100) key (diagonal values)))
        let measured = mean (fun key -> XNysTrace.estimate (StoppingRule.matvecs 100) key (diagonal values))

        if xnystrace < 1e-13 then
            Assert.That(measured, Is.LessThan 1e-13)
        else
            check "XNysTrace" xnystrace measured

    [<Test>]
    member _.``every estimator is unbiased, and its standard error true``() =
        let matrix = Matrices.semidefinite 62 40 + 3.0 * Tensor.eye DType.Float64 40

        let operator =
            LinearOperator.ofSymmetricMatrix matrix |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

        let truth = Matrices.trace matrix

        for name, estimate in estimators do
            let results = (Key.OfSeed 63L).Split 400 |> Array.map (fun key -> estimate 16 key operator)
            let mean = results |> Array.averageBy _.Value
            let spread = sqrt (results |> Array.averageBy (fun r -> (r.Value - truth) ** 2.0))
            Assert.That(abs (mean - truth), Is.LessThan(5.0 * spread / 20.0), name)
            let claimed = sqrt (results |> Array.averageBy (fun r -> r.StandardError ** 2.0))
            Assert.That(claimed / spread, Is.InRange(0.8, 3.0), name)
            Assert.That(results |> Array.forall (fun r -> r.Matvecs + r.QuadraticForms = 16), name)

    [<Test>]
    member _.``unsymmetric operators have unbiased traces by Hutch++ and XTrace``() =
        let matrix = Matrices.random 64 30 30 + 2.0 * Tensor.eye DType.Float64 30
        let truth = Matrices.trace matrix

        for name, estimate in
            estimators |> List.filter (fun (name, _) -> not (name.StartsWith "N" || name.StartsWith "XN")) do
            let values =
                (Key.OfSeed 65L).Split 400
                |> Array.map (fun key -> (estimate 14 key (LinearOperator.ofMatrix matrix)).Value)

            let spread = sqrt (values |> Array.averageBy (fun v -> (v - truth) ** 2.0))
            Assert.That(abs (Array.average values - truth), Is.LessThan(5.0 * spread / 20.0), name)

    [<Test>]
    member _.``XTrace of a product of rank 10 is exact from 11 vectors``() =
        let left, right = Matrices.random 66 50 10, Matrices.random 67 10 50
        let matrix = Tensor.matmul left right

        for probe in [ Probe.sphere; Probe.gaussian; Probe.rademacher ] do
            let trace =
                Estimate.run (XTrace.withProbe probe) (StoppingRule.matvecs 22) key (LinearOperator.ofMatrix matrix)

            Assert.That(trace.Value, Is.EqualTo(Matrices.trace matrix).Within(10.0 * sqrt 2.2e-16))
            Assert.That(trace.IsExact, $"{probe}")
            Assert.That(trace.StandardError, Is.InRange(1e-16, 1e-11), $"{probe}")
            Assert.That(trace.Matvecs, Is.LessThanOrEqualTo 22)

    [<Test>]
    member _.``signs that reach the rounding level have an error bar``() =
        let values = spectrum 1000 "exp"
        let operator = LinearOperator.ofSymmetricMatrix (Matrices.withEigenvalues basis.Value values)

        for key in (Key.OfSeed 58L).Split 4 do
            let trace = Estimate.run (XTrace.withProbe Probe.rademacher) (StoppingRule.matvecs 200) key operator
            let interval = trace.Interval 0.95
            Assert.That(interval.Low, Is.LessThanOrEqualTo(10.0 / 3.0 + 1e-13))
            Assert.That(interval.High, Is.GreaterThanOrEqualTo(10.0 / 3.0 - 1e-13))
            Assert.That(interval.High - interval.Low, Is.LessThan 1e-11)

    [<Test>]
    member _.``an operator of low rank is known when its range is``() =
        for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
            let matrix = lowRank 68 80 5

            let operator =
                Tensor.convert dtype matrix
                |> LinearOperator.ofSymmetricMatrix
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let truth = Matrices.trace matrix

            for name, estimate in estimators do
                let trace = estimate 40 key operator
                Assert.That(trace.Value, Is.EqualTo(truth).Within(tolerance * truth), $"{name}, {dtype}")

                if not (name.Contains "Nys" || name.Contains "NA") then
                    Assert.That(trace.IsExact, name)
                    Assert.That(trace.Matvecs, Is.LessThan 40, name)
                else
                    Assert.That(trace.StandardError, Is.LessThan(100.0 * tolerance * truth), name)

    [<Test>]
    member _.``signs that repeat themselves are not taken for a complete range``() =
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
                        Assert.That(trace.Value, Is.EqualTo(truth).Within 1e-12, $"seed {seed}, {products} products")
                    else
                        // Even where a single vector can be left out.
                        Assert.That(trace.StandardError, Is.GreaterThan 0.0, $"seed {seed}, {products} products")

                    Assert.That(trace.Matvecs, Is.LessThanOrEqualTo products)

    [<Test>]
    member _.``the zero operator has trace 0``() =
        let zero = LinearOperator.zero DType.Float64 30 30

        for name, estimate in estimators do
            let trace = estimate 12 key zero
            Assert.That((trace.Value, trace.StandardError), Is.EqualTo((0.0, 0.0)), name)

        Assert.That((AdaptiveHutchPlusPlus.estimate 1e-3 0.05 key zero).Value, Is.EqualTo 0.0)

    [<Test>]
    member _.``as many products as columns, or more, give an exact result``() =
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
                    Assert.That(trace.Value, Is.EqualTo(truth).Within 1e-12, $"{name} of size {n}, {products} products")
                    Assert.That((trace.IsExact, trace.Matvecs), Is.EqualTo((true, n)), name)
                    Assert.That(trace.StandardError, Is.InRange(0.0, 1e-12), name)

            Assert.That((AdaptiveHutchPlusPlus.estimate 1e-6 0.05 key operator).Value, Is.EqualTo(truth).Within 1e-6)

    [<Test>]
    member _.``adaptive Hutch++ keeps its promise, with products where they pay``() =
        for name, most in [ "flat", 400.0; "poly", 120.0; "exp", 90.0; "step", 200.0 ] do
            let values = spectrum 1000 name
            let truth = Array.sum values

            let results =
                (Key.OfSeed 76L).Split 40
                |> Array.map (fun key -> AdaptiveHutchPlusPlus.estimate (0.01 * truth) 0.05 key (diagonal values))
            // The risk is 10 % at most, as a bound: 13 of 40 would happen once in a million times.
            Assert.That(
                results |> Array.filter (fun r -> abs (r.Value - truth) > 0.01 * truth) |> Array.length,
                Is.LessThan 13,
                name
            )

            Assert.That(results |> Array.averageBy (fun r -> float r.Matvecs), Is.LessThan most, name)

    [<Test>]
    member _.``float32 products of a million parameters give figures right to float32``() =
        let n = 1_000_000
        let d = Tensor.uniform (Key.OfSeed 77L) DType.Float32 [ n ]
        let factor = Tensor.normal (Key.OfSeed 78L) DType.Float32 [ n; 3 ]
        let weights = Tensor.convert DType.Float32 (tensor [ 5.0; 2.0; 1.0 ])
        let operator = LinearOperator.lowRankPlusDiagonal d factor weights
        let squares = Tensor.convert DType.Float64 factor |> Tensor.square |> Tensor.sumAxes [ 0 ]

        let truth =
            (Tensor.sum (Tensor.convert DType.Float64 d)).ToScalar()
            + (Tensor.dot squares (Tensor.convert DType.Float64 weights)).ToScalar()

        // What is left when the large eigenvalues are known is flat, which costs XNysTrace, with its single pass, more
        // than XTrace.
        for name, estimate, error in [ "XTrace", XTrace.estimate, 1.5e-4; "XNysTrace", XNysTrace.estimate, 0.03 ] do
            let trace: Estimate<float> = estimate (StoppingRule.matvecs 16) key operator
            Assert.That(abs (trace.Value - truth) / truth, Is.LessThan error, name)
            Assert.That(abs (trace.Value - truth), Is.LessThan(6.0 * trace.StandardError), name)
