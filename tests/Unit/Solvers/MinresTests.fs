module Curvature.Tests.Unit.MinresTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = FunctionCases.n
let private vector, block = FunctionCases.vectors 61
let private tight = SolverOptions.Default.WithTolerance 1e-11
let private indefinite = FunctionCases.operatorOf DType.Float64 "indefinite"

let private relative (a: LinearOperator) (x: Tensor) (b: Tensor) =
    let wide (t: Tensor) = if t.Rank = 1 then Tensor.unsqueeze 0 t else t
    Array.map2 (/) (FunctionCases.rowNorms (wide (b - a.Apply x))) (FunctionCases.rowNorms (wide b))

let private ones = Tensor.ones DType.Float64

[<Tests>]
let tests =
    testList "Unit.MinresTests" [
        test "indefinite and definite systems are solved, for one vector and for a block" {
            for name in [ "indefinite"; "flat"; "outlier" ] do
                let a = FunctionCases.operatorOf DType.Float64 name
                let one, many = Minres.solve tight a vector, Minres.solve tight a block
                let expected = Tensor.transpose (Tensor.solve (FunctionCases.matrix name) (Tensor.transpose block))
                Expect.equal $"{name}: {many}" (true, true) (one.IsConverged, many.IsConverged)
                Expect.tensorsClose 1e-8 expected many.Value
                Expect.tensorsClose 1e-8 (Tensor.item 0 0 expected) one.Value
                Expect.close 1e-13 (relative a many.Value block) many.Residuals
                Expect.isEmpty "least squares" many.NormalResiduals
        }

        test "in exact arithmetic there are as many iterations as distinct eigenvalues" {
            let a = FunctionCases.diagonal [ -1.0; 2.0; 3.0; -1.0; 2.0; 3.0 ]
            let solution = Minres.solve tight a (ones [ 6 ])
            Expect.equal (string solution) (3, 4, true) (solution.Iterations, solution.Matvecs, solution.IsConverged)
            let swap = LinearOperator.ofMatrix (tensor [ [ 0.0; 1.0 ]; [ 1.0; 0.0 ] ])
            let swapped = Minres.solve tight swap (Tensor.ofArray [ 2 ] [| 1.0; 0.0 |])
            Expect.close 1e-14 [| 0.0; 1.0 |] (swapped.Value.ToArray())
        }

        test "residuals never grow with more iterations" {
            let residual count = (Minres.solve (tight.WithMaxIterations count) indefinite vector).Residuals[0]
            let residuals = [ for count in 1..20 -> residual count ]

            for before, after in List.pairwise residuals do
                Expect.isLessThanOrEqual "a later residual" (after, before * (1.0 + 1e-9))
        }

        test "singular systems are solved where that can be done" {
            for name in [ "singular"; "low rank" ] do
                let a = FunctionCases.operatorOf DType.Float64 name
                let solution = Minres.solve tight a (a.Apply block)
                Expect.isTrue (string solution) solution.IsConverged
        }

        test "without a solution, the value is a least-squares solution and the status a breakdown" {
            for a in
                [
                    FunctionCases.operatorOf DType.Float64 "low rank"
                    FunctionCases.diagonal [ 2.0; -1.0; 0.0; 0.0 ]
                    FunctionCases.diagonal [ 0.0; 0.0 ]
                ] do
                let b = Tensor.slice 0 0 a.Columns vector
                let solution = Minres.solve tight a b
                Expect.equal (string solution) SolveStatus.Breakdown solution.Status
                Expect.stringContains "solution.Advice" "least-squares" solution.Advice
                Expect.stringContains "solution" "no solution" (string solution)
                let gradient = a.Apply(b - a.Apply solution.Value)
                Expect.isLessThan "‖Ar‖" ((Tensor.norm gradient).ToScalar(), 1e-7)
        }

        test "Float32 to its digits, and no further" {
            let single = FunctionCases.operatorOf DType.Float32 "indefinite"
            let b = Tensor.convert DType.Float32 block
            let solution = Minres.solve SolverOptions.Default single b
            Expect.isTrue (string solution) solution.IsConverged
            let impossible = Minres.solve (SolverOptions.Default.WithTolerance 1e-12) single b
            Expect.isFalse (string impossible) impossible.IsConverged
        }

        test "right-hand sides of zeros, of any size, of one element and of none" {
            let rows = Tensor.concat 0 [ Tensor.zeros DType.Float64 [ 1; n ]; Tensor.unsqueeze 0 vector ]
            let solution = Minres.solve tight indefinite rows
            Expect.equal (string solution) (0.0, true) (solution.Residuals[0], solution.IsConverged)

            for size in [ 1e-200; 1e200 ] do
                let found = Minres.solve tight indefinite (size * vector)
                Expect.tensorsClose 1e-11 (Minres.solve tight indefinite vector).Value (found.Value / size)

            let one = Minres.solve tight (FunctionCases.diagonal [ -4.0 ]) (ones [ 1 ])
            Expect.equal (string one) (-0.25, 1) (one.Value.ToScalar(), one.Iterations)
            let nothing = Minres.solve tight (FunctionCases.diagonal []) (ones [ 0 ])
            Expect.equal "nothing" (true, 0) (nothing.IsConverged, nothing.Matvecs)
            Expect.equal "no rows" [| 0; n |] (Minres.solve tight indefinite (ones [ 0; n ])).Value.Shape
        }

        test "rows that are done are not multiplied any more" {
            let mutable multiplied = 0

            let counted =
                LinearOperator.ofBlockFunction DType.Float64 4 4 (fun block ->
                    multiplied <- multiplied + block.Shape[0]
                    block * Tensor.ofArray [ 4 ] [| 1.0; -2.0; 3.0; -4.0 |])
                |> LinearOperator.claim OperatorProperties.Symmetric

            let rows = Tensor.ofArray [ 3; 4 ] [| 1.0; 0.0; 0.0; 0.0; 1.0; 1.0; 0.0; 0.0; 1.0; 1.0; 1.0; 1.0 |]
            let solution = Minres.solve tight counted rows
            Expect.equal (string solution) (4, 10, 10) (solution.Iterations, solution.Matvecs, multiplied)
        }

        test "the budget, and cancelling" {
            let spent = Minres.solve (tight.WithMaxIterations 2) indefinite vector
            Expect.equal (string spent) (SolveStatus.Budget, 2) (spent.Status, spent.Iterations)
            use source = new CancellationTokenSource()
            let matrix = FunctionCases.matrix "indefinite"

            let a =
                LinearOperator.ofFunction DType.Float64 n n (fun v ->
                    source.Cancel()
                    Tensor.matmul matrix v)
                |> LinearOperator.claim OperatorProperties.Symmetric

            let found = Minres.solve (tight.WithCancellation source.Token) a vector
            Expect.equal (string found) (SolveStatus.Cancelled, 1) (found.Status, found.Iterations)
        }

        test "the inverse operator inverts, and asymmetry is refused" {
            let inverse = Solver.inverse (tight.WithTolerance 1e-12) Minres.solver indefinite
            Expect.tensorsClose 1e-9 (Tensor.eye DType.Float64 n) (LinearOperator.dense (inverse * indefinite))

            Expect.error<OperatorException> [ "MINRES"; "symmetric" ] (fun () ->
                Minres.solve tight (LinearOperator.ofMatrix (Matrices.random 1 n n)) vector |> ignore)
        }
    ]
