namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Bench
open Curvature.Tests

[<TestFixture>]
type AutomaticTests() =

    let key = Key.OfSeed 130L

    /// With another number of bytes for vectors that are kept.
    let traceWithin memory stop key operator = Estimate.run (Automatic.traceEstimator memory) stop key operator

    let symmetric = LinearOperator.claim OperatorProperties.Symmetric
    let spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd
    let onePercent = StoppingRule.relativeError 0.01
    let work (e: Estimate<float>) = float e.Matvecs + 0.5 * float e.QuadraticForms

    /// In a random basis, where signs see what is off the diagonal.
    let rotated (values: float[]) =
        Matrices.withEigenvalues (Matrices.orthogonal 131 values.Length) values
        |> LinearOperator.ofSymmetricMatrix
        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

    /// xᵀ diag(d) x/2 in a basis where signs see its spread: an operator with quadratic forms.
    let withForms (values: float[]) =
        let n = values.Length
        let matrix = Matrices.withEigenvalues (Matrices.orthogonal 132 n) values
        Hessian.at (fun x -> 0.5 * Tensor.dot x (Tensor.matmul matrix x)) (Tensor.zeros DType.Float64 [ n ])

    let isTrue (truth: float) (chosen: ChosenEstimate<float>) =
        Assert.That(abs (chosen.Estimate.Value - truth), Is.LessThan(6.0 * chosen.Estimate.StandardError + 1e-12))

    [<Test>]
    member _.``spectra that decay are left to XNysTrace, or XTrace without the claim``() =
        for name in [ "poly"; "exp" ] do
            let operator = rotated (spectrum 300 name)
            let truth = Array.sum (spectrum 300 name)
            let semidefinite = Automatic.trace onePercent key operator
            Assert.That(semidefinite.Method, Is.EqualTo "XNysTrace")
            Assert.That(semidefinite.Reason, Does.Contain "claims to be semidefinite")

            let unclaimed =
                Automatic.trace onePercent key (LinearOperator.ofSymmetricMatrix (LinearOperator.dense operator))

            Assert.That(unclaimed.Method, Is.EqualTo "XTrace")
            Assert.That(unclaimed.Reason, Does.Contain "does not claim")

            for chosen in [ semidefinite; unclaimed ] do
                isTrue truth chosen
                let interval = chosen.Estimate.Interval 0.95
                Assert.That(interval.High - interval.Low, Is.LessThanOrEqualTo(0.0201 * truth))
                Assert.That(chosen.Estimate.StopReason, Is.EqualTo StopReason.ErrorReached)

    [<Test>]
    member _.``the choice costs at most one and a half times the work of the best method``() =
        for name in [ "poly"; "exp" ] do
            let operator = rotated (spectrum 500 name)
            let keys = (Key.OfSeed 133L).Split 5
            let mean (estimate: Key -> Estimate<float>) = keys |> Array.averageBy (estimate >> work)

            let best =
                [ XTrace.estimate; XNysTrace.estimate ]
                |> List.map (fun estimate -> mean (fun key -> estimate onePercent key operator))
                |> List.min

            let chosen = mean (fun key -> (Automatic.trace onePercent key operator).Estimate)
            TestContext.Out.WriteLine $"{name}: {chosen} beside {best}"
            Assert.That(chosen, Is.LessThanOrEqualTo(1.5 * best), name)

    [<Test>]
    member _.``a flat spectrum is sampled, by quadratic forms where there are any``() =
        let values = spectrum 1000 "flat"
        let rule = StoppingRule.relativeError 0.002
        let byForms = Automatic.trace rule key (withForms values)
        let byProducts = Automatic.trace rule key (rotated values)

        for chosen in [ byForms; byProducts ] do
            Assert.That(chosen.Method, Does.StartWith "Hutchinson's estimator", chosen.Reason)
            Assert.That(chosen.Reason, Does.Contain "products more")
            isTrue 2000.0 chosen

        Assert.That(byForms.Reason, Does.Contain "quadratic forms")
        Assert.That(byForms.Estimate.QuadraticForms, Is.GreaterThan 0)
        Assert.That(byProducts.Estimate.QuadraticForms, Is.EqualTo 0)
        Assert.That(byForms.Estimate.Matvecs, Is.LessThan 110, "the sketch is left early")

    [<Test>]
    member _.``a few large eigenvalues over a flat rest are kept, and the rest is sampled``() =
        let values = Array.init 1000 (fun i -> if i < 8 then 3000.0 else float i / 50.0)
        let operator = withForms values
        let chosen = Automatic.trace (StoppingRule.relativeError 0.002) key operator
        Assert.That(chosen.Method, Is.EqualTo "Hutchinson's estimator outside a sketch by XTrace", chosen.Reason)
        isTrue (Array.sum values) chosen
        Assert.That(chosen.Estimate.QuadraticForms, Is.GreaterThan 0)

    [<Test>]
    member _.``a plateau before a fall is not given up``() =
        let values = Array.init 600 (fun i -> if i < 40 then 1.0 else 1e-3)
        let chosen = Automatic.trace onePercent key (rotated values)
        isTrue (Array.sum values) chosen
        Assert.That(chosen.Method, Is.EqualTo "XNysTrace")
        Assert.That(chosen.Estimate.Matvecs, Is.LessThan 110)

    [<Test>]
    member _.``a number of products is spent to the end, on what leaves the smaller error``() =
        let rule = StoppingRule.matvecs 100
        let decaying = Automatic.trace rule key (rotated (spectrum 400 "poly"))
        Assert.That(decaying.Method, Is.EqualTo "XNysTrace")
        let flat = Automatic.trace rule key (withForms (spectrum 400 "flat"))

        for chosen, truth in [ decaying, Array.sum (spectrum 400 "poly"); flat, 800.0 ] do
            Assert.That(chosen.Estimate.Matvecs + chosen.Estimate.QuadraticForms, Is.EqualTo 100)
            Assert.That(chosen.Estimate.StopReason, Is.EqualTo StopReason.MatvecsSpent)
            isTrue truth chosen

    [<Test>]
    member _.``where as many products as columns are cheapest, they are taken``() =
        let matrix = Matrices.semidefinite 134 12

        let operator =
            LinearOperator.ofSymmetricMatrix matrix |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

        let small = Automatic.trace onePercent key operator
        Assert.That((small.Method, small.Estimate.IsExact), Is.EqualTo(("all columns", true)))
        Assert.That(small.Estimate.Value, Is.EqualTo(Matrices.trace matrix).Within 1e-12)
        Assert.That(small.Reason, Does.Contain "12")
        // 60 columns and an error that nothing reaches.
        let strict = Automatic.trace (StoppingRule.relativeError 1e-7) key (rotated (spectrum 60 "flat"))
        Assert.That((strict.Method, strict.Estimate.IsExact), Is.EqualTo(("all columns", true)))
        Assert.That(strict.Estimate.Value, Is.EqualTo(120.0).Within 1e-10)
        let zero = Automatic.trace onePercent key (LinearOperator.zero DType.Float64 0 0)
        Assert.That((zero.Estimate.Value, zero.Estimate.IsExact), Is.EqualTo((0.0, true)))

    [<Test>]
    member _.``an operator of low rank is known exactly by the sketch``() =
        let factor = Matrices.random 135 200 3
        let matrix = Tensor.matmul factor (Tensor.transpose factor)
        let chosen = Automatic.trace onePercent key (LinearOperator.ofSymmetricMatrix matrix)
        Assert.That((chosen.Method, chosen.Estimate.IsExact), Is.EqualTo(("XTrace", true)))
        Assert.That(chosen.Estimate.Value, Is.EqualTo(Matrices.trace matrix).Within 1e-10)

    [<Test>]
    member _.``without memory, products or a transpose, Hutchinson's estimator is what is left``() =
        let operator = rotated (spectrum 200 "flat")
        let bytes = 3L * 16L * 200L * 8L
        let tight = traceWithin (bytes - 1L) onePercent key operator
        Assert.That(tight.Method, Is.EqualTo "Hutchinson's estimator")
        Assert.That(tight.Reason, Does.Contain "bytes")
        Assert.That((traceWithin bytes onePercent key operator).Reason, Does.Not.Contain "bytes")
        let few = Automatic.trace (StoppingRule.matvecs 3) key operator
        Assert.That((few.Method, few.Estimate.Matvecs), Is.EqualTo(("Hutchinson's estimator", 3)))
        Assert.That(few.Reason, Does.Contain "3 products")
        let untransposed = LinearOperator.ofDelegate DType.Float64 50 50 (Array.map (fun x -> 2.0 * x))
        let diagonal = Automatic.diagonal onePercent key untransposed
        Assert.That(diagonal.Method, Is.EqualTo "Hutchinson's estimator")
        Assert.That(diagonal.Reason, Does.Contain "transpose")
        Expect.close 1e-12 (Array.create 50 2.0) (diagonal.Estimate.Value.ToArray())

        Expect.error<ArgumentRangeException> [ "memory"; "-1" ] (fun () ->
            traceWithin -1L onePercent key operator |> ignore)

    [<Test>]
    member _.``one is chosen among the estimators of a list, the first that fits``() =
        let signs = Probe.rademacher
        let hutchinson = Hutchinson.estimator signs Measurement.trace
        let semidefinite = rotated (spectrum 300 "poly")
        let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense semidefinite)

        let run candidates operator =
            Estimate.run (Automatic.among Automatic.memory candidates) (StoppingRule.matvecs 100) key operator

        let first = run [ XTrace.withProbe signs; XNysTrace.withProbe signs; hutchinson ] semidefinite
        Assert.That((first.Method, first.Reason), Is.EqualTo(("XTrace", "the operator is square")))
        let only = run [ XNysTrace.withProbe signs; hutchinson ] unclaimed
        Assert.That(only.Method, Is.EqualTo "Hutchinson's estimator")
        Assert.That(only.Reason, Is.EqualTo "the operator does not claim to be semidefinite")
        let alone = run [ hutchinson ] semidefinite
        Assert.That(alone.Reason, Is.EqualTo "there is no other candidate")

        for chosen in [ first; only; alone ] do
            isTrue (Array.sum (spectrum 300 "poly")) chosen

    [<Test>]
    member _.``candidates that cannot be chosen among are refused``() =
        let hutchinson = Hutchinson.estimator Probe.rademacher Measurement.trace

        for candidates, word in
            [
                [ XTrace.estimator ], "0 of them"
                [ hutchinson; hutchinson ], "2 of them"
                [ HutchPlusPlus.estimator; hutchinson ], "Hutch++"
                [ AdaptiveHutchPlusPlus.estimator 1.0 0.1; hutchinson ], "A-Hutch++"
            ] do
            Expect.error<ArgumentRangeException> [ "Automatic"; word ] (fun () ->
                Automatic.among Automatic.memory candidates |> ignore)

    [<Test>]
    member _.``samples outside a sketch by XDiag are unbiased for block traces too``() =
        let matrix = Matrices.semidefinite 140 40
        let operator = LinearOperator.ofSymmetricMatrix matrix
        let blocks = [ ParameterBlock("first", 0, 15); ParameterBlock("rest", 15, 25) ]

        match (XDiag.blockTracesWithProbe Probe.rademacher blocks).Definition.Procedure with
        | Procedure.Sketch start ->
            let sketch = start key operator
            sketch.Advance 5
            let struct (outside, measurement) = sketch.Outside()
            let stop = StoppingRule.matvecs 2000
            let found = Hutchinson.estimate Probe.rademacher measurement stop (Key.OfSeed 141L) outside

            for trace, block in Seq.zip found blocks do
                let entries = Matrices.diagonal matrix
                let truth = Array.sum entries[block.Offset .. block.Offset + block.Size - 1]
                let off = abs (trace.Trace.Value - truth) / trace.Trace.StandardError
                Assert.That(off, Is.LessThan 5.0, $"{trace} beside {truth}, keys of seeds 130 and 141")
        | _ -> Assert.Fail "XDiag keeps a sketch"

    [<Test>]
    member _.``where memory ends, what the vectors missed is sampled``() =
        let operator = rotated (spectrum 300 "poly")
        let chosen = traceWithin (3L * 24L * 300L * 8L) onePercent key operator
        Assert.That(chosen.Method, Does.StartWith "Hutchinson's estimator outside a sketch by XNysTrace")
        isTrue (Array.sum (spectrum 300 "poly")) chosen

    [<Test>]
    member _.``diagonals are chosen for alike``() =
        let values = spectrum 300 "exp"
        let operator = rotated values
        let truth = Matrices.diagonal (LinearOperator.dense operator) |> Tensor.ofArray [ 300 ]
        let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense operator)

        for operator, method in [ operator, "XNysDiag"; unclaimed, "XDiag" ] do
            let chosen = Automatic.diagonal onePercent key operator
            Assert.That(chosen.Method, Is.EqualTo method)
            let error = (Tensor.norm (chosen.Estimate.Value - truth) / Tensor.norm truth).ToScalar()
            Assert.That(error, Is.LessThan 0.01)

        let flat = rotated (spectrum 1000 "flat")
        let diagonal = Matrices.diagonal (LinearOperator.dense flat) |> Tensor.ofArray [ 1000 ]

        for operator in [ flat; LinearOperator.ofSymmetricMatrix (LinearOperator.dense flat) ] do
            let chosen = Automatic.diagonal (StoppingRule.relativeError 0.05) key operator
            Assert.That(chosen.Method, Is.EqualTo "Hutchinson's estimator", chosen.Reason)
            let errors = Tensor.abs (chosen.Estimate.Value - diagonal) / chosen.Estimate.StandardError
            Assert.That((Tensor.max errors).ToScalar(), Is.LessThan 6.0)

    [<Test>]
    member _.``unsymmetric operators have true traces``() =
        let matrix = Matrices.random 136 150 150 + 5.0 * Tensor.eye DType.Float64 150
        let chosen = Automatic.trace (StoppingRule.relativeError 0.1) key (LinearOperator.ofMatrix matrix)
        isTrue (Matrices.trace matrix) chosen

    [<TestCase("flat")>]
    [<TestCase("poly")>]
    [<TestCase("step")>]
    member _.``95 percent intervals of whatever was chosen hold the truth in 93 percent of 500 repetitions``
        (name: string)
        =
        let values =
            if name = "step" then
                Array.init 100 (fun i -> if i < 10 then 1.0 else 1e-3)
            else
                spectrum 100 name

        let operator, truth = rotated values, Array.sum values
        let rule = StoppingRule.relativeErrorAt 0.95 0.02 |> StoppingRule.orElse (StoppingRule.matvecs 90)

        let share =
            (Key.OfSeed 137L).Split 500
            |> Array.averageBy (fun key ->
                let interval = (Automatic.trace rule key operator).Estimate.Interval 0.95
                if interval.Low <= truth && truth <= interval.High then 1.0 else 0.0)

        TestContext.Out.WriteLine $"{name}: {share}"
        Assert.That(share, Is.GreaterThanOrEqualTo 0.93)

    [<Test>]
    member _.``cancelling returns what was found, before and after the choice``() =
        let values = spectrum 400 "flat"

        for limit, most in [ 20, 40; 60, 90 ] do
            use source = new CancellationTokenSource()
            let mutable products = 0
            let dense = rotated values

            let operator =
                LinearOperator.ofDelegate DType.Float64 400 400 (fun v ->
                    products <- products + 1
                    if products = limit then source.Cancel()
                    (dense.Apply(Tensor.ofArray [ 400 ] v)).ToArray())
                |> symmetric

            let chosen =
                Estimate.runWith
                    (RunOptions.Default.WithCancellation source.Token)
                    (Automatic.traceEstimator Automatic.memory)
                    (StoppingRule.relativeError 0.002)
                    key
                    operator

            Assert.That(chosen.Estimate.StopReason, Is.EqualTo StopReason.Cancelled)
            Assert.That(chosen.Estimate.Matvecs, Is.InRange(limit, most))
            isTrue 800.0 chosen

    // Ratios of root mean squares, or of means, from so few keys are off by so much.
    [<Test>]
    member _.``on ten spectra the choice is within twice the best error, and one and a half times the best products``
        ()
        =
        let keys = (Key.OfSeed 139L).Split 8
        let noise = 1.0 + 5.0 / sqrt (2.0 * float keys.Length)

        for name, eigenvalue in AutomaticChoice.spectra do
            for budget in [ 20; 40; 100 ] do
                let found = AutomaticChoice.errors keys budget eigenvalue
                TestContext.Out.WriteLine $"{name}, {budget}: {found.Ratio} of {found.Best} by {found.Methods}"
                Assert.That(found.Ratio, Is.LessThan(2.0 * noise), $"{name}, {budget} products, keys of seed 139")

            let found = AutomaticChoice.products keys 0.01 eigenvalue
            TestContext.Out.WriteLine $"{name}, 1 percent: {found.Ratio} of {found.Best} by {found.Methods}"
            Assert.That(found.Ratio, Is.LessThan(1.5 * noise), $"{name}, 1 percent, keys of seed 139")

    [<Test>]
    member _.``a number of products of at least n is n products, and so is a target where n is small``() =
        for name, size in List.allPairs [ "flat"; "poly"; "exp" ] [ 2; 5; 16; 40; 64 ] do
            let values = spectrum size name

            let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense (rotated values))

            for operator in [ rotated values; unclaimed ] do
                for products in [ size; size + 1; 3 * size ] do
                    let chosen = Automatic.trace (StoppingRule.matvecs products) key operator
                    Assert.That((chosen.Estimate.Matvecs, chosen.Estimate.IsExact), Is.EqualTo((size, true)))
                    Assert.That(chosen.Estimate.Value, Is.EqualTo(Array.sum values).Within 1e-10)

                if size <= 16 then
                    let chosen = Automatic.trace onePercent key operator
                    Assert.That((chosen.Estimate.Matvecs, chosen.Method), Is.EqualTo((size, "all columns")))

    [<Test>]
    member _.``operators that do not fit are refused``() =
        let wide = LinearOperator.ofMatrix (Matrices.random 138 3 5)

        Expect.error<OperatorException> [ "Automatic.trace"; "square" ] (fun () ->
            Automatic.trace onePercent key wide |> ignore)

        Expect.error<OperatorException> [ "Automatic.diagonal"; "square" ] (fun () ->
            Automatic.diagonal onePercent key wide |> ignore)

        let broken = LinearOperator.ofDelegate DType.Float64 60 60 (Array.map (fun _ -> nan))

        Expect.error<NonFiniteException> [ "NaN" ] (fun () -> Automatic.trace onePercent key broken |> ignore)
