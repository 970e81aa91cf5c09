namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<TestFixture>]
type LowRankDiagonalTests() =

    let key = Key.OfSeed 80L
    let none = RunOptions.Default

    let semidefinite =
        LinearOperator.ofSymmetricMatrix >> LinearOperator.claim OperatorProperties.PositiveSemidefinite

    let spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd
    static let basis = lazy (Matrices.orthogonal 81 1000)

    let estimators: (string * (int -> Key -> LinearOperator -> Estimate<Tensor>)) list =
        [
            "UDiag++", StoppingRule.matvecs >> UDiagPlusPlus.estimate
            "XDiag", StoppingRule.matvecs >> XDiag.estimate
            "XDiag of the sphere", StoppingRule.matvecs >> Estimate.run (XDiag.withProbe Probe.sphere)
            "XNysDiag", StoppingRule.matvecs >> XNysDiag.estimate
            "XNysDiag of the sphere", StoppingRule.matvecs >> Estimate.run (XNysDiag.withProbe Probe.sphere)
        ]

    let ofSigns = estimators |> List.filter (fun (name, _) -> not (name.Contains "sphere"))

    /// Median over trials of max |error/entry|, for n = 1000 and m = 100: Epperly 2025, figure 16.1, in numbers.
    static member Published =
        [
            TestCaseData("flat", 0.19, 0.22, 0.17)
            TestCaseData("poly", 0.33, 0.15, 0.068)
            TestCaseData("exp", 1.2e-3, 4e-6, 4e-12)
            TestCaseData("step", 1.8, 0.42, 0.044)
        ]

    [<TestCaseSource("Published")>]
    member _.``largest errors from 100 products are those of the literature, within a factor of 2``
        (name: string, udiag: float, xdiag: float, xnysdiag: float)
        =
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
            Assert.That(median, Is.InRange(0.5 * published, 2.0 * published), estimator)

    [<Test>]
    member _.``every entry is unbiased, with a true standard error``() =
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
                Assert.That(abs (mean - truth[i]), Is.LessThan(6.0 * spread / sqrt 500.0), $"{name}, entry {i}")
                let claimed = sqrt (errors |> Array.averageBy (fun e -> e[i] * e[i]))
                Assert.That(claimed / spread, Is.InRange(0.7, 3.0), $"{name}, entry {i}")

            Assert.That(results |> Array.forall (fun r -> r.Matvecs = 16), name)

    [<Test>]
    member _.``unsymmetric operators with a transpose have unbiased diagonals``() =
        let matrix = Matrices.random 85 20 20 + 2.0 * Tensor.eye DType.Float64 20
        let truth = Matrices.diagonal matrix

        for name, estimate in ofSigns |> List.truncate 2 do
            let values =
                (Key.OfSeed 86L).Split 500
                |> Array.map (fun key -> (estimate 9 key (LinearOperator.ofMatrix matrix)).Value.ToArray())

            for i in 0..19 do
                let spread = sqrt (values |> Array.averageBy (fun v -> (v[i] - truth[i]) ** 2.0))

                Assert.That(
                    abs ((values |> Array.averageBy (fun v -> v[i])) - truth[i]),
                    Is.LessThan(6.0 * spread / sqrt 500.0),
                    $"{name}, entry {i}"
                )

    [<Test>]
    member _.``the diagonal of an operator of low rank is known when its range is``() =
        let factor = Matrices.random 87 70 4
        let matrix = Tensor.matmul factor (Tensor.transpose factor)

        for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
            for name, estimate in estimators do
                let diagonal = estimate 36 key (semidefinite (Tensor.convert dtype matrix))
                Expect.close tolerance (Matrices.diagonal matrix) (diagonal.Value.ToArray())

                if not (name.Contains "Nys") then
                    Assert.That(diagonal.IsExact, name)
                    Assert.That((Tensor.max diagonal.StandardError).ToScalar(), Is.InRange(1e-17, tolerance), name)
                else
                    Assert.That((Tensor.max diagonal.StandardError).ToScalar(), Is.LessThan(100.0 * tolerance), name)

    [<Test>]
    member _.``block traces are sums of the diagonal, with error bars of their own``() =
        let matrix = Matrices.semidefinite 88 40
        let blocks = [ ParameterBlock("first", 0, 10); ParameterBlock("second", 10, 25); ParameterBlock("all", 0, 40) ]

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
                Assert.That(trace.Trace.Value, Is.EqualTo(Array.sum own).Within 1e-10)

                let truth =
                    Matrices.diagonal matrix
                    |> Array.skip trace.Block.Offset
                    |> Array.truncate trace.Block.Size
                    |> Array.sum

                Assert.That(abs (trace.Trace.Value - truth), Is.LessThan(6.0 * trace.Trace.StandardError))
                Assert.That(trace.Trace.StandardError, Is.LessThan(0.5 * truth))

        let exact = XDiag.blockTraces (StoppingRule.matvecs 40) key blocks (semidefinite matrix)
        Assert.That((exact[2].Trace.Value, exact[2].Trace.IsExact), Is.EqualTo((Matrices.trace matrix, true)))

        Expect.error<ArgumentRangeException> [ "XDiag"; "far" ] (fun () ->
            XDiag.blockTraces (StoppingRule.matvecs 8) key [ ParameterBlock("far", 30, 20) ] (semidefinite matrix)
            |> ignore)

    [<Test>]
    member _.``structure that leaves nothing to estimate gives exact diagonals``() =
        for n in [ 0; 1; 2; 9 ] do
            let matrix = Matrices.semidefinite 89 (max 1 n)
            let operator = if n = 0 then LinearOperator.zero DType.Float64 0 0 else semidefinite matrix
            let truth = if n = 0 then [||] else Matrices.diagonal matrix

            for name, estimate in estimators do
                for products in [ max 1 n; 3 * n + 2 ] do
                    let diagonal = estimate products key operator
                    Expect.close 1e-13 truth (diagonal.Value.ToArray())
                    Assert.That((diagonal.IsExact, diagonal.Matvecs), Is.EqualTo((true, n)), name)

        for _, estimate in estimators do
            let diagonal = estimate 9 key (LinearOperator.zero DType.Float64 30 30)
            Expect.close 0.0 (Array.zeroCreate 30) (diagonal.Value.ToArray())
            Expect.close 0.0 (Array.zeroCreate 30) (diagonal.StandardError.ToArray())

    [<Test>]
    member _.``operators that do not fit are refused``() =
        let wide = LinearOperator.ofMatrix (Matrices.random 90 3 5)
        let plain = LinearOperator.ofMatrix (Matrices.random 91 60 60)
        let untransposed = LinearOperator.ofDelegate DType.Float64 60 60 id
        let claimed = LinearOperator.claim OperatorProperties.PositiveSemidefinite plain

        for name, estimate in ofSigns do
            Expect.error<OperatorException> [ "square"; "[3; 5]" ] (fun () -> estimate 6 key wide |> ignore)
            Expect.error<OperatorException> [ "symmetric"; "claims" ] (fun () -> estimate 24 key claimed |> ignore)

            if name.StartsWith "XN" then
                Expect.error<OperatorException> [ "semidefinite"; "claim" ] (fun () -> estimate 12 key plain |> ignore)
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

    [<Test>]
    member _.``a rule on the error looks at the norms of diagonal and errors``() =
        let matrix = Matrices.withEigenvalues basis.Value (spectrum 1000 "exp")

        for estimate in [ XDiag.estimate; XNysDiag.estimate ] do
            let diagonal: Estimate<Tensor> = estimate (StoppingRule.relativeError 0.02) key (semidefinite matrix)
            Assert.That(diagonal.StopReason, Is.EqualTo StopReason.ErrorReached)
            let truth = Matrices.diagonal matrix |> Tensor.ofArray [ 1000 ]
            let error = (Tensor.norm (diagonal.Value - truth) / Tensor.norm truth).ToScalar()
            Assert.That(error, Is.LessThan 0.02)

    [<Test>]
    member _.``cancelling inside a sketch, or any other estimator, returns what was found``() =
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
                Assert.That(found.StopReason, Is.EqualTo StopReason.Cancelled, name)
                Assert.That(found.Matvecs, Is.InRange(limit, 80), name)
                Assert.That((Tensor.max found.StandardError).ToScalar(), Is.GreaterThan 0.0, name)

    // With as many vectors as the rank, each that is left out takes an eigenvalue of 1 with it. A form along one
    // direction has variance 2, beside which the spread of 30 estimates is a tenth.
    [<Test>]
    member _.``the error bar of a trace counts the direction that every vector may have missed``() =
        let operator =
            LinearOperator.ofDiagonal (Tensor.ofArray [ 300 ] (Array.init 300 (fun i -> if i < 30 then 1.0 else 0.0)))

        let traces = XDiag.blockTraces (StoppingRule.matvecs 60) key [ ParameterBlock("all", 0, 300) ] operator
        Assert.That(traces[0].Trace.StandardError ** 2.0, Is.InRange(2.0, 2.6))

    [<Test>]
    member _.``cancelling returns what was found``() =
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

        Assert.That((diagonal.StopReason, diagonal.Matvecs), Is.EqualTo((StopReason.Cancelled, 64)))
