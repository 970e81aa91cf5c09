/// Sparse matrices beside dense ones.
module Curvature.Tests.Unit.SparseMatrixTests

open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private sparse = tensor [ [ 1.5; 0.0; 0.0; -2.0 ]; [ 0.0; 0.0; 0.0; 0.0 ]; [ 0.0; 1e-300; 3.0; 0.0 ] ]
let private symmetric = tensor [ [ 2.0; -1.0; 0.0 ]; [ -1.0; 0.1; 0.0 ]; [ 0.0; 0.0; 7.0 ] ]

let private withPath (f: string -> unit) =
    let path = Path.GetTempFileName()

    try
        f path
    finally
        File.Delete path

[<Tests>]
let tests =
    testList "Unit.SparseMatrixTests" [
        test "rows are compressed" {
            let a = SparseMatrix.ofDense sparse
            Expect.equal "shape" (3, 4) (a.Rows, a.Columns)
            Expect.equal "starts" [| 0; 2; 2; 4 |] a.RowStarts
            Expect.equal "columns" [| 0; 3; 1; 2 |] a.ColumnIndices
            Expect.tensor 0.0 [ 4 ] [ 1.5; -2.0; 1e-300; 3.0 ] a.Values
            Expect.tensorsClose 0.0 sparse (a.ToDense())
            Expect.equal "an entry, and none" (-2.0, 0.0) (a[0, 3], a[1, 1])
            Expect.tensor 0.0 [ 3 ] [ 1.5; 0.0; 3.0 ] a.Diagonal
            Expect.isFalse "not symmetric" a.IsSymmetric
            Expect.isTrue "symmetric" (SparseMatrix.ofDense symmetric).IsSymmetric
        }

        test "products are those of the dense matrix" {
            for dtype, tolerance in [ DType.Float64, 1e-15; DType.Float32, 1e-6 ] do
                let dense = Tensor.convert dtype sparse
                let a = SparseMatrix.ofDense dense
                let v = Tensor.normal (Key.OfSeed 1L) dtype [ 4 ]
                Expect.tensorsClose tolerance (Tensor.matmul dense v) (a.Apply v)
                let block = Tensor.normal (Key.OfSeed 2L) dtype [ 3; 4 ]
                Expect.tensorsClose tolerance (Tensor.matmul block (Tensor.transpose dense)) (a.Apply block)
                Expect.tensorsClose 0.0 (Tensor.transpose dense) (a.Transposed.ToDense())
                let operator = a.ToOperator()
                Expect.tensorsClose 0.0 dense (LinearOperator.dense operator)
                Expect.tensorsClose 0.0 (Tensor.transpose dense) (LinearOperator.dense operator.Transposed)
        }

        test "long matrices are multiplied in parts, to the same bits" {
            let n = 40_000
            let x = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ n ]
            let f (x: Tensor) = Tensor.sum (sin (Tensor.slice 0 0 (n - 1) x * Tensor.slice 0 1 (n - 1) x))
            let h = SparseHessian.at f x
            let v = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ n ]
            Expect.tensorsClose 1e-13 (hessianv f x v) (h.Apply v)
            Expect.sameBits (h.Apply v) (h.Apply v)
        }

        test "an operator of a symmetric matrix is symmetric" {
            let a = (SparseMatrix.ofDense symmetric).ToOperator()
            Expect.isTrue "claimed" a.IsSymmetric
            Expect.within "trace" 1e-14 9.1 (Exact.trace a).Value
        }

        test "files give the same bits back" {
            withPath (fun path ->
                for dense in [ sparse; symmetric; tensor [ [ 1.0 / 3.0 ] ]; Tensor.zeros DType.Float64 [ 2; 3 ] ] do
                    let a = SparseMatrix.ofDense dense
                    SparseMatrix.write path a
                    let b = SparseMatrix.read path
                    Expect.sameBits dense (b.ToDense())
                    Expect.equal "symmetric" a.IsSymmetric b.IsSymmetric
                    Expect.sameBits dense (MatrixMarket.readDense path))
        }

        test "a symmetric matrix is written as its lower triangle" {
            withPath (fun path ->
                SparseMatrix.write path (SparseMatrix.ofDense symmetric)

                Expect.equal
                    "lines"
                    [
                        "%%MatrixMarket matrix coordinate real symmetric"
                        "3 3 4"
                        "1 1 2"
                        "2 1 -1"
                        "2 2 0.1"
                        "3 3 7"
                    ]
                    (List.ofArray (File.ReadAllLines path)))
        }

        test "entries come in any order" {
            let a = SparseMatrix.ofEntries 2 3 [ struct (1, 2, 5.0); struct (0, 1, 4.0); struct (1, 0, -1.0) ]
            Expect.tensor 0.0 [ 2; 3 ] [ 0.0; 4.0; 0.0; -1.0; 0.0; 5.0 ] (a.ToDense())
        }

        test "matrices say what they are" {
            let text = string (SparseMatrix.ofDense sparse)

            Expect.equal
                "text"
                [
                    "sparse matrix of 3 by 4, Float64, 4 entries"
                    "  (0, 0)  1.5"
                    "  (0, 3)  -2"
                    "  (2, 1)  1e-300"
                    "  (2, 2)  3"
                ]
                (List.ofArray (text.Split '\n'))

            let large = SparseHessian.at (fun x -> Tensor.sum (x * x)) (Tensor.ones DType.Float64 [ 1000 ])
            Expect.stringContains "cut" "more" (string large)
        }

        test "bad arguments are refused" {
            let a = SparseMatrix.ofDense sparse
            Expect.error<ShapeException> [ "[4]"; "[5]" ] (fun () -> a.Apply(Tensor.ones DType.Float64 [ 5 ]) |> ignore)

            Expect.error<DTypeException> [ "Float64"; "Float32" ] (fun () ->
                a.Apply(Tensor.ones DType.Float32 [ 4 ]) |> ignore)

            Expect.error<ArgumentRangeException> [ "row 3" ] (fun () -> a[3, 0] |> ignore)
            Expect.error<ShapeException> [ "matrix" ] (fun () -> SparseMatrix.ofDense (tensor [ 1.0 ]) |> ignore)
            Expect.error<NonFiniteException> [ "NaN" ] (fun () -> SparseMatrix.ofDense (tensor [ [ nan ] ]) |> ignore)
            let entries items () = SparseMatrix.ofEntries 2 2 items |> ignore
            Expect.error<ArgumentRangeException> [ "(2, 0)"; "outside" ] (entries [ struct (2, 0, 1.0) ])
            Expect.error<ArgumentRangeException> [ "twice" ] (entries [ struct (1, 0, 1.0); struct (1, 0, 2.0) ])
            Expect.error<NonFiniteException> [ "(1, 0)" ] (entries [ struct (1, 0, infinity) ])
            Expect.error<DataException> [ "cannot be written" ] (fun () -> SparseMatrix.write "/nowhere/a.mtx" a)

            let wide = SparseHessian.at (fun x -> Tensor.sum (x * x)) (Tensor.ones DType.Float64 [ 10_000 ])
            Expect.error<ArgumentRangeException> [ "100000000" ] (fun () -> wide.ToDense() |> ignore)
        }
    ]
