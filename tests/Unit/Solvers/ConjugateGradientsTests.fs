module Curvature.Tests.Unit.ConjugateGradientsTests

open System.Threading
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

let private residual (a: LinearOperator) (x: Tensor) (b: Tensor) =
    (Tensor.norm (b - a.Apply x)).ToScalar() / (Tensor.norm b).ToScalar()

[<Tests>]
let tests =
    testList "Unit.ConjugateGradientsTests" [
        test "conjugate gradients solve for one vector and for a block" {
            let one, many = ConjugateGradients.solve tight positive b, ConjugateGradients.solve tight positive block
            Expect.isLessThan "residual positive one.Value b" (residual positive one.Value b, 2e-13)
            Expect.isLessThan "residual positive many.Value bl…" (residual positive many.Value block, 2e-13)

            Expect.equal
                "one.IsConverged, many.IsConverg…"
                (true, true, 5)
                (one.IsConverged, many.IsConverged, many.Residuals.Length)

            Expect.equal "one.NegativeCurvature.Count" 0 one.NegativeCurvature.Count
        }

        test "in exact arithmetic there are as many iterations as distinct eigenvalues" {
            let diagonal = LinearOperator.ofDiagonal (Tensor.ofArray [ 9 ] (Array.init 9 (fun i -> float (1 + i % 3))))
            let solution = ConjugateGradients.solve tight diagonal (Tensor.ones DType.Float64 [ 9 ])
            Expect.equal "solution.Iterations" 3 solution.Iterations
            Expect.equal "solution.Matvecs" 4 solution.Matvecs
        }

        test "the diagonal is a perfect preconditioner of a diagonal" {
            let d = Tensor.ofArray [ 40 ] (Array.init 40 (fun i -> 10.0 ** (float i / 5.0)))
            let solver, ones = ConjugateGradients.preconditioned d, Tensor.ones DType.Float64 [ 40 ]
            let solution = Solver.solve tight solver (LinearOperator.ofDiagonal d) ones
            Expect.equal "solution.Iterations, solution.I…" (1, true) (solution.Iterations, solution.IsConverged)
        }

        test "the residual that is told is the true one" {
            let single = Tensor.convert DType.Float32 matrix |> LinearOperator.ofSymmetricMatrix
            let rhs = Tensor.convert DType.Float32 block
            let solution = ConjugateGradients.solve SolverOptions.Default single rhs
            Expect.isTrue "solution.IsConverged" solution.IsConverged
            let truth = rhs - single.Apply solution.Value

            let relative =
                Tensor.sqrt (Tensor.sumAxes [ 1 ] (Tensor.square truth) / Tensor.sumAxes [ 1 ] (Tensor.square rhs))

            Expect.close 1e-6 (relative.ToArray()) solution.Residuals
            // What Float32 cannot reach is not claimed.
            let impossible = ConjugateGradients.solve (SolverOptions.Default.WithTolerance 1e-12) single rhs
            Expect.isFalse "impossible.IsConverged" impossible.IsConverged
            Expect.isGreaterThan "Array.max impossible.Residuals" (Array.max impossible.Residuals, 1e-12)
        }

        test "a right-hand side of zeros has the solution zero, beside others" {
            let rows = Tensor.concat 0 [ Tensor.zeros DType.Float64 [ 1; n ]; Tensor.unsqueeze 0 b ]
            let solution = ConjugateGradients.solve tight positive rows
            Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ n ]) (Tensor.item 0 0 solution.Value)

            Expect.isLessThan
                "residual positive (Tensor.item…"
                (residual positive (Tensor.item 0 1 solution.Value) b, 2e-13)

            Expect.equal "solution.Residuals[0]" 0.0 solution.Residuals[0]
        }

        test "negative curvature is found and told" {
            let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 3 ] [| 2.0; 1.0; -0.5 |])
            let solution = ConjugateGradients.solve tight indefinite (Tensor.ones DType.Float64 [ 3 ])
            let found = solution.NegativeCurvature[0]
            let p = found.Direction
            Expect.within "Tensor.norm p" 1e-12 1.0 ((Tensor.norm p).ToScalar())

            Expect.within
                "Tensor.dot p (indefinite.Apply…"
                1e-12
                found.Curvature
                ((Tensor.dot p (indefinite.Apply p)).ToScalar())

            Expect.isLessThanOrEqual "found.Curvature" (found.Curvature, 0.0)
            Expect.isFalse "solution.IsConverged" solution.IsConverged
            let inverse = Solver.inverse tight ConjugateGradients.solver indefinite

            Expect.error<OperatorException> [ "not positive definite"; "damp" ] (fun () ->
                inverse.Apply(Tensor.ones DType.Float64 [ 3 ]) |> ignore)
        }

        test "a row of negative curvature stops alone" {
            let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 3 ] [| 2.0; 1.0; -0.5 |])
            let rows = Tensor.ofArray [ 2; 3 ] [| 1.0; 1.0; 1.0; 1.0; 1.0; 0.0 |]
            let solution = ConjugateGradients.solve tight indefinite rows

            Expect.equal "[ for found in solution.Negativ…" [ 0 ] [
                for found in solution.NegativeCurvature -> found.Row
            ]

            Expect.close 1e-13 [| 0.5; 1.0; 0.0 |] ((Tensor.item 0 1 solution.Value).ToArray())
            Expect.isTrue "the first is not solved" (solution.Residuals[0] > 0.1 && not solution.IsConverged)
        }

        test "a singular matrix is solved where that can be done, and only there" {
            let singular = LinearOperator.ofDiagonal (Tensor.ofArray [ 3 ] [| 2.0; 1.0; 0.0 |])
            let inside = ConjugateGradients.solve tight singular (Tensor.ofArray [ 3 ] [| 1.0; 1.0; 0.0 |])
            Expect.isTrue (string inside) inside.IsConverged
            Expect.close 1e-13 [| 0.5; 1.0; 0.0 |] (inside.Value.ToArray())
            let outside = ConjugateGradients.solve tight singular (Tensor.ofArray [ 3 ] [| 1.0; 1.0; 1.0 |])
            Expect.isTrue (string outside) (not outside.IsConverged && outside.NegativeCurvature.Count = 1)
            let zero = LinearOperator.zero DType.Float64 3 3
            let nowhere = ConjugateGradients.solve tight zero (Tensor.ones DType.Float64 [ 3 ])
            Expect.close 0.0 [| 1.0 |] nowhere.Residuals
        }

        testCase "rows that are done are not multiplied any more" (fun () ->
            let mutable multiplied = 0

            let counted =
                LinearOperator.ofBlockFunction DType.Float64 4 4 (fun block ->
                    multiplied <- multiplied + block.Shape[0]
                    block * Tensor.ofArray [ 4 ] [| 1.0; 2.0; 3.0; 4.0 |])
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            // Sums of 1, 2 and 4 eigenvectors take as many iterations, and each one product more for its residual.
            let rows = Tensor.ofArray [ 3; 4 ] [| 1.0; 0.0; 0.0; 0.0; 1.0; 1.0; 0.0; 0.0; 1.0; 1.0; 1.0; 1.0 |]

            let solution = ConjugateGradients.solve tight counted rows

            Expect.equal
                "solution.Iterations, solution.M…"
                (4, 10, 10)
                (solution.Iterations, solution.Matvecs, multiplied))

        for dtype, size in [ DType.Float64, 1e-200; DType.Float64, 1e200; DType.Float32, 1e-30; DType.Float32, 1e30 ] do
            test $"right-hand sides of any size ({dtype}, {size})" {
                let a = LinearOperator.ofSymmetricMatrix (Tensor.convert dtype matrix)
                let one, sized = Tensor.convert dtype block, Tensor.convert dtype (size * block)
                let expected = ConjugateGradients.solve SolverOptions.Default a one
                let found = ConjugateGradients.solve SolverOptions.Default a sized
                Expect.isTrue (string found) found.IsConverged
                Expect.close 1e-3 (expected.Value.ToArray()) ((found.Value / size).ToArray())
            }

        test "systems without unknowns, without right-hand sides, and of one unknown" {
            let solve (a: LinearOperator) shape = ConjugateGradients.solve tight a (Tensor.ones DType.Float64 shape)
            let nothing = solve (LinearOperator.identity DType.Float64 0) [ 0 ]

            Expect.equal
                "nothing.IsConverged, nothing.Ma…"
                (true, 0, 0)
                (nothing.IsConverged, nothing.Matvecs, nothing.Value.Size)

            Expect.equal "(solve positive [ 0; 12 ]).Valu…" [| 0; 12 |] (solve positive [ 0; 12 ]).Value.Shape
            let one = solve (LinearOperator.scalar DType.Float64 1 4.0) [ 1 ]

            Expect.equal
                "one.Value.ToScalar(), one.Itera…"
                (0.25, 1, true)
                (one.Value.ToScalar(), one.Iterations, one.IsConverged)
        }

        test "a product that is not finite is an error" {
            let broken =
                LinearOperator.ofFunction DType.Float64 3 3 (fun v -> Tensor.log (v - 1.0))
                |> LinearOperator.claim OperatorProperties.Symmetric

            Expect.error<NonFiniteException> [ "product" ] (fun () ->
                ConjugateGradients.solve tight broken (Tensor.ones DType.Float64 [ 3 ]) |> ignore)
        }

        test "cancelling returns what was found" {
            use source = new CancellationTokenSource()

            let a =
                LinearOperator.ofFunction DType.Float64 n n (fun v ->
                    source.Cancel()
                    Tensor.matmul matrix v)
                |> LinearOperator.claim OperatorProperties.Symmetric

            let found = ConjugateGradients.solve (tight.WithCancellation source.Token) a b

            Expect.equal
                "found.IsCancelled, found.IsConv…"
                (true, false, 1)
                (found.IsCancelled, found.IsConverged, found.Iterations)

            Expect.within "found.Residuals[0]" 1e-14 (residual positive found.Value b) found.Residuals[0]
        }

        test "the inverse operator inverts" {
            let inverse = Solver.inverse tight ConjugateGradients.solver positive
            Expect.tensorsClose 1e-11 (Tensor.eye DType.Float64 n) (LinearOperator.dense (inverse * positive))
            Expect.isTrue "it is symmetric" inverse.IsSymmetric
            let damped = LinearOperator.damped 3.0 positive

            Expect.tensorsClose
                1e-11
                (Tensor.eye DType.Float64 n)
                (LinearOperator.dense (Solver.inverse tight ConjugateGradients.solver damped * damped))
        }

        test "an inverse that needs more iterations is an error" {
            let options = tight.WithMaxIterations 2
            Expect.isFalse "(ConjugateGradients.solve optio…" (ConjugateGradients.solve options positive b).IsConverged

            Expect.error<OperatorException> [ "after 2 iterations"; "residual" ] (fun () ->
                (Solver.inverse options ConjugateGradients.solver positive).Apply b |> ignore)
        }

        test "what does not fit is refused" {
            let asymmetric = LinearOperator.ofMatrix (Matrices.random 84 n n)

            Expect.error<OperatorException> [ "symmetric operator" ] (fun () ->
                ConjugateGradients.solve tight asymmetric b |> ignore)

            Expect.error<ShapeException> [ "[12]"; "[3]" ] (fun () ->
                ConjugateGradients.solve tight positive (Tensor.ones DType.Float64 [ 3 ]) |> ignore)

            Expect.error<ShapeException> [ "Float64[12]"; "Float32[12]" ] (fun () ->
                ConjugateGradients.solve tight positive (Tensor.ones DType.Float32 [ n ]) |> ignore)

            Expect.error<NonFiniteException> [ "right-hand side is NaN" ] (fun () ->
                ConjugateGradients.solve tight positive (Tensor.full DType.Float64 [ n ] nan) |> ignore)

            Expect.error<ShapeException> [ "preconditioner"; "[3]" ] (fun () ->
                let tooShort = ConjugateGradients.preconditioned (Tensor.ones DType.Float64 [ 3 ])
                Solver.solve tight tooShort positive b |> ignore)

            Expect.error<ArgumentRangeException> [ "entry 1" ] (fun () ->
                ConjugateGradients.preconditioned (Tensor.ofArray [ 2 ] [| 1.0; 0.0 |]) |> ignore)

            Expect.error<ArgumentRangeException> [ "tolerance" ] (fun () -> tight.WithTolerance 0.0 |> ignore)
            Expect.error<ArgumentRangeException> [ "iteration" ] (fun () -> tight.WithMaxIterations 0 |> ignore)

            Expect.error<ArgumentRangeException> [ "damped"; "-1" ] (fun () ->
                LinearOperator.damped -1.0 positive |> ignore)
        }
    ]
