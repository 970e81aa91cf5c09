module Curvature.Tests.Unit.GmresTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 30
let private tight = SolverOptions.Default.WithTolerance 1e-11
let private matrix = Matrices.random 71 n n + 4.0 * Tensor.eye DType.Float64 n
let private a = LinearOperator.ofMatrix matrix
let private block = Matrices.random 72 5 n
let private vector = Tensor.item 0 0 block
let private expected = lazy (Tensor.transpose (Tensor.solve matrix (Tensor.transpose block)))
let private full options a b = Gmres.solve options n a b

/// The matrix that moves every element one place on.
let private cycle size =
    Tensor.ofArray [ size; size ] [|
        for i in 0 .. size - 1 do
            for j in 0 .. size - 1 -> if i = (j + 1) % size then 1.0 else 0.0
    |]
    |> LinearOperator.ofMatrix

let private unit size = Tensor.ofArray [ size ] (Array.init size (fun i -> if i = 0 then 1.0 else 0.0))

[<Tests>]
let tests =
    testList "Unit.GmresTests" [
        test "systems without symmetry are solved, for one vector and for a block, at every length of cycles" {
            for restart in [ 8; 15; n; 100 ] do
                let one, many = Gmres.solve tight restart a vector, Gmres.solve tight restart a block
                Expect.isTrue $"{restart}: {one}; {many}" (one.IsConverged && many.IsConverged)
                Expect.tensorsClose 1e-8 expected.Value many.Value
                // The residual at a restart is that of the recursion: no product is taken for it but the last.
                Expect.equal $"{restart}: {one}" (one.Iterations + 1) one.Matvecs
                Expect.tensorsClose 1e-8 (Tensor.item 0 0 expected.Value) one.Value
        }

        test "without a restart the residual is the least in the Krylov space" {
            // Against the least-squares problem over the powers of A, for few of them.
            for count in [ 1; 2; 4 ] do
                let found = full (tight.WithMaxIterations count) a vector
                let powers = List.scan (fun v _ -> a.Apply v) vector [ 2..count ] |> Tensor.stack 0
                let images = Tensor.transpose (a.Apply powers)
                let q, _ = Tensor.qr images
                let rest = vector - Tensor.matmul q (Tensor.matmul (Tensor.transpose q) vector)
                let least = (Tensor.norm rest).ToScalar() / (Tensor.norm vector).ToScalar()
                Expect.close 1e-9 [| least |] found.Residuals
        }

        test "a cycle that makes no progress is a breakdown, and a longer one solves the system" {
            let short = Gmres.solve tight 4 (cycle 6) (unit 6)
            Expect.equal (string short) SolveStatus.Breakdown short.Status
            Expect.stringContains "short.Advice" "longer" short.Advice
            let long = Gmres.solve tight 6 (cycle 6) (unit 6)
            Expect.equal (string long) (true, 6) (long.IsConverged, long.Iterations)
            Expect.close 1e-13 [| 0.0; 0.0; 0.0; 0.0; 0.0; 1.0 |] (long.Value.ToArray())
        }

        test "singular systems are solved where that can be done, and only there" {
            let singular = LinearOperator.ofMatrix (tensor [ [ 1.0; 2.0; 0.0 ]; [ 0.0; 1.0; 0.0 ]; [ 0.0; 0.0; 0.0 ] ])
            let inside = Gmres.solve tight 3 singular (Tensor.ofArray [ 3 ] [| 3.0; 1.0; 0.0 |])
            Expect.isTrue (string inside) inside.IsConverged
            let outside = Gmres.solve tight 3 singular (Tensor.ones DType.Float64 [ 3 ])
            Expect.equal (string outside) SolveStatus.Breakdown outside.Status
            let zero = Gmres.solve tight 2 (LinearOperator.zero DType.Float64 2 2) (Tensor.ones DType.Float64 [ 2 ])
            Expect.equal (string zero) (SolveStatus.Breakdown, 1.0) (zero.Status, zero.Residuals[0])
            let nilpotent = LinearOperator.ofMatrix (tensor [ [ 0.0; 1.0 ]; [ 0.0; 0.0 ] ])
            let lost = Gmres.solve tight 2 nilpotent (unit 2)
            Expect.isFalse (string lost) lost.IsConverged
        }

        test "Float32 to its digits, sizes, one element and none" {
            let single = LinearOperator.ofMatrix (Tensor.convert DType.Float32 matrix)
            let found = full SolverOptions.Default single (Tensor.convert DType.Float32 block)
            Expect.isTrue (string found) found.IsConverged
            Expect.tensorsClose 1e-3 expected.Value (Tensor.convert DType.Float64 found.Value)

            for size in [ 1e-200; 1e200 ] do
                let sized = full tight a (size * vector)
                Expect.tensorsClose 1e-8 (Tensor.item 0 0 expected.Value) (sized.Value / size)

            let one = Gmres.solve tight 5 (LinearOperator.scalar DType.Float64 1 -4.0) (unit 1)
            Expect.equal (string one) (-0.25, 1) (one.Value.ToScalar(), one.Iterations)

            let nothing =
                Gmres.solve tight 5 (LinearOperator.identity DType.Float64 0) (Tensor.ones DType.Float64 [ 0 ])

            Expect.isTrue (string nothing) nothing.IsConverged
            let rows = Tensor.concat 0 [ Tensor.zeros DType.Float64 [ 1; n ]; Tensor.unsqueeze 0 vector ]
            Expect.equal "zeros" 0.0 (full tight a rows).Residuals[0]
        }

        test "the budget, and cancelling on the way of a cycle, return what the basis holds" {
            let spent = full (tight.WithMaxIterations 5) a vector
            Expect.equal (string spent) (SolveStatus.Budget, 5) (spent.Status, spent.Iterations)
            Expect.isLessThan "a residual" (spent.Residuals[0], 0.5)
            use source = new CancellationTokenSource()

            let cancelling =
                LinearOperator.ofFunction DType.Float64 n n (fun v ->
                    source.Cancel()
                    Tensor.matmul matrix v)

            let found = full (tight.WithCancellation source.Token) cancelling vector
            Expect.equal (string found) (SolveStatus.Cancelled, 1) (found.Status, found.Iterations)
        }

        test "the inverse of an operator and of its transpose, and what does not fit" {
            let inverse = Solver.inverse tight (Gmres.solver n) a
            Expect.tensorsClose 1e-8 (Tensor.inverse matrix) (LinearOperator.dense inverse)

            Expect.tensorsClose
                1e-8
                (Tensor.transpose (Tensor.inverse matrix))
                (LinearOperator.dense inverse.Transposed)

            Expect.error<ArgumentRangeException> [ "GMRES"; "0" ] (fun () -> Gmres.solver 0 |> ignore)

            Expect.error<OperatorException> [ "square" ] (fun () ->
                full tight (LinearOperator.ofMatrix (Matrices.random 1 3 2)) (unit 3) |> ignore)
        }
    ]
