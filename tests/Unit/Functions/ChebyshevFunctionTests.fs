module Curvature.Tests.Unit.ChebyshevFunctionTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = FunctionCases.n
let private block = Matrices.random 32 5 n
let private vector = Tensor.item 0 0 block

let private boundsOf name =
    let values = FunctionCases.eigenvalues name
    SpectrumBounds.Unknown.WithLow(0.999 * Array.min values).WithHigh(1.001 * Array.max values)

/// Spectra on whose interval a function is finite.
let private cases =
    [
        for f in [ SpectralFunction.exp; SpectralFunction.expOf -0.5; SpectralFunction.ofFunction "cos" cos ] do
            for name in [ "flat"; "outlier"; "decaying"; "low rank" ] do
                f, name
        for f in
            [
                SpectralFunction.log
                SpectralFunction.sqrt
                SpectralFunction.inverseSqrt
                SpectralFunction.inverse
            ] do
            for name in [ "flat"; "outlier" ] do
                f, name
        SpectralFunction.sqrt, "low rank"
    ]

[<Tests>]
let tests =
    testList "Unit.ChebyshevFunctionTests" [
        test "on a stated interval, the error of a series is never less than the true one" {
            for f, name in cases do
                let options = MatrixFunctionOptions.Default.WithTolerance(1e-14).WithBounds(boundsOf name)
                let truth = FunctionCases.truth DType.Float64 name f.Evaluate block

                for products in [ 2; 5; 10; 20; 60 ] do
                    let a = FunctionCases.operatorOf DType.Float64 name
                    let found = MatrixFunction.chebyshevWith (options.WithMaximumMatvecs products) f a block
                    let off = FunctionCases.rowNorms (truth - found.Value)
                    Expect.isTrue (string found) found.IsBound

                    for i in 0..4 do
                        Expect.isLessThanOrEqual $"{found} on {name}, {products}" (off[i], found.Errors[i])
        }

        test "the interval is found where none is stated" {
            for f, name in
                cases |> List.filter (fun (f, name) -> name = "flat" || f.Name = "cos" || f.Name.StartsWith "exp") do
                let found = MatrixFunction.chebyshev f (FunctionCases.operatorOf DType.Float64 name) vector
                let truth = FunctionCases.truth DType.Float64 name f.Evaluate (Tensor.unsqueeze 0 vector)
                let off = FunctionCases.rowNorms (truth - Tensor.unsqueeze 0 found.Value)
                Expect.isFalse (string found) found.IsBound
                Expect.isTrue $"{found} on {name}" found.IsConverged
                Expect.isLessThanOrEqual $"{found} on {name}" (off[0], found.Errors[0])
        }

        test "terms stop at the tolerance" {
            let a = FunctionCases.operatorOf DType.Float64 "flat"
            let options = MatrixFunctionOptions.Default.WithBounds(boundsOf "flat")

            let terms tolerance =
                (MatrixFunction.chebyshevWith (options.WithTolerance tolerance) SpectralFunction.exp a vector).Matvecs

            Expect.isLessThan "terms" (terms 1e-3, terms 1e-12)
            Expect.isLessThan "terms" (terms 1e-12, 25)
        }

        test "coefficients are those of the exponential: Bessel functions" {
            let series = ChebyshevSeries.ofFunction SpectralFunction.exp 0.0 1.0
            // I₀(1) and 2·I₁(1), Abramowitz & Stegun, table 9.8.
            Expect.close 1e-14 [| 1.2660658777520084; 1.1303182079849700 |] series.Coefficients[..1]
        }

        test "an eigenvalue outside of the stated interval is found, and a pole inside of it" {
            let a = FunctionCases.operatorOf DType.Float64 "outlier"

            let narrow =
                MatrixFunctionOptions.Default
                    .WithTolerance(1e-13)
                    .WithBounds(SpectrumBounds.Unknown.WithLow(0.0).WithHigh 2.0)

            Expect.error<OperatorException> [ "outside of the stated bounds" ] (fun () ->
                MatrixFunction.chebyshevWith narrow SpectralFunction.exp a vector |> ignore)

            Expect.error<OperatorException> [ "log"; "at 0"; "bounds" ] (fun () ->
                MatrixFunction.chebyshevWith narrow SpectralFunction.log a vector |> ignore)
        }

        test "a jump in the interval is not resolved, and said so" {
            let a = FunctionCases.operatorOf DType.Float64 "indefinite"
            let found = MatrixFunction.chebyshev SpectralFunction.sign a vector
            Expect.isFalse (string found) found.IsConverged
        }
    ]
