/// The spectrum of a network on handwritten digits, whose eigenvalues were computed with NumPy in Float64.
module Curvature.Tests.Unit.DigitsSpectrumTests

open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 9L
let private hessian dtype = Hessian.at (DigitsNetwork.loss dtype) (DigitsNetwork.theta dtype)

let private eigenvalues =
    lazy
        (File.ReadAllLines(SharedData.path "reference/digits_mlp_hessian_eigenvalues.txt")
         |> Array.filter (fun line -> line.Trim() <> "")
         |> Array.map float)

[<Tests>]
let tests =
    testList "Unit.DigitsSpectrumTests" [
        for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
            test $"both ends of the Hessian's spectrum ({dtype}, {tolerance})" {
                let pairs =
                    ThickRestartLanczos.findWith
                        (EigenOptions.Default.WithBasisSize 40)
                        SpectrumEnd.BothEnds
                        10
                        (hessian dtype)

                Expect.isTrue $"{pairs}" pairs.AllConverged
                let every first = Array.init 5 (fun i -> pairs.Values[2 * i + first])
                Expect.close tolerance (DigitsNetwork.numbers "hessian_top5") (every 0)
                Expect.close tolerance (DigitsNetwork.numbers "hessian_bottom5") (every 1)
                stdout.WriteLine $"{pairs.Matvecs} products, {pairs.Seconds:f2} s"
            }

        test "log-determinant, trace of the square and cumulative density of the Hessian lie within their errors" {
            let sample = StochasticLanczos.sample 12 50 key (hessian DType.Float64)

            let within name (estimate: Estimate<float>) =
                let expected = DigitsNetwork.number name

                Expect.isTrue
                    $"{name}: {expected} against {estimate} with {key}"
                    (abs (estimate.Value - expected) <= 6.0 * estimate.StandardError
                     && estimate.StandardError < 0.3 * expected)

            within
                "hessian_logdet_of_H_squared_plus_identity"
                (StochasticLanczos.trace (fun x -> log (x * x + 1.0)) sample)

            within "hessian_trace_of_square" (StochasticLanczos.trace (fun x -> x * x) sample)
            let cumulative, values = CumulativeDensity.ofSample sample, eigenvalues.Value

            for x in [ -1.0; -0.5; -0.1; -0.01; 0.01; 0.1; 0.5; 1.0; 2.0; 4.0 ] do
                let truth = (values |> Array.filter (fun value -> value <= x) |> Array.length |> float) / 2410.0
                let band = cumulative.Band(x, 0.999999)
                Expect.isTrue $"{truth} at {x} in [{band.Low}, {band.High}]" (band.Low <= truth && truth <= band.High)
        }

        for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
            test $"top, effective dimension and log-determinant of the Gauss-Newton matrix ({dtype}, {tolerance})" {
                let matrix =
                    GaussNewton.at
                        (DigitsNetwork.logits dtype)
                        (DigitsNetwork.crossEntropy dtype)
                        (DigitsNetwork.theta dtype)

                let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 5 matrix
                Expect.isTrue $"{pairs}" pairs.AllConverged
                Expect.close tolerance (DigitsNetwork.numbers "ggn_top5") pairs.Values
                let sample = StochasticLanczos.sample 12 40 key matrix

                let within name (estimate: Estimate<float>) =
                    let expected = DigitsNetwork.number name

                    Expect.isTrue
                        $"{name}: {expected} against {estimate} with {key}"
                        (abs (estimate.Value - expected) <= 6.0 * estimate.StandardError
                         && estimate.StandardError < 0.1 * abs expected)

                within "ggn_effective_dimension_at_1e_2" (StochasticLanczos.effectiveDimension 0.01 sample)
                within "ggn_logdet_plus_1e_2" (StochasticLanczos.logDeterminantShifted 0.01 sample)
            }
    ]
