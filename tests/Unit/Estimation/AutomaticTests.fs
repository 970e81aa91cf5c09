module Curvature.Tests.Unit.AutomaticTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Bench
open Curvature.Tests

let private key = Key.OfSeed 130L

/// With another number of bytes for vectors that are kept.
let private traceWithin memory stop key operator = Estimate.run (Automatic.traceEstimator memory) stop key operator

let private symmetric = LinearOperator.claim OperatorProperties.Symmetric
let private spectrum n name = Matrices.spectra n |> List.find (fst >> (=) name) |> snd
let private onePercent = StoppingRule.relativeError 0.01
let private work (e: Estimate<float>) = float e.Matvecs + 0.5 * float e.QuadraticForms

/// In a random basis, where signs see what is off the diagonal.
let private rotated (values: float[]) =
    Matrices.withEigenvalues (Matrices.orthogonal 131 values.Length) values
    |> LinearOperator.ofSymmetricMatrix
    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

/// xᵀ diag(d) x/2 in a basis where signs see its spread: an operator with quadratic forms.
let private withForms (values: float[]) =
    let n = values.Length
    let matrix = Matrices.withEigenvalues (Matrices.orthogonal 132 n) values
    Hessian.at (fun x -> 0.5 * Tensor.dot x (Tensor.matmul matrix x)) (Tensor.zeros DType.Float64 [ n ])

let private isTrue (truth: float) (chosen: ChosenEstimate<float>) =
    Expect.isLessThan
        "abs (chosen.Estimate.Value - tr…"
        (abs (chosen.Estimate.Value - truth), 6.0 * chosen.Estimate.StandardError + 1e-12)

[<Tests>]
let tests =
    testList "Unit.AutomaticTests" [
        test "spectra that decay are left to XNysTrace, or XTrace without the claim" {
            for name in [ "poly"; "exp" ] do
                let operator = rotated (spectrum 300 name)
                let truth = Array.sum (spectrum 300 name)
                let semidefinite = Automatic.trace onePercent key operator
                Expect.equal "semidefinite.Method" "XNysTrace" semidefinite.Method
                Expect.stringContains "semidefinite.Reason" "claims to be semidefinite" semidefinite.Reason

                let unclaimed =
                    Automatic.trace onePercent key (LinearOperator.ofSymmetricMatrix (LinearOperator.dense operator))

                Expect.equal "unclaimed.Method" "XTrace" unclaimed.Method
                Expect.stringContains "unclaimed.Reason" "does not claim" unclaimed.Reason

                for chosen in [ semidefinite; unclaimed ] do
                    isTrue truth chosen
                    let interval = chosen.Estimate.Interval 0.95

                    Expect.isLessThanOrEqual
                        "interval.High - interval.Low"
                        (interval.High - interval.Low, 0.0201 * truth)

                    Expect.equal "chosen.Estimate.StopReason" StopReason.ErrorReached chosen.Estimate.StopReason
        }

        test "the choice costs at most one and a half times the work of the best method" {
            for name in [ "poly"; "exp" ] do
                let operator = rotated (spectrum 500 name)
                let keys = (Key.OfSeed 133L).Split 5
                let mean (estimate: Key -> Estimate<float>) = keys |> Array.averageBy (estimate >> work)

                let best =
                    [ XTrace.estimate; XNysTrace.estimate ]
                    |> List.map (fun estimate -> mean (fun key -> estimate onePercent key operator))
                    |> List.min

                let chosen = mean (fun key -> (Automatic.trace onePercent key operator).Estimate)
                stdout.WriteLine $"{name}: {chosen} beside {best}"
                Expect.isLessThanOrEqual name (chosen, 1.5 * best)
        }

        test "a flat spectrum is sampled, by quadratic forms where there are any" {
            let values = spectrum 1000 "flat"
            let rule = StoppingRule.relativeError 0.002
            let byForms = Automatic.trace rule key (withForms values)
            let byProducts = Automatic.trace rule key (rotated values)

            for chosen in [ byForms; byProducts ] do
                Expect.stringStarts chosen.Reason "Hutchinson's estimator" chosen.Method
                Expect.stringContains "chosen.Reason" "products more" chosen.Reason
                isTrue 2000.0 chosen

            Expect.stringContains "byForms.Reason" "quadratic forms" byForms.Reason
            Expect.isGreaterThan "byForms.Estimate.QuadraticForms" (byForms.Estimate.QuadraticForms, 0)
            Expect.equal "byProducts.Estimate.QuadraticFo…" 0 byProducts.Estimate.QuadraticForms
            Expect.isLessThan "the sketch is left early" (byForms.Estimate.Matvecs, 110)
        }

        test "a few large eigenvalues over a flat rest are kept, and the rest is sampled" {
            let values = Array.init 1000 (fun i -> if i < 8 then 3000.0 else float i / 50.0)
            let operator = withForms values
            let chosen = Automatic.trace (StoppingRule.relativeError 0.002) key operator
            Expect.equal chosen.Reason "Hutchinson's estimator outside a sketch by XTrace" chosen.Method
            isTrue (Array.sum values) chosen
            Expect.isGreaterThan "chosen.Estimate.QuadraticForms" (chosen.Estimate.QuadraticForms, 0)
        }

        test "a plateau before a fall is not given up" {
            let values = Array.init 600 (fun i -> if i < 40 then 1.0 else 1e-3)
            let chosen = Automatic.trace onePercent key (rotated values)
            isTrue (Array.sum values) chosen
            Expect.equal "chosen.Method" "XNysTrace" chosen.Method
            Expect.isLessThan "chosen.Estimate.Matvecs" (chosen.Estimate.Matvecs, 110)
        }

        test "a number of products is spent to the end, on what leaves the smaller error" {
            let rule = StoppingRule.matvecs 100
            let decaying = Automatic.trace rule key (rotated (spectrum 400 "poly"))
            Expect.equal "decaying.Method" "XNysTrace" decaying.Method
            let flat = Automatic.trace rule key (withForms (spectrum 400 "flat"))

            for chosen, truth in [ decaying, Array.sum (spectrum 400 "poly"); flat, 800.0 ] do
                Expect.equal
                    "chosen.Estimate.Matvecs + chose…"
                    100
                    (chosen.Estimate.Matvecs + chosen.Estimate.QuadraticForms)

                Expect.equal "chosen.Estimate.StopReason" StopReason.MatvecsSpent chosen.Estimate.StopReason
                isTrue truth chosen
        }

        test "where as many products as columns are cheapest, they are taken" {
            let matrix = Matrices.semidefinite 134 12

            let operator =
                LinearOperator.ofSymmetricMatrix matrix |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let small = Automatic.trace onePercent key operator
            Expect.equal "small.Method, small.Estimate.Is…" ("all columns", true) (small.Method, small.Estimate.IsExact)
            Expect.within "small.Estimate.Value" 1e-12 (Matrices.trace matrix) small.Estimate.Value
            Expect.stringContains "small.Reason" "12" small.Reason
            // 60 columns and an error that nothing reaches.
            let strict = Automatic.trace (StoppingRule.relativeError 1e-7) key (rotated (spectrum 60 "flat"))

            Expect.equal
                "strict.Method, strict.Estimate.…"
                ("all columns", true)
                (strict.Method, strict.Estimate.IsExact)

            Expect.within "strict.Estimate.Value" 1e-10 120.0 strict.Estimate.Value
            let zero = Automatic.trace onePercent key (LinearOperator.zero DType.Float64 0 0)
            Expect.equal "zero.Estimate.Value, zero.Estim…" (0.0, true) (zero.Estimate.Value, zero.Estimate.IsExact)
        }

        test "an operator of low rank is known exactly by the sketch" {
            let factor = Matrices.random 135 200 3
            let matrix = Tensor.matmul factor (Tensor.transpose factor)
            let chosen = Automatic.trace onePercent key (LinearOperator.ofSymmetricMatrix matrix)
            Expect.equal "chosen.Method, chosen.Estimate.…" ("XTrace", true) (chosen.Method, chosen.Estimate.IsExact)
            Expect.within "chosen.Estimate.Value" 1e-10 (Matrices.trace matrix) chosen.Estimate.Value
        }

        test "without memory, products or a transpose, Hutchinson's estimator is what is left" {
            let operator = rotated (spectrum 200 "flat")
            let bytes = 3L * 16L * 200L * 8L
            let tight = traceWithin (bytes - 1L) onePercent key operator
            Expect.equal "tight.Method" "Hutchinson's estimator" tight.Method
            Expect.stringContains "tight.Reason" "bytes" tight.Reason

            Expect.isFalse
                "(traceWithin bytes onePercent k…"
                ((traceWithin bytes onePercent key operator).Reason.Contains("bytes"))

            let few = Automatic.trace (StoppingRule.matvecs 3) key operator

            Expect.equal
                "few.Method, few.Estimate.Matvecs"
                ("Hutchinson's estimator", 3)
                (few.Method, few.Estimate.Matvecs)

            Expect.stringContains "few.Reason" "3 products" few.Reason
            let untransposed = LinearOperator.ofDelegate DType.Float64 50 50 (Array.map (fun x -> 2.0 * x))
            let diagonal = Automatic.diagonal onePercent key untransposed
            Expect.equal "diagonal.Method" "Hutchinson's estimator" diagonal.Method
            Expect.stringContains "diagonal.Reason" "transpose" diagonal.Reason
            Expect.close 1e-12 (Array.create 50 2.0) (diagonal.Estimate.Value.ToArray())

            Expect.error<ArgumentRangeException> [ "memory"; "-1" ] (fun () ->
                traceWithin -1L onePercent key operator |> ignore)
        }

        test "one is chosen among the estimators of a list, the first that fits" {
            let signs = Probe.rademacher
            let hutchinson = Hutchinson.estimator signs Measurement.trace
            let semidefinite = rotated (spectrum 300 "poly")
            let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense semidefinite)

            let run candidates operator =
                Estimate.run (Automatic.among Automatic.memory candidates) (StoppingRule.matvecs 100) key operator

            let first = run [ XTrace.withProbe signs; XNysTrace.withProbe signs; hutchinson ] semidefinite
            Expect.equal "first.Method, first.Reason" ("XTrace", "the operator is square") (first.Method, first.Reason)
            let only = run [ XNysTrace.withProbe signs; hutchinson ] unclaimed
            Expect.equal "only.Method" "Hutchinson's estimator" only.Method
            Expect.equal "only.Reason" "the operator does not claim to be semidefinite" only.Reason
            let alone = run [ hutchinson ] semidefinite
            Expect.equal "alone.Reason" "there is no other candidate" alone.Reason

            for chosen in [ first; only; alone ] do
                isTrue (Array.sum (spectrum 300 "poly")) chosen
        }

        test "candidates that cannot be chosen among are refused" {
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
        }

        test "samples outside a sketch by XDiag are unbiased for block traces too" {
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
                    Expect.isLessThan $"{trace} beside {truth}, keys of seeds 130 and 141" (off, 5.0)
            | _ -> failtest "XDiag keeps a sketch"
        }

        test "where memory ends, what the vectors missed is sampled" {
            let operator = rotated (spectrum 300 "poly")
            let chosen = traceWithin (3L * 24L * 300L * 8L) onePercent key operator
            Expect.stringStarts "chosen.Method" "Hutchinson's estimator outside a sketch by XNysTrace" chosen.Method
            isTrue (Array.sum (spectrum 300 "poly")) chosen
        }

        test "diagonals are chosen for alike" {
            let values = spectrum 300 "exp"
            let operator = rotated values
            let truth = Matrices.diagonal (LinearOperator.dense operator) |> Tensor.ofArray [ 300 ]
            let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense operator)

            for operator, method in [ operator, "XNysDiag"; unclaimed, "XDiag" ] do
                let chosen = Automatic.diagonal onePercent key operator
                Expect.equal "chosen.Method" method chosen.Method
                let error = (Tensor.norm (chosen.Estimate.Value - truth) / Tensor.norm truth).ToScalar()
                Expect.isLessThan "error" (error, 0.01)

            let flat = rotated (spectrum 1000 "flat")
            let diagonal = Matrices.diagonal (LinearOperator.dense flat) |> Tensor.ofArray [ 1000 ]

            for operator in [ flat; LinearOperator.ofSymmetricMatrix (LinearOperator.dense flat) ] do
                let chosen = Automatic.diagonal (StoppingRule.relativeError 0.05) key operator
                Expect.equal chosen.Reason "Hutchinson's estimator" chosen.Method
                let errors = Tensor.abs (chosen.Estimate.Value - diagonal) / chosen.Estimate.StandardError
                Expect.isLessThan "Tensor.max errors" ((Tensor.max errors).ToScalar(), 6.0)
        }

        test "unsymmetric operators have true traces" {
            let matrix = Matrices.random 136 150 150 + 5.0 * Tensor.eye DType.Float64 150
            let chosen = Automatic.trace (StoppingRule.relativeError 0.1) key (LinearOperator.ofMatrix matrix)
            isTrue (Matrices.trace matrix) chosen
        }

        for name in [ "flat"; "poly"; "step" ] do
            test $"95 percent intervals of what was chosen hold the truth in 93 percent of 500 repetitions ({name})" {
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

                stdout.WriteLine $"{name}: {share}"
                Expect.isGreaterThanOrEqual "share" (share, 0.93)
            }

        testCase "cancelling returns what was found, before and after the choice" (fun () ->
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

                Expect.equal "chosen.Estimate.StopReason" StopReason.Cancelled chosen.Estimate.StopReason
                Expect.inRange "chosen.Estimate.Matvecs" limit most chosen.Estimate.Matvecs
                isTrue 800.0 chosen)

        // Ratios of root mean squares, or of means, from so few keys are off by so much.
        test "on ten spectra the choice is within twice the best error, and one and a half times the best products" {
            let keys = (Key.OfSeed 139L).Split 8
            let noise = 1.0 + 5.0 / sqrt (2.0 * float keys.Length)

            for name, eigenvalue in AutomaticChoice.spectra do
                for budget in [ 20; 40; 100 ] do
                    let found = AutomaticChoice.errors keys budget eigenvalue
                    stdout.WriteLine $"{name}, {budget}: {found.Ratio} of {found.Best} by {found.Methods}"
                    Expect.isLessThan $"{name}, {budget} products, keys of seed 139" (found.Ratio, 2.0 * noise)

                let found = AutomaticChoice.products keys 0.01 eigenvalue
                stdout.WriteLine $"{name}, 1 percent: {found.Ratio} of {found.Best} by {found.Methods}"
                Expect.isLessThan $"{name}, 1 percent, keys of seed 139" (found.Ratio, 1.5 * noise)
        }

        test "a number of products of at least n is n products, and so is a target where n is small" {
            for name, size in List.allPairs [ "flat"; "poly"; "exp" ] [ 2; 5; 16; 40; 64 ] do
                let values = spectrum size name

                let unclaimed = LinearOperator.ofSymmetricMatrix (LinearOperator.dense (rotated values))

                for operator in [ rotated values; unclaimed ] do
                    for products in [ size; size + 1; 3 * size ] do
                        let chosen = Automatic.trace (StoppingRule.matvecs products) key operator

                        Expect.equal
                            "chosen.Estimate.Matvecs, chosen…"
                            (size, true)
                            (chosen.Estimate.Matvecs, chosen.Estimate.IsExact)

                        Expect.within "chosen.Estimate.Value" 1e-10 (Array.sum values) chosen.Estimate.Value

                    if size <= 16 then
                        let chosen = Automatic.trace onePercent key operator

                        Expect.equal
                            "chosen.Estimate.Matvecs, chosen…"
                            (size, "all columns")
                            (chosen.Estimate.Matvecs, chosen.Method)
        }

        test "operators that do not fit are refused" {
            let wide = LinearOperator.ofMatrix (Matrices.random 138 3 5)

            Expect.error<OperatorException> [ "Automatic.trace"; "square" ] (fun () ->
                Automatic.trace onePercent key wide |> ignore)

            Expect.error<OperatorException> [ "Automatic.diagonal"; "square" ] (fun () ->
                Automatic.diagonal onePercent key wide |> ignore)

            let broken = LinearOperator.ofDelegate DType.Float64 60 60 (Array.map (fun _ -> nan))

            Expect.error<NonFiniteException> [ "NaN" ] (fun () -> Automatic.trace onePercent key broken |> ignore)
        }
    ]
