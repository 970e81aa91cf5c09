/// Error bars where little is known: few samples, skewed ones, budgets near the number of columns, and results that
/// are exact up to rounding.
module Curvature.Tests.Unit.ErrorBarTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private diagonal (values: float[]) =
    LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)
    |> LinearOperator.claim (
        if Array.min values >= 0.0 then
            OperatorProperties.PositiveSemidefinite
        else
            OperatorProperties.Symmetric
    )

let private holds (truth: float) (estimate: Estimate<float>) =
    let interval = estimate.Interval 0.95
    interval.Low <= truth && truth <= interval.High

/// The share of 95 % intervals that hold the truth is not 5 standard errors below 93 %.
let private covers what repetitions truth (estimate: Key -> Estimate<float>) =
    let key = Key.OfSeed 160L

    let share = key.Split repetitions |> Array.averageBy (fun key -> if holds truth (estimate key) then 1.0 else 0.0)

    stdout.WriteLine $"{what}: {share}"
    let least = 0.93 - 5.0 * sqrt (0.93 * 0.07 / float repetitions)
    Expect.isGreaterThanOrEqual $"{what}, {key}" (share, least)

let private n = 40

/// Vectors of the sphere look the same in every basis, so that a diagonal stands for every matrix with these
/// eigenvalues.
let private spectra =
    [
        "flat", Array.init n (fun i -> 1.0 + 0.3 * float i / float n)
        "uniform", Array.init n (fun i -> float (i + 1) / float n)
        "1/i", Array.init n (fun i -> 1.0 / float (i + 1))
        "one outlier", Array.init n (fun i -> if i = 0 then 1e6 else float i / float n)
        "half", Array.init n (fun i -> if i < n / 2 then 1.0 else 0.1)
    ]

[<Tests>]
let tests =
    testList "Unit.ErrorBarTests" [
        for products in [ 20; 36; 39 ] do
            test $"intervals hold the truth for budgets near the number of columns ({products})" {
                for name, values in spectra do
                    let stop, operator = StoppingRule.matvecs products, diagonal values

                    covers $"XNysTrace, {name}, {products}" 600 (Array.sum values) (fun key ->
                        XNysTrace.estimate stop key operator)

                let values = snd spectra[1]

                covers $"Automatic, {products}" 600 (Array.sum values) (fun key ->
                    (Automatic.trace (StoppingRule.matvecs products) key (diagonal values)).Estimate)
            }

        for products in [ 20; 39 ] do
            test $"intervals of XTrace hold the truth for budgets near the number of columns ({products})" {
                for name, values in spectra do
                    covers $"XTrace, {name}, {products}" 600 (Array.sum values) (fun key ->
                        XTrace.estimate (StoppingRule.matvecs products) key (diagonal values))
            }

        for samples in [ 3; 5; 10; 50 ] do
            test $"intervals of few samples of rank 1, the most skewed forms, hold the truth ({samples})" {
                let operator = diagonal (Array.init 12 (fun i -> if i = 0 then 1.0 else 0.0))
                let stop = StoppingRule.matvecs samples

                covers $"trace, {samples}" 2000 1.0 (fun key ->
                    Hutchinson.estimate Probe.gaussian Measurement.trace stop key operator)

                covers $"Frobenius norm, {samples}" 2000 1.0 (fun key ->
                    Hutchinson.estimate Probe.gaussian Measurement.frobenius stop key operator)
            }

        test "sparse vectors know their error only when they have touched an outlier often enough" {
            let operator = diagonal (Array.init 50 (fun i -> if i = 7 then 100.0 else 1.0))

            let run probe count key =
                Hutchinson.estimate probe Measurement.trace (StoppingRule.matvecs count) key operator

            let few = run (Probe.sparse 0.1) 30 (Key.OfSeed 161L)
            Expect.equal "few.IsErrorKnown, few.StandardE…" (false, infinity) (few.IsErrorKnown, few.StandardError)
            Expect.isFalse "(run Probe.basis 200 (Key.OfSee…" (run Probe.basis 200 (Key.OfSeed 162L)).IsErrorKnown
            Expect.isTrue "(run Probe.rademacher 3 (Key.Of…" (run Probe.rademacher 3 (Key.OfSeed 162L)).IsErrorKnown
            let entries = Hutchinson.estimate (Probe.sparse 0.1) Measurement.diagonal (StoppingRule.matvecs 30)
            Expect.isFalse "(entries (Key.OfSeed 163L) oper…" (entries (Key.OfSeed 163L) operator).IsErrorKnown
            covers "sparse" 1500 149.0 (run (Probe.sparse 0.1) 60)
        }

        test "the longer side of an interval is that of the tail that was seen" {
            let operator = diagonal (Array.init 12 (fun i -> if i = 0 then 1.0 else 0.0))
            let stop, key = StoppingRule.matvecs 100, Key.OfSeed 164L
            let trace = Hutchinson.estimate Probe.gaussian Measurement.trace stop key operator
            let below, above = trace.Value - trace.Interval(0.95).Low, trace.Interval(0.95).High - trace.Value
            // The quantile of t with 99 degrees of freedom, and more for a skewness near 2√2 of one side.
            Expect.inRange "below / trace.StandardError" 1.984 2.10 (below / trace.StandardError)
            Expect.inRange "above / trace.StandardError" 2.15 2.45 (above / trace.StandardError)
            let negative = Estimates.scaled -2.0 trace

            Expect.within
                "negative.Value - negative.Inter…"
                1e-12
                (2.0 * above)
                (negative.Value - negative.Interval(0.95).Low)
            // By hand: 2 + 1·(2·4 + 1)/(6·6).
            Expect.equal "SampleLaw.quantile 36 1.0 2.0" 2.25 (SampleLaw.quantile 36 1.0 2.0)
        }

        test "the skewness of numbers is that of the formula, in every unit" {
            let numbers = (Tensor.normal (Key.OfSeed 165L) DType.Float64 [ 30 ]).ToArray() |> Array.map exp
            let mean = Array.average numbers
            let moment k = numbers |> Array.averageBy (fun x -> Math.Pow(x - mean, k))
            let expected = moment 3.0 / Math.Pow(moment 2.0, 1.5) * sqrt (30.0 * 29.0) / 28.0

            for unit in [ 1.0; -1.0; 1e-200; 1e200 ] do
                let moments = RunningMoments()
                numbers |> Array.iter (fun x -> moments.Add(unit * x))
                Expect.within $"{unit}" 1e-10 (float (sign unit) * expected) moments.Skewness
        }

        test "exact results in Float32 hold the truth within the rounding that they state" {
            for seed in 166L .. 175L do
                let matrix = Tensor.convert DType.Float32 (Matrices.random (int seed) 60 60)
                let wide = (Tensor.convert DType.Float64 matrix).ToArray()
                let truth = Seq.sum [ for i in 0..59 -> decimal wide[61 * i] ] |> float
                let trace = Exact.trace (LinearOperator.ofMatrix matrix)
                let norm = Exact.frobenius (LinearOperator.ofMatrix matrix)
                Expect.isTrue "trace.IsExact && trace.IsErrorK…" (trace.IsExact && trace.IsErrorKnown)
                Expect.isTrue $"{trace}" (holds truth trace)
                Expect.inRange "trace.StandardError" 1e-9 1e-5 trace.StandardError
                Expect.stringContains "string trace" "exact up to rounding" (string trace)
                Expect.isTrue $"{norm}" (holds (sqrt (Array.sumBy (fun x -> x * x) wide)) norm)
        }

        test "a bulk that rounding hides beside huge eigenvalues is in the error bar of XTrace" {
            for size in [ 1e6; 1e7; 1e8 ] do
                let values = Array.init 100 (fun i -> if i < 3 then size else float i / 100.0)
                let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ 100 ] values |> Tensor.convert DType.Float32)
                let truth = Array.sum values

                covers $"{size}" 300 truth (fun key ->
                    let trace = XTrace.estimate (StoppingRule.matvecs 40) key operator
                    let off = abs (trace.Value - truth) / truth
                    // What is called exact is so to the rounding of Float32.
                    Expect.isTrue $"{size}, {off}" (not trace.IsExact || off < 1e-6)
                    Expect.isGreaterThan "trace.StandardError" (trace.StandardError, 0.0)
                    trace)
        }

        for unit in [ 1e-200; 1.0; 1e200 ] do
            test $"A-Hutch++ keeps its promise and its error bar whatever the unit ({unit})" {
                let values = Array.init 100 (fun i -> unit * (0.5 + float i / 100.0))
                let operator = diagonal values

                for key in (Key.OfSeed 176L).Split 20 do
                    let trace = AdaptiveHutchPlusPlus.estimate (8.0 * unit) 0.01 key operator

                    Expect.isLessThan
                        "abs (trace.Value - Array.sum va…"
                        (abs (trace.Value - Array.sum values) / unit, 8.0)

                    Expect.inRange
                        "trace.StandardError / unit"
                        (if trace.IsExact then 1e-16 else 0.1)
                        8.0
                        (trace.StandardError / unit)
                    // An error that is allowed does not make an operator small enough to be 0.
                    let lax = AdaptiveHutchPlusPlus.estimate (1e100 * unit) 0.01 key operator
                    Expect.inRange "lax.StandardError / unit" 0.1 20.0 (lax.StandardError / unit)

                    Expect.isLessThan
                        "abs (lax.Value - Array.sum valu…"
                        (abs (lax.Value - Array.sum values) / lax.StandardError, 20.0)
            }
    ]
