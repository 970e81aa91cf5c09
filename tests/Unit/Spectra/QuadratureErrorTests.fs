module Curvature.Tests.Unit.QuadratureErrorTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Bench
open Curvature.Tests

let private key = Key.OfSeed 18L

let private diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

let private sixDecades = Array.init 100 (fun i -> Math.Pow(10.0, -6.0 * float i / 99.0))

let private recurrence =
    JacobiMatrix(Array.init 9 (fun i -> cos (float i)), Array.init 9 (fun i -> 0.5 + 0.1 * float i))

let private dense =
    Array2D.init 9 9 (fun i j ->
        if i = j then cos (float i)
        elif abs (i - j) = 1 then 0.5 + 0.1 * float (min i j)
        else 0.0)

let private moment degree rule = rule |> Array.sumBy (fun struct (x, w) -> w * Math.Pow(x, float degree))

/// The first report of a run that asks for 10⁹ vectors and is cancelled on it, and how many products there were.
let private firstReport (run: RunOptions -> LinearOperator -> unit) =
    use source = new CancellationTokenSource()
    let mutable products = 0
    let mutable report: SamplingProgress option = None

    let listener =
        { new IProgress<SamplingProgress> with
            member _.Report progress =
                report <- Some progress
                source.Cancel()
        }

    let operator =
        LinearOperator.ofDelegate DType.Float64 50 50 (fun v ->
            products <- products + 1
            v |> Array.mapi (fun i x -> float (i + 1) * x))
        |> LinearOperator.claim OperatorProperties.Symmetric

    let options = RunOptions.Default.WithProgress(listener).WithCancellation source.Token
    Expect.error<OperationCanceledException> [] (fun () -> run options operator)
    report.Value, products

[<Tests>]
let tests =
    testList "Unit.QuadratureErrorTests" [
        test "nodes and weights of a recurrence are eigenvalues and squared first components" {
            for steps in 1..9 do
                let eigen = SmallEigen.ofLeading steps dense
                let nodes, weights = recurrence.Gauss steps |> Array.map (fun struct (x, w) -> x, w) |> Array.unzip
                Expect.close 1e-13 eigen.Values nodes
                Expect.close 1e-13 (Array.init steps (fun i -> eigen.Vectors[0, i] * eigen.Vectors[0, i])) weights

            let eigen = SmallEigen.of' dense
            let residuals = recurrence.Residuals |> Array.map (fun struct (_, r) -> r)
            Expect.close 1e-13 (Array.init 9 (fun i -> abs (1.3 * eigen.Vectors[8, i]))) residuals
        }

        test "Gauss–Radau's rule has the end among its nodes, and the moments of the recurrence up to twice its steps" {
            let shorter = recurrence.Leading 4
            let rule = shorter.Radau -3.0
            Expect.close 1e-12 [| -3.0 |] [| rule |> Array.map (fun struct (x, _) -> x) |> Array.min |]

            for degree in 0..8 do
                Expect.close 1e-11 [| moment degree (recurrence.Gauss 9) |] [| moment degree rule |]

            Expect.isTrue "one degree more is not exact" (abs (moment 9 rule - moment 9 (recurrence.Gauss 9)) > 1e-3)
        }

        // Signs see a diagonal matrix without variance: the interval has nothing but what the quadrature leaves open.
        test "between Gauss's and Gauss–Radau's rules lies the truth, after any number of steps" {
            let operator = diagonal sixDecades |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
            let sum f = Array.sumBy f sixDecades

            let cases: (string * float * (SpectralSample -> Estimate<float>)) list =
                [
                    "inverse", sum (fun x -> 1.0 / x), StochasticLanczos.traceOfInverse
                    "log", sum log, StochasticLanczos.logDeterminant
                    "shifted", sum (fun x -> log (x + 1e-3)), StochasticLanczos.logDeterminantShifted 1e-3
                    "entropy", sum (fun x -> -x * log x), StochasticLanczos.entropy
                    "dimension", sum (fun x -> x / (x + 1e-3)), StochasticLanczos.effectiveDimension 1e-3
                    "Schatten", Math.Pow(sum (fun x -> Math.Pow(x, 2.5)), 0.4), StochasticLanczos.schattenNorm 2.5
                ]

            for name, truth, ask in cases do
                let biases =
                    [ 2; 5; 10; 20; 40 ]
                    |> List.map (fun steps ->
                        let sample =
                            StochasticLanczos.sample 2 steps key operator
                            |> StochasticLanczos.within (SpectrumBounds.Unknown.WithLow(1e-6).WithHigh 1.0)

                        let estimate = ask sample
                        let interval = estimate.Interval 0.5
                        Expect.isTrue $"{name} after {steps}: {estimate} is resolved" estimate.IsResolved

                        Expect.isTrue
                            $"{name} after {steps}: {truth} in [{interval.Low}, {interval.High}]"
                            (interval.Low <= truth + 1e-9 * abs truth && truth - 1e-9 * abs truth <= interval.High)

                        estimate.Bias)

                Expect.isTrue
                    $"{name}: the bounds %A{biases} fall"
                    (List.pairwise biases |> List.forall (fun (a, b) -> b <= a))
        }

        test "what few steps do not resolve is said to be not resolved, by an infinite error" {
            let estimate = StochasticLanczos.sample 4 10 key (diagonal sixDecades) |> StochasticLanczos.traceOfInverse

            Expect.isTrue $"{estimate}" (not estimate.IsResolved && string estimate |> _.Contains("not resolved"))
            Expect.isTrue "an infinite error" (Double.IsPositiveInfinity estimate.StandardError)
            let interval, truth = estimate.Interval 0.95, Array.sumBy (fun x -> 1.0 / x) sixDecades
            // Gauss's rule is a lower bound all the same.
            Expect.isTrue $"{interval.Low}" (0.0 < interval.Low && interval.Low < truth)
            Expect.isTrue $"{interval.High}" (Double.IsPositiveInfinity interval.High)
        }

        test "in Float32, the inverse of an eigenvalue below rounding is not resolved by any number of steps" {
            let values = Array.init 40 (fun i -> if i = 0 then 1e-9 else 1.0 + float i / 40.0)

            let inverse dtype =
                Tensor.ofArray [ 40 ] values
                |> Tensor.convert dtype
                |> LinearOperator.ofDiagonal
                |> StochasticLanczos.sample 4 40 key
                |> StochasticLanczos.trace (fun x -> 1.0 / (x * x))

            Expect.isTrue $"{inverse DType.Float64}" (inverse DType.Float64).IsResolved
            let single = inverse DType.Float32
            Expect.isTrue $"{single}, bias {single.Bias}" (single.Bias > 0.5 * abs single.Value)
        }

        test "bounds that the spectrum does not keep are typed errors" {
            let sample = StochasticLanczos.sample 2 10 key (diagonal sixDecades)

            Expect.error<OperatorException> [ "upper"; "0.5" ] (fun () ->
                StochasticLanczos.within (SpectrumBounds.Unknown.WithHigh 0.5) sample |> ignore)

            Expect.error<OperatorException> [ "lower"; "0.1" ] (fun () ->
                StochasticLanczos.within (SpectrumBounds.Unknown.WithLow 0.1) sample |> ignore)

            Expect.error<ArgumentRangeException> [ "interval" ] (fun () ->
                SpectrumBounds.Unknown.WithLow(2.0).WithHigh 1.0 |> ignore)

            Expect.error<ArgumentRangeException> [ "NaN" ] (fun () -> SpectrumBounds.Unknown.WithLow nan |> ignore)
        }

        test "a run of 10⁹ vectors says what it will take before its first product" {
            let report, products =
                firstReport (fun options operator ->
                    StochasticLanczos.sampleWith options Probe.rademacher 1_000_000_000 30 key operator |> ignore)

            Expect.equal "report.Samples, products" (0, 0) (report.Samples, products)
            Expect.equal "report.ForecastMatvecs" 3e10 report.ForecastMatvecs
            Expect.isGreaterThan "report.ForecastBytes" (report.ForecastBytes, 30.0 * 8e9)

            let report, products =
                firstReport (fun options operator ->
                    ChebyshevMoments.sampleWith options Probe.rademacher 1_000_000_000 40 key operator |> ignore)

            Expect.equal "report.Samples, products" (0, 0) (report.Samples, products)
            Expect.equal "report.ForecastMatvecs" (24.0 + 2e10) report.ForecastMatvecs
        }

        // More by the variable CURVATURE_COVERAGE.
        test "95 percent intervals hold the truth in 93 percent, or say that it is not resolved" {
            let repetitions =
                match Int32.TryParse(Environment.GetEnvironmentVariable "CURVATURE_COVERAGE") with
                | true, repetitions when repetitions > 0 -> repetitions
                | _ -> 40

            let seed = 1L
            let cells = SpectralCoverage.cells repetitions (max 100 (min 2000 repetitions)) [ 10 ] seed
            Expect.isGreaterThan "cells.Length" (cells.Length, 500)

            let short =
                [
                    for cell in cells do
                        if SpectralCoverage.isTooRare repetitions cell.Held then
                            $"{cell.Question} of {cell.Spectrum}, {cell.DType}, {cell.Steps} steps: {cell.Held}"
                ]

            let text = String.Join("\n", short)
            Expect.isTrue $"seed {seed}, {repetitions} repetitions:\n{text}" (List.isEmpty short)
            // Not all is unresolved.
            let resolved = cells |> Array.averageBy _.Resolved
            Expect.isTrue $"{resolved} of the intervals have both ends" (resolved > 0.6)
        }
    ]
