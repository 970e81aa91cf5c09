/// What a solution says of how it ended, for every solver.
module Curvature.Tests.Unit.SolveStatusTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 12
let private matrix = Matrices.semidefinite 80 n + 0.5 * Tensor.eye DType.Float64 n
let private positive = LinearOperator.ofSymmetricMatrix matrix
let private b = Tensor.flatten (Matrices.random 81 1 n)
let private scale = 1.0 / (Tensor.norm matrix).ToScalar()
let private solvers = [ ConjugateGradients.solver; Neumann.solver scale ]
let private patient = SolverOptions.Default.WithMaxIterations 100_000

let private ends (status: SolveStatus) (words: string list) (solution: Solution) =
    Expect.equal (string solution) status solution.Status

    for word in words do
        Expect.stringContains "solution.Advice" word solution.Advice

[<Tests>]
let tests =
    testList "Unit.SolveStatusTests" [
        test "what is solved needs no advice" {
            for solver in solvers do
                let solution = Solver.solve patient solver positive b
                ends SolveStatus.Solved [] solution
                Expect.isEmpty "solution.Advice" solution.Advice

                Expect.isLessThan
                    "Tensor.norm (b - positive.Apply…"
                    ((Tensor.norm (b - positive.Apply solution.Value)).ToScalar(), 1e-6)
        }

        test "a budget that is used up asks for more iterations" {
            for solver in solvers do
                let solution = Solver.solve (patient.WithMaxIterations 2) solver positive b
                ends SolveStatus.Budget [ "more iterations" ] solution
                Expect.equal "solution.Iterations, solution.I…" (2, false) (solution.Iterations, solution.IsConverged)
        }

        test "rounding that keeps the residual up is stagnation" {
            let single = LinearOperator.ofSymmetricMatrix (Tensor.convert DType.Float32 matrix)
            let options = patient.WithTolerance 1e-12

            for solver in solvers do
                let solution = Solver.solve options solver single (Tensor.convert DType.Float32 b)
                ends SolveStatus.Stagnated [ "tolerance"; "Float64" ] solution
                Expect.isLessThan "solution.Iterations" (solution.Iterations, options.MaxIterations)
                Expect.isGreaterThan "solution.Residuals[0]" (solution.Residuals[0], 1e-12)
        }

        test "negative curvature and divergence are breakdowns, each with advice of its own" {
            let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 3 ] [| 2.0; 1.0; -0.5 |])
            let ones = Tensor.ones DType.Float64 [ 3 ]

            Solver.solve patient ConjugateGradients.solver indefinite ones
            |> ends SolveStatus.Breakdown [ "damp it by more" ]

            Solver.solve patient (Neumann.solver 0.5) indefinite ones
            |> ends SolveStatus.Breakdown [ "diverges"; "0.5" ]

            let tooLarge = Solver.solve patient (Neumann.solver 1.0) positive b
            ends SolveStatus.Breakdown [ "smaller scale than 1"; "2/λ_max" ] tooLarge
            Expect.stringStarts "string tooLarge" "diverged" (string tooLarge)
            Expect.isGreaterThan "tooLarge.Residuals[0]" (tooLarge.Residuals[0], 1e3)
        }

        test "what was cancelled says so" {
            for solver in solvers do
                use source = new CancellationTokenSource()

                let a =
                    LinearOperator.ofFunction DType.Float64 n n (fun v ->
                        source.Cancel()
                        Tensor.matmul matrix v)
                    |> LinearOperator.claim OperatorProperties.Symmetric

                let options = patient.WithCancellation source.Token
                let solution = Solver.solve options solver a b
                ends SolveStatus.Cancelled [ "without cancelling" ] solution
                Expect.equal "solution.Iterations" 1 solution.Iterations

                Expect.error<OperationCanceledException> [] (fun () -> Solver.solve options solver a b |> ignore)
        }

        test "every right-hand side has a status, and the block the worst of them" {
            let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 4 ] [| 2.0; 1.0; 4.0; -0.5 |])
            let rows = Tensor.ofArray [ 3; 4 ] [| 1.0; 0.0; 0.0; 0.0; 1.0; 1.0; 1.0; 0.0; 0.0; 0.0; 0.0; 1.0 |]
            let options = SolverOptions.Default.WithMaxIterations 2
            let solution = Solver.solve options ConjugateGradients.solver indefinite rows
            let expected = [| SolveStatus.Solved; SolveStatus.Budget; SolveStatus.Breakdown |]
            Expect.equal "solution.Statuses" expected solution.Statuses
            Expect.equal "solution.Status" SolveStatus.Breakdown solution.Status
        }

        test "an inverse that is not solved gives the advice with the error" {
            let apply (options: SolverOptions) solver () = (Solver.inverse options solver positive).Apply b |> ignore
            Expect.error<OperatorException> [ "diverged"; "2/λ_max" ] (apply patient (Neumann.solver 1.0))

            for solver in solvers do
                Expect.error<OperatorException>
                    [ "inverse of"; string solver; "2 iterations"; "Allow more iterations" ]
                    (apply (patient.WithMaxIterations 2) solver)
        }
    ]
