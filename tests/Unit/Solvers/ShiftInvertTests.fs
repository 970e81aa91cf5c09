/// Smallest eigenvalues by conjugate gradients.
module Curvature.Tests.Unit.ShiftInvertTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// QᵀDQ for a random orthogonal Q, rounded to an element type.
let private turned (dtype: DType) (values: float[]) : Tensor =
    let q = Matrices.orthogonal 7 values.Length
    let scaled = Tensor.reshape [ values.Length; 1 ] (Tensor.ofArray [ values.Length ] values) * q
    let matrix = Tensor.matmul (Tensor.transpose q) scaled
    0.5 * (matrix + Tensor.transpose matrix) |> Tensor.convert dtype

let private small = [| 0.001; 0.002; 0.003; 0.005; 0.008 |]

/// A few small eigenvalues among many between 1 and 1000.
let private stretched = Array.append small (Array.init 75 (fun i -> Math.Pow(10.0, 3.0 * float i / 74.0)))

[<Tests>]
let tests =
    testList "Unit.ShiftInvertTests" [
        test "the smallest eigenvalues are those of the dense matrix" {
            let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
            let pairs = ShiftInvert.smallest 0.0 5 operator
            Expect.isTrue "pairs.AllConverged" pairs.AllConverged
            let dense = (Exact.eigenvalues operator).Value.ToArray()

            for i in 0..4 do
                Expect.within "pairs.Values[i]" 1e-9 dense[i] pairs.Values[i]

                Expect.isLessThan
                    "abs (pairs.Values[i] - dense[i])"
                    (abs (pairs.Values[i] - dense[i]), pairs.Residuals[i] + 1e-11)

                Expect.isLessThan (string pairs) (pairs.Residuals[i], 1e-5 * dense[i])

            let gram = Tensor.matmul pairs.Vectors (Tensor.transpose pairs.Vectors)
            Expect.tensorsClose 1e-9 (Tensor.eye DType.Float64 5) gram
        }

        test "in Float32 they are within their residuals of those of the dense matrix" {
            let values = Array.append [| 0.5; 0.7; 1.1 |] (Array.init 57 (fun i -> 10.0 + float i))
            let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float32 values)
            let pairs = ShiftInvert.smallest 0.0 3 operator
            let dense = Exact.eigenvalues operator
            let rounding = (Tensor.max dense.StandardError).ToScalar()

            for i in 0..2 do
                let distance = abs (pairs.Values[i] - (dense.Value.ToArray())[i])
                Expect.isLessThan (string pairs) (distance, pairs.Residuals[i] + 5.0 * rounding)
                Expect.isLessThan (string pairs) (pairs.Residuals[i], 2e-3 * pairs.Values[i])
        }

        test "bounds hold where systems are solved loosely" {
            let operator = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
            let search, solver = EigenOptions.Default.WithTolerance 1e-3, SolverOptions.Default.WithTolerance 1e-7
            let pairs = ShiftInvert.smallestWith search solver 0.0 2 operator

            for i in 0..1 do
                let distance = stretched |> Array.map (fun truth -> abs (pairs.Values[i] - truth)) |> Array.min
                Expect.isLessThan (string pairs) (distance, pairs.Residuals[i])
                // Neither does the bound say more than a loose solution knows.
                Expect.isGreaterThan (string pairs) (pairs.Residuals[i], 1e-9 * pairs.Values[i])

            let looser = SolverOptions.Default.WithTolerance 1e-5

            raises<ArgumentRangeException>(fun () -> ShiftInvert.smallestWith search looser 0.0 2 operator) |> ignore
        }

        test "a singular operator is searched with a shift" {
            // The Laplacian of a path of 50 nodes: 2 − 2cos(πk/50).
            let laplacian =
                Array.init 2500 (fun at ->
                    match at / 50, at % 50 with
                    | i, j when i = j -> if i = 0 || i = 49 then 1.0 else 2.0
                    | i, j when abs (i - j) = 1 -> -1.0
                    | _ -> 0.0)
                |> Tensor.ofArray [ 50; 50 ]
                |> LinearOperator.ofSymmetricMatrix

            let pairs = ShiftInvert.smallest 0.01 4 laplacian

            for k in 0..3 do
                let truth = 2.0 - 2.0 * cos (Math.PI * float k / 50.0)
                Expect.isLessThan (string pairs) (abs (pairs.Values[k] - truth), pairs.Residuals[k] + 1e-13)
                Expect.isLessThan "pairs.Residuals[k]" (pairs.Residuals[k], 1e-7)
        }

        test "what is not positive definite, or not solved, is an error that says so" {
            let refuses (fragment: string) (work: unit -> obj) =
                let error = raises<OperatorException> work
                Expect.stringContains "error.Message" fragment error.Message

            let indefinite = LinearOperator.ofSymmetricMatrix (turned DType.Float64 (Array.append [| -1.0 |] stretched))
            refuses "positive definite" (fun () -> ShiftInvert.smallest 0.0 2 indefinite)
            refuses "positive definite" (fun () -> ShiftInvert.smallest 0.5 2 indefinite)

            Expect.within
                "(ShiftInvert.smallest 1.5 1 ind…"
                1e-8
                (-1.0)
                (ShiftInvert.smallest 1.5 1 indefinite).Values[0]

            let definite = LinearOperator.ofSymmetricMatrix (turned DType.Float64 stretched)
            let short = SolverOptions.Default.WithMaxIterations 3

            refuses "Allow more iterations" (fun () ->
                ShiftInvert.smallestWith EigenOptions.Default short 0.0 2 definite)

            raises<ArgumentRangeException>(fun () -> ShiftInvert.smallest nan 2 definite) |> ignore
            let cancelled = EigenOptions.Default.WithCancellation(CancellationToken true)

            raises<OperationCanceledException>(fun () ->
                ShiftInvert.smallestWith cancelled SolverOptions.Default 0.0 2 definite)
            |> ignore
        }

        testCase "products with the operator itself are counted" (fun () ->
            let mutable products = 0
            let matrix = turned DType.Float64 stretched

            let operator =
                LinearOperator.ofBlockFunction DType.Float64 80 80 (fun block ->
                    products <- products + block.Shape[0]
                    Tensor.matmul block matrix)
                |> LinearOperator.claim OperatorProperties.Symmetric

            let pairs = ShiftInvert.smallest 0.0 3 operator
            Expect.equal "pairs.Matvecs" products pairs.Matvecs)
    ]
