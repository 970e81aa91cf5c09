namespace Curvature.Tests.Unit

open System
open System.Threading
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// What a solution says of how it ended, for every solver.
[<TestFixture>]
type SolveStatusTests() =

    let n = 12
    let matrix = Matrices.semidefinite 80 n + 0.5 * Tensor.eye DType.Float64 n
    let positive = LinearOperator.ofSymmetricMatrix matrix
    let b = Tensor.flatten (Matrices.random 81 1 n)
    let scale = 1.0 / (Tensor.norm matrix).ToScalar()
    let solvers = [ ConjugateGradients.solver; Neumann.solver scale ]
    let patient = SolverOptions.Default.WithMaxIterations 100_000

    let ends (status: SolveStatus) (words: string list) (solution: Solution) =
        Assert.That(solution.Status, Is.EqualTo status, string solution)

        for word in words do
            Assert.That(solution.Advice, Does.Contain word)

    [<Test>]
    member _.``what is solved needs no advice``() =
        for solver in solvers do
            let solution = Solver.solve patient solver positive b
            ends SolveStatus.Solved [] solution
            Assert.That(solution.Advice, Is.Empty)
            Assert.That((Tensor.norm (b - positive.Apply solution.Value)).ToScalar(), Is.LessThan 1e-6)

    [<Test>]
    member _.``a budget that is used up asks for more iterations``() =
        for solver in solvers do
            let solution = Solver.solve (patient.WithMaxIterations 2) solver positive b
            ends SolveStatus.Budget [ "more iterations" ] solution
            Assert.That((solution.Iterations, solution.IsConverged), Is.EqualTo((2, false)))

    [<Test>]
    member _.``rounding that keeps the residual up is stagnation``() =
        let single = LinearOperator.ofSymmetricMatrix (Tensor.convert DType.Float32 matrix)
        let options = patient.WithTolerance 1e-12

        for solver in solvers do
            let solution = Solver.solve options solver single (Tensor.convert DType.Float32 b)
            ends SolveStatus.Stagnated [ "tolerance"; "Float64" ] solution
            Assert.That(solution.Iterations, Is.LessThan options.MaxIterations)
            Assert.That(solution.Residuals[0], Is.GreaterThan 1e-12)

    [<Test>]
    member _.``negative curvature and divergence are breakdowns, each with advice of its own``() =
        let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 3 ] [| 2.0; 1.0; -0.5 |])
        let ones = Tensor.ones DType.Float64 [ 3 ]

        Solver.solve patient ConjugateGradients.solver indefinite ones
        |> ends SolveStatus.Breakdown [ "damp it by more" ]

        Solver.solve patient (Neumann.solver 0.5) indefinite ones |> ends SolveStatus.Breakdown [ "diverges"; "0.5" ]
        let tooLarge = Solver.solve patient (Neumann.solver 1.0) positive b
        ends SolveStatus.Breakdown [ "smaller scale than 1"; "2/λ_max" ] tooLarge
        Assert.That(string tooLarge, Does.StartWith "diverged")
        Assert.That(tooLarge.Residuals[0], Is.GreaterThan 1e3)

    [<Test>]
    member _.``what was cancelled says so``() =
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
            Assert.That(solution.Iterations, Is.EqualTo 1)

            Expect.error<OperationCanceledException> [] (fun () -> Solver.solve options solver a b |> ignore)

    [<Test>]
    member _.``every right-hand side has a status, and the block the worst of them``() =
        let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 4 ] [| 2.0; 1.0; 4.0; -0.5 |])
        let rows = Tensor.ofArray [ 3; 4 ] [| 1.0; 0.0; 0.0; 0.0; 1.0; 1.0; 1.0; 0.0; 0.0; 0.0; 0.0; 1.0 |]
        let options = SolverOptions.Default.WithMaxIterations 2
        let solution = Solver.solve options ConjugateGradients.solver indefinite rows
        let expected = [| SolveStatus.Solved; SolveStatus.Budget; SolveStatus.Breakdown |]
        Expect.equal expected solution.Statuses
        Assert.That(solution.Status, Is.EqualTo SolveStatus.Breakdown)

    [<Test>]
    member _.``an inverse that is not solved gives the advice with the error``() =
        let apply (options: SolverOptions) solver () = (Solver.inverse options solver positive).Apply b |> ignore
        Expect.error<OperatorException> [ "diverged"; "2/λ_max" ] (apply patient (Neumann.solver 1.0))

        for solver in solvers do
            Expect.error<OperatorException>
                [ "inverse of"; string solver; "2 iterations"; "Allow more iterations" ]
                (apply (patient.WithMaxIterations 2) solver)
