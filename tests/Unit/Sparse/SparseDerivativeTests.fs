/// Sparse Hessians and Jacobians beside dense ones and closed forms.
module Curvature.Tests.Unit.SparseDerivativeTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private point dtype (shape: int list) = Tensor.normal (Key.OfSeed 3L) dtype shape

let private neighbours (x: Tensor) =
    let n = x.Shape[0]
    Tensor.slice 0 0 (n - 1) x, Tensor.slice 0 1 (n - 1) x

/// The chained Rosenbrock function.
let private chained (x: Tensor) =
    let left, right = neighbours x
    Tensor.sum (100.0 * (right - left * left) ** 2.0 + (1.0 - left) ** 2.0)

/// The extended Rosenbrock function: pairs (x₂ᵢ, x₂ᵢ₊₁) that do not see each other.
let private extended (x: Tensor) =
    let pairs = Tensor.reshape [ -1; 2 ] x
    let a, b = Tensor.item 1 0 pairs, Tensor.item 1 1 pairs
    Tensor.sum (100.0 * (b - a * a) ** 2.0 + (1.0 - a) ** 2.0)

let private methods = [ RecoveryMethod.Direct, 1e-14, 2e-6; RecoveryMethod.Substitution, 1e-13, 2e-5 ]

/// Both recoveries in both element types against the dense Hessian.
let private checkHessian (f: Tensor -> Tensor) (shape: int list) =
    for recovery, double, single in methods do
        for dtype, tolerance in [ DType.Float64, double; DType.Float32, single ] do
            let x = point dtype shape
            let sparse = SparseHessian.atWith (SparseOptions.Default.WithRecovery recovery) f x
            let dense = hessian f x |> Tensor.reshape [ x.Size; x.Size ]
            Expect.tensorsClose tolerance dense (sparse.ToDense())
            Expect.isTrue "symmetric" sparse.IsSymmetric

[<Tests>]
let tests =
    testList "Unit.SparseDerivativeTests" [
        for name, f, shape in
            [
                "chained Rosenbrock", chained, [ 30 ]
                "extended Rosenbrock", extended, [ 30 ]
                "arrow", (fun (x: Tensor) -> exp x[0] * Tensor.sum (sin x)), [ 20 ]
                "diagonal", (fun (x: Tensor) -> Tensor.sum (cos x)), [ 7 ]
                "dense", (fun (x: Tensor) -> Tensor.sum (Tensor.softmax x * x)), [ 6 ]
                "of a matrix", (fun (x: Tensor) -> Tensor.sum (Tensor.square (Tensor.sumAxes [ 1 ] (x * x)))), [ 4; 3 ]
                "linear", (fun (x: Tensor) -> Tensor.sum x), [ 5 ]
                "no diagonal", (fun (x: Tensor) -> let a, b = neighbours x in Tensor.sum (a * b)), [ 9 ]
                "constant", (fun (x: Tensor) -> Tensor.scalar x.DType 4.0), [ 3 ]
                "asks for values", (fun (x: Tensor) -> if x[0].ToScalar() > 9.0 then Tensor.sum x else chained x), [ 8 ]
            ] do
            test $"the sparse Hessian is the dense one ({name})" { checkHessian f shape }

        test "a Hessian at many points is prepared once" {
            let prepared = SparseHessian.prepare chained (point DType.Float64 [ 12 ])
            Expect.equal "colours" 3 prepared.ColourCount
            Expect.equal "of columns" 12 prepared.Colours.Length

            for seed in 1L .. 3L do
                let x = Tensor.normal (Key.OfSeed seed) DType.Float64 [ 12 ]
                Expect.tensorsClose 1e-14 (hessian chained x) ((prepared.At x).ToDense())

            Expect.error<ShapeException> [ "Float64[12]"; "Float64[11]" ] (fun () ->
                prepared.At(point DType.Float64 [ 11 ]) |> ignore)
        }

        test "a function that asks for values gets the pattern of each point" {
            let f (x: Tensor) = if x[0].ToScalar() > 0.0 then x[0] * x[1] else x[1] * x[2] * x[2]
            let prepared = SparseHessian.prepare f (tensor [ 1.0; 2.0; 3.0 ])

            for first in [ 1.0; -1.0 ] do
                let x = tensor [ first; 2.0; 3.0 ]
                Expect.tensorsClose 1e-15 (hessian f x) ((prepared.At x).ToDense())
        }

        // Σ sin(xᵢ xᵢ₊₁): second derivatives by hand.
        test "a Hessian by hand" {
            let f (x: Tensor) = let a, b = neighbours x in Tensor.sum (sin (a * b))
            let x = [| 0.3; -1.1; 0.7 |]
            let s01, s12 = sin (x[0] * x[1]), sin (x[1] * x[2])
            let c01, c12 = cos (x[0] * x[1]), cos (x[1] * x[2])
            let h = SparseHessian.at f (tensor x)
            Expect.within "h00" 1e-15 (-x[1] * x[1] * s01) h[0, 0]
            Expect.within "h01" 1e-15 (c01 - x[0] * x[1] * s01) h[0, 1]
            Expect.within "h11" 1e-15 (-x[0] * x[0] * s01 - x[2] * x[2] * s12) h[1, 1]
            Expect.within "h12" 1e-15 (c12 - x[1] * x[2] * s12) h[1, 2]
            Expect.within "h02" 0.0 0.0 h[0, 2]
        }

        for name, f, shape in
            [
                "products of neighbours", (fun x -> let a, b = neighbours x in a * b), [ 9 ]
                "more rows than columns", (fun x -> let a, b = neighbours x in Tensor.concat 0 [ a * b; sin x ]), [ 6 ]
                "a dense row", (fun x -> Tensor.concat 0 [ x * x; Tensor.reshape [ 1 ] (Tensor.sum (exp x)) ]), [ 8 ]
                "a dense column", (fun (x: Tensor) -> x[0] * x), [ 8 ]
                "rows without entries", (fun (x: Tensor) -> Tensor.pad 0 2 1 (sin x)), [ 5 ]
                "a scalar", (fun x -> Tensor.sum (x * x)), [ 5 ]
                "a constant", (fun x -> Tensor.ones x.DType [ 3 ]), [ 4 ]
                "matrices", (fun (x: Tensor) -> Tensor.cumulativeSum 1 (sin x)), [ 3; 4 ]
            ] do
            test $"the sparse Jacobian is the dense one ({name})" {
                for dtype, tolerance in [ DType.Float64, 1e-14; DType.Float32, 2e-6 ] do
                    let x = point dtype shape
                    let dense = jacobian f x
                    let sparse = SparseJacobian.at f x
                    Expect.tensorsClose tolerance (Tensor.reshape [ sparse.Rows; x.Size ] dense) (sparse.ToDense())
            }

        test "a dense row is multiplied from the left, a dense column from the right" {
            let withRow (x: Tensor) = Tensor.concat 0 [ x * x; Tensor.reshape [ 1 ] (Tensor.sum (exp x)) ]
            let row = SparseJacobian.prepare withRow (point DType.Float64 [ 50 ])
            Expect.isTrue "from the left" row.IsByRows
            Expect.equal "two products" 2 row.ColourCount
            let column = SparseJacobian.prepare (fun x -> x[0] * x) (point DType.Float64 [ 50 ])
            Expect.isFalse "from the right" column.IsByRows
            Expect.equal "two products" 2 column.ColourCount
        }

        test "a Jacobian has the element type of its values" {
            let f (x: Tensor) = Tensor.convert DType.Float32 (x * x)
            let x = point DType.Float64 [ 4 ]
            Expect.tensorsClose 1e-7 (jacobian f x) ((SparseJacobian.at f x).ToDense())
            let row (x: Tensor) = Tensor.convert DType.Float32 (Tensor.sum (x * x))
            Expect.equal "of one row" DType.Float32 (SparseJacobian.at row x).DType
        }

        test "a derivative that does not pay is refused with its colours" {
            let f (x: Tensor) = Tensor.sum (exp x) ** 2.0
            let refused action = Expect.thrown<ColouringException>(action >> ignore)
            let error = refused (fun () -> SparseHessian.at f (point DType.Float64 [ 200 ]))
            Expect.isTrue $"as many as edges need: {error.Colours}" (error.Colours > 100 && error.Colours <= 200)
            Expect.stringContains "names them" $"{error.Colours} colours" error.Message
            // A pattern that does not fit into memory is refused too.
            let error = refused (fun () -> SparseHessian.at f (Tensor.zeros DType.Float64 [ 100_000 ]))
            Expect.isTrue $"half of the columns: {error.Colours}" (error.Colours >= 50_000)
            let error = refused (fun () -> SparseJacobian.at Tensor.softmax (point DType.Float64 [ 300 ]))
            Expect.equal "a dense row" 300 error.Colours
            let all = SparseOptions.Default.WithMostColours 200
            Expect.equal "allowed" 40_000 (SparseHessian.atWith all f (point DType.Float64 [ 200 ])).Count
            let few = SparseOptions.Default.WithMostColours 2
            let error = refused (fun () -> SparseHessian.atWith few chained (point DType.Float64 [ 20 ]))
            Expect.equal "one more" 3 error.Colours
        }

        test "bad arguments are refused" {
            let x = point DType.Float64 [ 3 ]
            Expect.error<ShapeException> [ "scalar" ] (fun () -> SparseHessian.at sin x |> ignore)

            Expect.error<NonFiniteException> [ "sparse Hessian"; "value" ] (fun () ->
                SparseHessian.at (fun x -> Tensor.sum (log x)) (tensor [ -1.0; 2.0 ]) |> ignore)

            Expect.error<NonFiniteException> [ "product" ] (fun () ->
                SparseJacobian.at sqrt (tensor [ 0.0; 2.0 ]) |> ignore)

            Expect.error<ArgumentRangeException> [ "Direct or Substitution" ] (fun () ->
                SparseOptions.Default.WithRecovery(enum 7) |> ignore)

            Expect.error<ArgumentRangeException> [ "most colours" ] (fun () ->
                SparseOptions.Default.WithMostColours 0 |> ignore)
        }

        test "an extended Rosenbrock function of 100,000 variables" {
            let n = 100_000
            let x = point DType.Float64 [ n ]
            let h = SparseHessian.at extended x
            Expect.equal "entries" (2 * n) h.Count
            let values = x.ToArray()

            // The Hessian of a pair: 1200a² − 400b + 2, −400a, and 200.
            for i in [ 0; 1234; n - 2 ] do
                let a, b = values[i], values[i + 1]
                Expect.within "aa" 1e-9 (1200.0 * a * a - 400.0 * b + 2.0) h[i, i]
                Expect.within "ab" 1e-10 (-400.0 * a) h[i, i + 1]
                Expect.within "bb" 1e-11 200.0 h[i + 1, i + 1]

            let v = Tensor.normal (Key.OfSeed 8L) DType.Float64 [ n ]
            Expect.tensorsClose 1e-12 (hessianv extended x v) (h.Apply v)
        }
    ]
