/// Diagonals and triangles of matrices against plain loops.
module Curvature.Tests.Unit.Tensors.TensorTriangleTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private matrices =
    let normal seed shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

    [
        normal 1L [ 3; 3 ]
        normal 2L [ 2; 4 ]
        normal 3L [ 4; 2 ]
        Tensor.transpose (normal 4L [ 2; 3 ])
        normal 5L [ 1; 1 ]
        Tensor.zeros DType.Float64 [ 0; 3 ]
        Tensor.zeros DType.Float64 [ 3; 0 ]
    ]

/// The entries of a matrix that have some place, and 0 elsewhere.
let private keep (isKept: int -> int -> bool) (t: Tensor) =
    let columns = t.Shape[1]
    t.ToArray() |> Array.mapi (fun n x -> if isKept (n / columns) (n % columns) then x else 0.0)

let private diagonalOf (t: Tensor) =
    let values = t.ToArray()
    [ for i in 0 .. min t.Shape[0] t.Shape[1] - 1 -> values[i * t.Shape[1] + i] ]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorTriangleTests" [
        test "diagonals, traces and triangles are those of plain loops" {
            for t in matrices do
                let shape = List.ofArray t.Shape
                let diagonal = diagonalOf t
                Expect.tensor 0.0 [ diagonal.Length ] diagonal (Tensor.diagonal t)
                Expect.scalar 1e-15 (List.sum diagonal) (Tensor.trace t)

                for offset in [ -5; -1; 0; 1; 2; 5 ] do
                    Expect.tensor 0.0 shape (keep (fun i j -> j <= i + offset) t) (Tensor.tril offset t)
                    Expect.tensor 0.0 shape (keep (fun i j -> j >= i + offset) t) (Tensor.triu offset t)
        }

        test "a vector becomes a diagonal, and the diagonal the vector" {
            for vector in [ tensor [ 2.0; -1.0; nan ]; Tensor.zeros DType.Float64 [ 0 ]; tensor [ 4.0f ] ] do
                let n = vector.Size
                let matrix = Tensor.diag vector

                let expected =
                    [
                        for i in 0 .. n - 1 do
                            for j in 0 .. n - 1 -> if i = j then vector.ToArray()[i] else 0.0
                    ]

                Expect.tensor 0.0 [ n; n ] expected matrix
                Expect.equal "matrix.DType" vector.DType matrix.DType
                Expect.sameBits vector (Tensor.diagonal matrix)

            Expect.tensor 0.0 [ 2; 2 ] [ 3.0; 0.0; 0.0; 4.0 ] (Tensor.diag (tensor [ 3; 4 ]))
        }

        test "leading axes are stacks of matrices" {
            let stack = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 2; 3; 4 ]

            for f in [ Tensor.diagonal; Tensor.trace; Tensor.tril 0; Tensor.triu -1 ] do
                Expect.tensorsClose 0.0 (Tensor.stack 0 [ for matrix in stack -> f matrix ]) (f stack)

            let vectors = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ 2; 3 ]

            Expect.tensorsClose
                0.0
                (Tensor.stack 0 [ for vector in vectors -> Tensor.diag vector ])
                (Tensor.diag vectors)
        }

        test "what is cut away does not matter" {
            let t = tensor [ [ 1.0; nan ]; [ infinity; 2.0 ] ]
            Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 0.0; infinity; 2.0 ] (Tensor.tril 0 t)
            Expect.tensor 0.0 [ 2; 2 ] [ 1.0; nan; 0.0; 2.0 ] (Tensor.triu 0 t)
        }

        test "all have all derivatives" {
            let corners = [ "tril", Tensor.tril 0; "triu", Tensor.triu 1 ]
            let functions = [ "diagonal", Tensor.diagonal; "trace", Tensor.trace ] @ corners

            for point in points |> List.filter (fun point -> point.Rank = 2) do
                for name, f in functions do
                    differentiates name (f >> Tensor.sin) point

            differentiates "diag" (Tensor.diag >> Tensor.square) points.Head
        }

        test "what is no matrix is named" {
            let vector = tensor [ 1.0; 2.0 ]
            Expect.raises<ShapeException> [ "diagonal"; "[2]" ] (fun () -> Tensor.diagonal vector)
            Expect.raises<ShapeException> [ "trace"; "[2]" ] (fun () -> Tensor.trace vector)
            Expect.raises<ShapeException> [ "tril"; "[2]" ] (fun () -> Tensor.tril 0 vector)
            Expect.raises<ShapeException> [ "triu"; "[]" ] (fun () -> Tensor.triu 0 (tensor 1.0))
            Expect.raises<ShapeException> [ "diag"; "scalar" ] (fun () -> Tensor.diag (tensor 1.0))
            Expect.raises<DTypeException> [ "Int32" ] (fun () -> Tensor.tril 0 (tensor [ [ 1; 2 ] ]))
            Expect.raises<ShapeException> [ "elements" ] (fun () -> Tensor.diag (Tensor.zeros DType.Float32 [ 100000 ]))
        }
    ]
