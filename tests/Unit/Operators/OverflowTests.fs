/// Numbers that leave the range of their element type are an error that says so, never NaN ± NaN.
module Curvature.Tests.Unit.Operators.OverflowTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 1L
let private n = 6
let private largest dtype = if dtype = DType.Float32 then 3e38 else 1.5e308

/// Products of this with vectors of signs overflow: rows of entries near the largest number.
let private overflowing dtype =
    Tensor.full dtype [ n; n ] (largest dtype)
    |> LinearOperator.ofMatrix
    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

/// Products with signs are finite, and so are their terms; the sums of these are not.
let private large dtype =
    Tensor.full dtype [ n ] (largest dtype)
    |> LinearOperator.ofDiagonal
    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

let private refuses (f: unit -> obj) = Expect.error<NonFiniteException> [] (f >> ignore)
let private stop = StoppingRule.matvecs 8
let private ones dtype = Tensor.ones dtype [ n ]

let private estimators: (string * (LinearOperator -> obj)) list =
    [
        "trace", (fun a -> box (Hutchinson.trace stop key a))
        "trace with gaussians", (fun a -> box (Hutchinson.estimate Probe.gaussian Measurement.trace stop key a))
        "diagonal of sums", (fun a -> box (Hutchinson.diagonal stop key (a + a)))
        "Frobenius norm", (fun a -> box (Norm.frobenius stop key a))
        "row norms", (fun a -> box (Norm.rowNorms stop key a))
        "exact trace", (fun a -> box (Exact.trace a))
        "exact Frobenius norm", (fun a -> box (Exact.frobenius a))
        "Hutch++", (fun a -> box (HutchPlusPlus.estimate (StoppingRule.matvecs 5) key a))
        "XTrace", (fun a -> box (XTrace.estimate (StoppingRule.matvecs 4) key a))
        "XNysTrace", (fun a -> box (XNysTrace.estimate (StoppingRule.matvecs 3) key a))
        "automatic trace", (fun a -> box (Automatic.trace stop key a))
    ]

let private estimatorNames = estimators |> Seq.map fst

[<Tests>]
let tests =
    testList "Unit.Operators.OverflowTests" [
        test "products, forms and blocks of finite vectors that overflow are refused" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let a = overflowing dtype
                let block = Tensor.ones dtype [ 2; n ]
                refuses (fun () -> box (a.Apply(ones dtype)))
                refuses (fun () -> box (a.Apply block))
                refuses (fun () -> box (a.QuadraticForm(ones dtype)))
                refuses (fun () -> box (a.QuadraticForm block))
                // Each product is finite, and the sum of its elements is not.
                let products = (large dtype).Apply(ones dtype)
                Expect.all "products" (fun x -> x < infinity) (products.ToArray())
                refuses (fun () -> box ((large dtype).QuadraticForm(ones dtype)))
                refuses (fun () -> box ((large dtype).QuadraticForm block))
                let matrix = LinearOperator.ofDelegate dtype n n (Array.map (fun x -> x * largest dtype))
                refuses (fun () -> box (matrix.QuadraticForm(ones dtype)))
                refuses (fun () -> box (matrix.QuadraticForm block))
                refuses (fun () -> box ((large dtype + large dtype).Apply(ones dtype)))
                refuses (fun () -> box ((large dtype * large dtype).Apply(ones dtype)))
                refuses (fun () -> box ((10.0 * large dtype).Apply(ones dtype)))
        }

        for name in estimatorNames do
            test $"estimates of what overflows are refused ({name})" {
                let estimate = estimators |> List.find (fst >> (=) name) |> snd
                refuses (fun () -> box (estimate (overflowing DType.Float64)))
                refuses (fun () -> box (estimate (large DType.Float64)))
            }

        test "spectra and solvers of what overflows are finite or refused" {
            let a = overflowing DType.Float64

            let finiteOrRefused (f: unit -> float[]) =
                let values =
                    try
                        f ()
                    with :? NonFiniteException ->
                        [||]

                Expect.isTrue $"%A{values}" (values |> Array.forall System.Double.IsFinite)

            finiteOrRefused (fun () -> (Lanczos.run 4 key a).RitzValues)
            finiteOrRefused (fun () -> (ThickRestartLanczos.find SpectrumEnd.Largest 1 a).Values)
            finiteOrRefused (fun () -> (Lobpcg.find SpectrumEnd.Largest 1 a).Values)
            finiteOrRefused (fun () -> (PowerIteration.find (PowerStop.residual 1e-6) 50 1 key a).Values)
            refuses (fun () -> box (a.Apply(ones DType.Float64)))
            refuses (fun () -> box (ConjugateGradients.solve SolverOptions.Default a (ones DType.Float64)))
        }

        test "large and small operators have the spectra and solutions of others, times their size" {
            let root = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ n; n ]
            let matrix = Tensor.matmul root (Tensor.transpose root) + Tensor.eye DType.Float64 n

            let of' (size: float) =
                LinearOperator.ofSymmetricMatrix (matrix * size)
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let relative (size: float) (values: float[]) = values |> Array.map (fun x -> x / size)
            let one = of' 1.0
            let expected = (Lanczos.run n key one).RitzValues
            let ends = (ThickRestartLanczos.find SpectrumEnd.Largest 2 one).Values
            let trace = (XTrace.estimate (StoppingRule.matvecs 20) key one).Value
            let solution = (ConjugateGradients.solve SolverOptions.Default one (ones DType.Float64)).Value.ToArray()

            for size in [ 1e-290; 1e-200; 1e200; 1e290 ] do
                let a = of' size
                Expect.close 1e-10 expected (relative size (Lanczos.run n key a).RitzValues)
                Expect.close 1e-8 ends (relative size (ThickRestartLanczos.find SpectrumEnd.Largest 2 a).Values)

                Expect.close
                    1e-10
                    [| trace |]
                    (relative size [| (XTrace.estimate (StoppingRule.matvecs 20) key a).Value |])

                let found = ConjugateGradients.solve SolverOptions.Default a (ones DType.Float64 * size)
                Expect.isTrue $"{found} at {size}" found.IsConverged
                Expect.close 1e-6 solution (found.Value.ToArray())
        }
    ]
