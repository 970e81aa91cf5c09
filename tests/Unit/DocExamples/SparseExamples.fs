/// The F# of docs/sparse.md.
module DocExamples.SparseExamples

open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The chained Rosenbrock function: Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)².
let private rosenbrock (x: Tensor) =
    let n = x.Size
    let left, right = Tensor.slice 0 0 (n - 1) x, Tensor.slice 0 1 (n - 1) x
    Tensor.sum (100.0 * (right - left * left) ** 2.0 + (1.0 - left) ** 2.0)

let private x = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 1000 ]

[<Tests>]
let tests =
    testList "DocExamples.SparseExamples" [
        test "Hessians" {
            let hessian = SparseHessian.at rosenbrock x
            let entry = hessian[3, 4] // 0 where none is kept
            let product = hessian.Apply x
            let trace = Tensor.sum hessian.Diagonal

            Expect.within "entry" 1e-10 (-400.0 * x[3].ToScalar()) entry
            Expect.tensorsClose 1e-13 (hessianv rosenbrock x x) product
            Expect.within "trace" 1e-6 ((laplacian rosenbrock x).ToScalar()) (trace.ToScalar())
        }

        test "at many points" {
            let prepared = SparseHessian.prepare rosenbrock x
            printfn $"{prepared}" // sparse Hessian of 1000 by 1000, 2998 entries, 3 colours of columns

            for scale in [ 0.5; 1.0; 2.0 ] do
                let here = prepared.At(scale * x) // three products
                printfn $"{(Tensor.sum here.Diagonal).ToScalar()}"

            Expect.equal "text" "sparse Hessian of 1000 by 1000, 2998 entries, 3 colours of columns" (string prepared)
        }

        test "two ways to read entries" {
            let options = SparseOptions.Default.WithRecovery RecoveryMethod.Substitution
            let fewer = SparseHessian.prepareWith options rosenbrock x // 2 colours

            Expect.equal "colours" 2 fewer.ColourCount
        }

        test "Jacobians" {
            let residuals (x: Tensor) = Tensor.concat 0 [ sin x; Tensor.reshape [ 1 ] (Tensor.sum (x * x)) ]

            let jacobian = SparseJacobian.prepare residuals x
            printfn $"{jacobian}" // sparse Jacobian of 1001 by 1000, 2000 entries, 2 colours of rows
            let j = jacobian.At x

            Expect.equal "text" "sparse Jacobian of 1001 by 1000, 2000 entries, 2 colours of rows" (string jacobian)

            Expect.tensorsClose 1e-13 (jacobianv residuals x x) (j.Apply x)
        }

        test "patterns" {
            let pattern = Sparsity.hessian rosenbrock x[0..4]
            printfn $"{pattern}"
            let isThere = pattern.Contains(0, 2)

            Expect.isFalse "not there" isThere

            Expect.equal "text" "pattern of 5 by 5 with 13 entries\n●●···\n●●●··\n·●●●·\n··●●●\n···●●" (string pattern)
        }

        test "files" {
            let hessian = SparseHessian.at rosenbrock x

            let path = Path.Combine(Path.GetTempPath(), "rosenbrock.mtx")
            SparseMatrix.write path hessian
            let read = SparseMatrix.read path

            Expect.sameBits hessian.Values read.Values
            File.Delete path
        }
    ]
