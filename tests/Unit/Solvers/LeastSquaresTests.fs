module Curvature.Tests.Unit.LeastSquaresTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private tight = SolverOptions.Default.WithTolerance 1e-11
let private solvers = [ "LSQR", Lsqr.solver; "LSMR", Lsmr.solver ]

/// The shortest least-squares solutions for the rows of a block, with damping, from the singular value decomposition.
let private exact (damping: float) (matrix: Tensor) (block: Tensor) : Tensor =
    let u, s, v = Tensor.svd matrix
    let values = s.ToArray()

    let filter = values |> Array.map (fun x -> if x > 1e-10 * values[0] then x / (x * x + damping * damping) else 0.0)

    Tensor.matmul (Tensor.matmul block u * Tensor.ofArray [ filter.Length ] filter) (Tensor.transpose v)

let private lowRank = Tensor.matmul (Matrices.random 83 20 3) (Matrices.random 84 3 12)
let private tall, wide = Matrices.random 81 30 12, Matrices.random 82 12 30

[<Tests>]
let tests =
    testList "Unit.LeastSquaresTests" [
        for name, solver in solvers do
            test $"tall, wide and rank-deficient systems, with damping and without ({name})" {
                for matrix in [ tall; wide; lowRank; Matrices.random 85 9 9 ] do
                    let a, block = LinearOperator.ofMatrix matrix, Matrices.random 86 5 matrix.Shape[0]

                    for damping in [ 0.0; 0.3; 10.0 ] do
                        let many = Solver.solve tight (solver damping) a block
                        let one = Solver.solve tight (solver damping) a (Tensor.item 0 0 block)
                        Expect.isTrue $"{damping}: {many}" (many.IsConverged && one.IsConverged)
                        Expect.tensorsClose 1e-7 (exact damping matrix block) many.Value
                        Expect.tensorsClose 1e-7 (Tensor.item 0 0 many.Value) one.Value
            }

            test $"residuals and normal residuals are the true ones ({name})" {
                let a, b, damping = LinearOperator.ofMatrix tall, Tensor.flatten (Matrices.random 87 1 30), 0.5
                let found = Solver.solve tight (solver damping) a b
                let r = b - a.Apply found.Value
                let size (t: Tensor) = (Tensor.norm t).ToScalar()
                Expect.close 1e-13 [| size r / size b |] found.Residuals
                let gradient = a.Transposed.Apply r - damping * damping * found.Value
                let _, s, _ = Tensor.svd tall
                let damped = sqrt (size r ** 2.0 + (damping * size found.Value) ** 2.0)
                // The norm that the solver saw is no more than the true one.
                let least = size gradient / ((s.ToArray())[0] * damped)
                Expect.isGreaterThanOrEqual "the normal residual" (found.NormalResiduals[0], 0.999 * least)
                Expect.isLessThanOrEqual "the normal residual" (found.NormalResiduals[0], found.Tolerance)
                Expect.isGreaterThan "the residual" (found.Residuals[0], 0.1)
                Expect.stringContains "found" "least squares" (string found)
            }

            test $"a consistent system is solved by its residual ({name})" {
                let a = LinearOperator.ofMatrix tall
                let x = Matrices.random 88 5 12
                let found = Solver.solve tight (solver 0.0) a (a.Apply x)
                Expect.isTrue (string found) (found.IsConverged && Array.max found.Residuals <= 1e-11)
                Expect.tensorsClose 1e-9 x found.Value
                Expect.stringStarts "found" "solved: " (string found)
            }

            test $"right-hand sides that A does not see, zeros, one element and none ({name})" {
                let a = LinearOperator.ofMatrix (tensor [ [ 1.0; 0.0 ]; [ 0.0; 2.0 ]; [ 0.0; 0.0 ] ])
                let unseen = Solver.solve tight (solver 0.0) a (Tensor.ofArray [ 3 ] [| 0.0; 0.0; 1.0 |])
                Expect.equal (string unseen) (true, 0.0) (unseen.IsConverged, (Tensor.norm unseen.Value).ToScalar())
                let rows = Tensor.concat 0 [ Tensor.zeros DType.Float64 [ 1; 3 ]; Tensor.ones DType.Float64 [ 1; 3 ] ]
                let both = Solver.solve tight (solver 0.0) a rows
                Expect.close 1e-13 [| 0.0; 0.0; 1.0; 0.5 |] (both.Value.ToArray())

                let one =
                    Solver.solve
                        tight
                        (solver 0.0)
                        (LinearOperator.scalar DType.Float64 1 -4.0)
                        (Tensor.ones DType.Float64 [ 1 ])

                Expect.close 1e-15 [| -0.25 |] (one.Value.ToArray())
                let nothing = LinearOperator.zero DType.Float64 0 3
                let found = Solver.solve tight (solver 0.0) nothing (Tensor.ones DType.Float64 [ 0 ])
                Expect.equal (string found) (true, [| 3 |]) (found.IsConverged, found.Value.Shape)
                let none = Solver.solve tight (solver 0.0) a (Tensor.ones DType.Float64 [ 0; 3 ])
                Expect.equal (string none) [| 0; 2 |] none.Value.Shape
            }

            test $"Float32 to its digits, and any size ({name})" {
                let a, block = LinearOperator.ofMatrix (Tensor.convert DType.Float32 tall), Matrices.random 89 5 30
                let found = Solver.solve SolverOptions.Default (solver 0.1) a (Tensor.convert DType.Float32 block)
                Expect.isTrue (string found) found.IsConverged
                Expect.tensorsClose 2e-3 (exact 0.1 tall block) (Tensor.convert DType.Float64 found.Value)

                for size in [ 1e-200; 1e200 ] do
                    let sized = Solver.solve tight (solver 0.0) (LinearOperator.ofMatrix tall) (size * block)
                    Expect.tensorsClose 1e-8 (exact 0.0 tall block) (sized.Value / size)
            }

            test $"the inverse is the pseudoinverse, with that of the transpose ({name})" {
                for matrix in [ tall; wide; lowRank ] do
                    let a = LinearOperator.ofMatrix matrix
                    let inverse = Solver.inverse tight (solver 0.0) a
                    let expected = Tensor.transpose (exact 0.0 matrix (Tensor.eye DType.Float64 matrix.Shape[0]))
                    Expect.equal "shape" (a.Columns, a.Rows) (inverse.Rows, inverse.Columns)
                    Expect.tensorsClose 1e-7 expected (LinearOperator.dense inverse)
                    Expect.tensorsClose 1e-7 (Tensor.transpose expected) (LinearOperator.dense inverse.Transposed)
            }

            test $"the budget, cancelling, and what does not fit ({name})" {
                let a, b = LinearOperator.ofMatrix tall, Tensor.flatten (Matrices.random 90 1 30)
                let spent = Solver.solve (tight.WithMaxIterations 2) (solver 0.0) a b
                Expect.equal (string spent) (SolveStatus.Budget, 2) (spent.Status, spent.Iterations)
                use source = new CancellationTokenSource()

                let cancelling =
                    LinearOperator.ofBlockFunction DType.Float64 30 12 (fun block ->
                        source.Cancel()
                        Tensor.matmul block (Tensor.transpose tall))
                    |> LinearOperator.withTranspose (fun block -> Tensor.matmul block tall)

                let found = Solver.solve (tight.WithCancellation source.Token) (solver 0.0) cancelling b
                Expect.equal (string found) SolveStatus.Cancelled found.Status

                Expect.error<OperatorException> [ "transpose" ] (fun () ->
                    Solver.solve tight (solver 0.0) (LinearOperator.ofBlockFunction DType.Float64 30 12 id) b |> ignore)

                Expect.error<ShapeException> [ "[30]" ] (fun () ->
                    Solver.solve tight (solver 0.0) a (Tensor.ones DType.Float64 [ 12 ]) |> ignore)

                for damping in [ -1.0; nan; infinity ] do
                    Expect.error<ArgumentRangeException> [ name; "damping" ] (fun () -> solver damping |> ignore)
            }

        test "‖Aᵀr‖ never grows from one iteration of LSMR to the next" {
            let a = LinearOperator.ofMatrix tall
            let b = Tensor.flatten (Matrices.random 91 1 30)

            let normal count =
                let found = Solver.solve (tight.WithMaxIterations count) (Lsmr.solver 0.0) a b
                (Tensor.norm (a.Transposed.Apply(b - a.Apply found.Value))).ToScalar()

            for before, after in List.pairwise [ for count in 1..11 -> normal count ] do
                Expect.isLessThanOrEqual "a later one" (after, before * (1.0 + 1e-9) + 1e-12)
        }

        test "rows that are done are not multiplied any more" {
            let mutable multiplied = 0

            let counted (block: Tensor) =
                multiplied <- multiplied + block.Shape[0]
                block * Tensor.ofArray [ 3 ] [| 1.0; 2.0; 3.0 |]

            let a = LinearOperator.ofBlockFunction DType.Float64 3 3 counted |> LinearOperator.withTranspose counted

            let rows = Tensor.ofArray [ 2; 3 ] [| 1.0; 0.0; 0.0; 1.0; 1.0; 1.0 |]
            let found = Lsqr.solve tight 0.0 a rows
            Expect.isTrue (string found) found.IsConverged
            Expect.equal "products" found.Matvecs multiplied
            // The first is done after one iteration, the second after three.
            Expect.isLessThanOrEqual "products" (multiplied, 3 + 7 + 4)
        }
    ]
