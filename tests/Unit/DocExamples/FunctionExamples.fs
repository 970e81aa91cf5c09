/// The F# of docs/functions.md.
module DocExamples.FunctionExamples

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 6
let private kernel = Matrices.semidefinite 95 n
let private hessian = LinearOperator.ofSymmetricMatrix kernel |> LinearOperator.named "Hessian"

let private damped =
    LinearOperator.damped 0.1 hessian |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

let private vector = Tensor.flatten (Matrices.random 96 1 n)
let private targets = Tensor.flatten (Matrices.random 97 1 n)
let private theta = Tensor.ofArray [ 1 ] [| 0.2 |]
let private b = vector
let private indefinite = LinearOperator.shift -1.0 hessian
let private jacobian = LinearOperator.ofMatrix (Matrices.random 98 n n)
let private design = LinearOperator.ofMatrix (Matrices.random 99 12 4)
let private measured = Tensor.flatten (Matrices.random 100 1 12)

/// f(A)v of a small matrix.
let private exact (f: float -> float) (shift: float) (v: Tensor) =
    let values, vectors = Tensor.eigh kernel
    let ofValues = values.ToArray() |> Array.map (fun x -> f (x + shift)) |> Tensor.ofArray [ n ]
    Tensor.matmul vectors (ofValues * Tensor.matmul (Tensor.transpose vectors) v)

[<Tests>]
let tests =
    testList "DocExamples.FunctionExamples" [
        test "products with a function of an operator" {
            let root = MatrixFunction.apply SpectralFunction.sqrt damped vector
            printfn $"{root}" // sqrt of … times 1 vector: relative error at most …
            let error = root.Errors[0] // of the length of sqrt(A)v − value

            let flow = MatrixFunction.apply (SpectralFunction.expOf -0.5) hessian vector // exp(−H/2)v
            let wave = MatrixFunction.apply (SpectralFunction.ofFunction "cos" cos) hessian vector

            Expect.tensorsClose 1e-10 (exact sqrt 0.1 vector) root.Value
            Expect.isLessThan "error" (error, 1e-6)
            Expect.tensorsClose 1e-10 (exact (fun x -> exp (-0.5 * x)) 0.0 vector) flow.Value
            Expect.tensorsClose 1e-10 (exact cos 0.0 vector) wave.Value
        }

        test "how wrong it is" {
            let known = MatrixFunctionOptions.Default.WithBounds(SpectrumBounds.Unknown.WithLow 0.1)
            let logarithm = MatrixFunction.applyWith known SpectralFunction.log damped vector
            printfn $"{logarithm.IsBound}: {logarithm.RelativeErrors[0]}"

            Expect.isTrue "it is a bound" logarithm.IsBound
            Expect.tensorsClose 1e-6 (exact log 0.1 vector) logarithm.Value
        }

        test "many vectors together" {
            let normal seed shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

            let many = normal 8L [ 4; 6 ]
            let roots = MatrixFunction.block SpectralFunction.sqrt damped many
            printfn $"{roots}"

            Expect.tensorsClose 1e-10 (exact sqrt 0.1 (Tensor.item 0 2 many)) (Tensor.item 0 2 roots.Value)
        }

        test "without a basis" {
            let series = MatrixFunction.chebyshev SpectralFunction.exp hessian vector

            Expect.tensorsClose 1e-5 (exact exp 0.0 vector) series.Value
        }

        test "as an operator" {
            let inverseRoot = MatrixFunction.operator SpectralFunction.inverseSqrt damped
            let normal = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ damped.Columns ]
            let sample = inverseRoot.Apply normal // of N(0, A⁻¹)

            Expect.tensorsClose 1e-5 (exact (fun x -> 1.0 / sqrt x) 0.1 (damped.Apply sample)) (exact sqrt 0.1 sample)
        }

        test "traces of functions" {
            // by rules of 4 steps, from 60 products
            let exponential = KrylovAwareTrace.estimate SpectralFunction.exp 4 60 (Key.OfSeed 1L) hessian

            let stop = StoppingRule.relativeError 0.05 |> StoppingRule.orElse (StoppingRule.matvecs 200)

            let toAnError =
                Estimate.run (KrylovAwareTrace.estimator SpectralFunction.exp 4) stop (Key.OfSeed 1L) hessian

            Expect.close 0.1 [| exponential.Value |] [| toAnError.Value |]
            let values, _ = Tensor.eigh kernel
            Expect.close 1e-9 [| Array.sumBy exp (values.ToArray()) |] [| exponential.Value |]
        }

        test "gradients" {
            let product theta v = Tensor.matmul kernel v * Tensor.exp (Tensor.item 0 0 theta) + 0.1 * v
            let options = QuadratureOptions.Default.WithKey(Key.OfSeed 5L).WithSamples 16

            let evidence theta =
                let logDeterminant = DifferentiableFunction.logDeterminant options 6 product theta

                let fit =
                    DifferentiableFunction.quadraticForm options SpectralFunction.inverse targets targets product theta

                0.5 * (logDeterminant + fit)

            let slope = grad evidence theta

            Expect.isTrue "it is a number" (Double.IsFinite(slope.ToArray()[0]))
            let a = exp 0.2 * kernel + 0.1 * Tensor.eye DType.Float64 n
            let fit = (Tensor.dot targets (Tensor.solve a targets)).ToScalar()

            let found =
                DifferentiableFunction.quadraticForm options SpectralFunction.inverse targets targets product theta

            Expect.close 1e-9 [| fit |] [| found.ToScalar() |]
        }

        test "systems that are not positive definite" {
            let options = SolverOptions.Default
            let saddle = Minres.solve options indefinite b // symmetric, of any signs
            let flowing = Gmres.solve options 30 jacobian b // any square operator
            let fitted = Lsqr.solve options 0.0 design measured // least squares, of any shape
            let ridge = Lsmr.solve options 0.1 design measured // with damping

            let pseudoinverse = Solver.inverse options (Lsqr.solver 0.0) design

            for solution in [ saddle; flowing; fitted; ridge ] do
                Expect.isTrue (string solution) solution.IsConverged

            Expect.tensorsClose 1e-6 fitted.Value (pseudoinverse.Apply measured)
        }

        test "singular values" {
            let triplets = GolubKahan.largest 3 design
            printfn $"{triplets}"
            let u, v = triplets.Left, triplets.Right // rows
            let errors = triplets.Errors // a singular value lies within that distance of each

            Expect.equal "shapes" ([| 3; 12 |], [| 3; 4 |]) (u.Shape, v.Shape)
            Expect.isLessThan "errors" (Array.max errors, 1e-12)
        }
    ]
