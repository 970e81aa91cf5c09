module Curvature.Tests.Unit.NeumannTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 12
let private matrix = Matrices.semidefinite 80 n + 0.5 * Tensor.eye DType.Float64 n
let private positive = LinearOperator.ofSymmetricMatrix matrix
let private b, private block = Tensor.flatten (Matrices.random 81 1 n), Matrices.random 82 5 n
let private tight = SolverOptions.Default.WithTolerance 1e-13

[<Tests>]
let tests =
    testList "Unit.NeumannTests" [
        test "the Neumann series inverts, and its transpose too" {
            let a = LinearOperator.ofMatrix (2.0 * Tensor.eye DType.Float64 n + 0.15 * Matrices.random 83 n n)
            let inverse = Solver.inverse tight (Neumann.solver 0.5) a
            Expect.tensorsClose 1e-11 (Tensor.eye DType.Float64 n) (LinearOperator.dense (inverse * a))

            Expect.tensorsClose
                1e-11
                (Tensor.eye DType.Float64 n)
                (LinearOperator.dense (inverse.Transposed * a.Transposed))

            Expect.tensorsClose 1e-12 (Tensor.item 0 1 (inverse.Apply block)) (inverse.Apply(Tensor.item 0 1 block))
            Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ n ]) (inverse.Apply(Tensor.zeros DType.Float64 [ n ]))
        }

        test "a Neumann series that diverges, or is too slow, is an error" {
            let apply options scale () = (Solver.inverse options (Neumann.solver scale) positive).Apply b |> ignore
            Expect.error<OperatorException> [ "diverges"; "smaller scale than 1" ] (apply tight 1.0)

            Expect.error<OperatorException>
                [ "not solved to 1e-13"; "5 iterations"; "Allow more" ]
                (apply (tight.WithMaxIterations 5) 1e-3)

            Expect.error<ArgumentRangeException> [ "scale" ] (apply tight 0.0)

            Expect.error<OperatorException> [ "square" ] (fun () ->
                Solver.inverse tight (Neumann.solver 0.1) (LinearOperator.ofMatrix (Matrices.random 1 2 3)) |> ignore)
        }

        test "the tolerance bounds the residual, however slow the series" {
            // κ = 1000: the last term is small long before the sum is right.
            let d = Tensor.ofArray [ 2 ] [| 1.0; 1e-3 |]
            let ones = Tensor.ones DType.Float64 [ 2 ]
            let options = SolverOptions.Default.WithTolerance(1e-6).WithMaxIterations 100_000
            let solution = Neumann.solve options 1.0 (LinearOperator.ofDiagonal d) ones
            Expect.isTrue (string solution) solution.IsConverged
            Expect.close 1e-5 [| 1.0; 1000.0 |] (solution.Value.ToArray())
        }

        test "terms may grow before they shrink" {
            // Nilpotent: 1 − A has one entry of 100, and the series ends with its second term.
            let a = LinearOperator.ofMatrix (Tensor.ofArray [ 2; 2 ] [| 1.0; -100.0; 0.0; 1.0 |])
            let solution = Neumann.solve tight 1.0 a (Tensor.ones DType.Float64 [ 2 ])
            Expect.close 1e-13 [| 101.0; 1.0 |] (solution.Value.ToArray())

            Expect.equal
                "solution.Iterations, solution.M…"
                (2, 3, true)
                (solution.Iterations, solution.Matvecs, solution.IsConverged)
        }

        test "with an approximate inverse it solves, and its first term is that inverse alone" {
            let about =
                LinearOperator.ofSymmetricMatrix (Tensor.inverse (matrix + 0.1 * Tensor.diag (Tensor.diagonal matrix)))

            let solution = Solver.solve tight (Neumann.preconditionedBy about) positive block
            Expect.isTrue (string solution) solution.IsConverged
            Expect.tensorsClose 1e-11 block (positive.Apply solution.Value)

            let plain =
                Neumann.solve (tight.WithMaxIterations 100_000) (1.0 / (Tensor.norm matrix).ToScalar()) positive block

            Expect.isLessThan "products" (5 * solution.Matvecs, plain.Matvecs)
            let once = Solver.solve (tight.WithMaxIterations 1) (Neumann.preconditionedBy about) positive b
            Expect.tensorsClose 1e-13 (about.Apply b) once.Value
            let residual = (Tensor.norm (b - positive.Apply once.Value)).ToScalar() / (Tensor.norm b).ToScalar()
            Expect.within "residual" 1e-12 residual once.Residuals[0]
            Expect.equal "status" (SolveStatus.Budget, 2) (once.Status, once.Matvecs)
            let solve inverse () = Solver.solve tight (Neumann.preconditionedBy inverse) positive b |> ignore

            Expect.error<ShapeException>
                [ "approximate inverse"; "[3; 3]" ]
                (solve (LinearOperator.identity DType.Float64 3))

            Expect.error<OperatorException> [ "square" ] (solve (LinearOperator.zero DType.Float64 12 3))

            Expect.error<OperatorException> [ "diverges"; "smaller number" ] (fun () ->
                (Solver.inverse tight (Neumann.preconditionedBy (-1.0 * about)) positive).Apply b |> ignore)
        }

        test "iterations that do not suffice are told, and sizes do not matter" {
            let short = Neumann.solve (tight.WithMaxIterations 3) 0.01 positive b
            Expect.isTrue (string short) (not short.IsConverged && short.Iterations = 3)
            let scale = 1.0 / (Tensor.norm matrix).ToScalar()
            let options = SolverOptions.Default.WithMaxIterations 100_000

            for size in [ 1e-200; 1e200 ] do
                let found = Neumann.solve options scale positive (size * block)
                Expect.isTrue (string found) found.IsConverged

            Expect.equal
                "Neumann.solve tight 1.0 (Linear…"
                0
                (Neumann.solve tight 1.0 (LinearOperator.identity DType.Float64 0) (Tensor.ones DType.Float64 [ 0 ]))
                    .Matvecs
        }
    ]
