namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<TestFixture>]
type LowRankTraceTests() =

    let key = Key.OfSeed 60L
    let none = RunOptions.Default
    /// For A-Hutch++, which stops by itself.
    let unlimited = StoppingRule.matvecs Int32.MaxValue
    let diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)
    let spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd

    /// Every estimator of the trace, with a number of products.
    let estimators: (string * (int -> Key -> LinearOperator -> Estimate<float>)) list =
        [
            "Hutch++", StoppingRule.matvecs >> HutchPlusPlus.estimate
            "Hutch++ of the sphere", StoppingRule.matvecs >> Estimate.run (HutchPlusPlus.withProbe Probe.sphere)
            "NA-Hutch++", StoppingRule.matvecs >> NonadaptiveHutchPlusPlus.estimate
            "XTrace", StoppingRule.matvecs >> XTrace.estimate
            "XTrace of signs", StoppingRule.matvecs >> Estimate.run (XTrace.withProbe Probe.rademacher)
            "XNysTrace", StoppingRule.matvecs >> XNysTrace.estimate
            "XNysTrace of signs", StoppingRule.matvecs >> Estimate.run (XNysTrace.withProbe Probe.rademacher)
        ]

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
    member _.``the smallest numbers of products give estimates, and fewer are refused``() =
        let operator = diagonal (spectrum 100 "poly")

        for name, estimate in estimators do
            let least =
                if name.StartsWith "Hutch" then 3
                elif name.StartsWith "NA" then 6
                elif name.StartsWith "XT" then 2
                else 1

            Assert.That((estimate least key operator).Value, Is.InRange(0.0, 200.0), name)

            if least > 1 then
                Expect.error<ArgumentRangeException> [ $"{least} products" ] (fun () ->
                    estimate (least - 1) key operator |> ignore)

        // Where a single vector can be left out, nothing tells how that varies.
        let few = XTrace.estimate (StoppingRule.matvecs 3) key operator
        Assert.That((few.IsErrorKnown, few.StandardError), Is.EqualTo((false, infinity)))

    [<Test>]
    member _.``operators that do not fit are refused``() =
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

    [<Test>]
    member _.``claims that products contradict are found out``() =
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

    [<Test>]
    member _.``a product that is not finite is an error that names its vector``() =
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

    [<Test>]
    member _.``rules on the error let an estimator grow until it is reached``() =
        for name in [ "poly"; "exp" ] do
            let values = spectrum 1000 name
            let truth = Array.sum values

            for estimate in [ XTrace.estimate; XNysTrace.estimate ] do
                let trace: Estimate<float> = estimate (StoppingRule.relativeError 0.01) key (diagonal values)
                let interval = trace.Interval 0.95
                Assert.That(trace.StopReason, Is.EqualTo StopReason.ErrorReached)
                Assert.That(trace.Matvecs, Is.LessThan 130)
                Assert.That(interval.High - interval.Low, Is.LessThanOrEqualTo(0.02 * trace.Value * 1.0001), name)
                Assert.That(truth, Is.InRange(interval.Low, interval.High), name)

    [<Test>]
    member _.``growing uses the same vectors as one large step``() =
        let operator = diagonal (spectrum 300 "poly")
        let once = XTrace.estimate (StoppingRule.matvecs 96) key operator
        let rule = StoppingRule.relativeError 1e-12 |> StoppingRule.orElse (StoppingRule.matvecs 96)
        let grown = XTrace.estimate rule key operator
        Assert.That(grown.Value, Is.EqualTo(once.Value).Within 1e-12)
        Assert.That(grown.Matvecs, Is.EqualTo 96)
        let width (e: Estimate<float>) = (e.Interval 0.95).High - (e.Interval 0.95).Low
        Assert.That(width grown, Is.GreaterThan(width once), "interim analyses are paid for")

    [<Test>]
    member _.``where no error is reached below the number of columns, all of them are taken``() =
        let operator = LinearOperator.ofSymmetricMatrix (Matrices.symmetric 75 50)
        let trace = XTrace.estimate (StoppingRule.relativeError 1e-9) key operator
        Assert.That((trace.IsExact, trace.StopReason), Is.EqualTo((true, StopReason.Exact)))
        Assert.That(trace.Value, Is.EqualTo(Matrices.trace (LinearOperator.dense operator)).Within 1e-13)
        Assert.That(trace.Matvecs, Is.InRange(51, 100), "what was spent before counts")

    [<Test>]
    member _.``cancelling returns what was found``() =
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
            Assert.That(trace.StopReason, Is.EqualTo StopReason.Cancelled)
            Assert.That(trace.Matvecs, Is.LessThan 90)
            Assert.That(abs (trace.Value - Array.sum values), Is.LessThan(6.0 * trace.StandardError))

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
                    Estimate.runWith options (HutchPlusPlus.withProbe Probe.rademacher) (StoppingRule.matvecs 200) key)
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

        for name, estimate in
            [
                "XTrace", Estimate.runWith options (XTrace.withProbe Probe.sphere) (StoppingRule.matvecs 20)
                "XNysTrace", Estimate.runWith options (XNysTrace.withProbe Probe.sphere) (StoppingRule.matvecs 20)
                "Hutch++", Estimate.runWith options (HutchPlusPlus.withProbe Probe.rademacher) (StoppingRule.matvecs 20)
                "NA-Hutch++", Estimate.runWith options NonadaptiveHutchPlusPlus.estimator (StoppingRule.matvecs 20)
                "A-Hutch++", Estimate.runWith options (AdaptiveHutchPlusPlus.estimator 1e-3 0.05) unlimited
            ] do
            Assert.Throws<OperationCanceledException>(Action(fun () -> estimate key operator |> ignore), name) |> ignore

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
