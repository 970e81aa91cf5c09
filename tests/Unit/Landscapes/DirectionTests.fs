module Curvature.Tests.Unit.DirectionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private layout = ParameterLayout.ofShapes [ "weight", [ 2; 2 ]; "bias", [ 2 ]; "filter", [ 1; 1; 2; 1 ] ]
let private theta = tensor [ 3.0; 4.0; 0.0; 2.0; 7.0; 7.0; -6.0; 8.0 ]
let private direction = Direction.ofVector "d" (tensor [ 1.0; 0.0; 3.0; 4.0; 1.0; 2.0; 0.0; -1.0 ])

[<Tests>]
let tests =
    testList "Unit.DirectionTests" [
        test "filter normalisation gives each row the norm of the weights' row and leaves biases where they are" {
            let normalised = Direction.filterNormalized layout theta direction
            // Rows of norms 5 and 2, and one filter of norm 10.
            Expect.tensor 1e-15 [ 8 ] [ 5.0; 0.0; 1.2; 1.6; 0.0; 0.0; 0.0; -10.0 ] normalised.Vector
        }

        test "a tensor that is not ignored and has no rows is normalised as one filter" {
            let ignored (tensor: ParameterTensor) = tensor.Name = "filter"
            let normalised = Direction.filterNormalizedExcept ignored layout theta direction
            let scale = sqrt 98.0 / sqrt 5.0
            Expect.tensor 1e-14 [ 8 ] [ 5.0; 0.0; 1.2; 1.6; scale; 2.0 * scale; 0.0; 0.0 ] normalised.Vector
        }

        test "a row of zeros stays one" {
            let sparse = Direction.ofVector "d" (tensor [ 0.0; 0.0; 0.0; 1.0; 0.0; 0.0; 0.0; 1.0 ])
            let normalised = Direction.filterNormalized layout theta sparse
            Expect.tensor 1e-15 [ 8 ] [ 0.0; 0.0; 0.0; 2.0; 0.0; 0.0; 0.0; 10.0 ] normalised.Vector
        }

        test "gradients, eigenvectors and random directions have unit length" {
            let pairs =
                LinearOperator.ofDiagonal (tensor [ 1.0; 5.0; 3.0 ]) |> ThickRestartLanczos.find SpectrumEnd.Largest 2

            let eigenvector = Direction.eigenvector 1 pairs
            Expect.close 1e-12 [| 3.0 |] [| eigenvector.Eigenvalue.Value |]
            Expect.close 1e-8 [| 0.0; 0.0; 1.0 |] (eigenvector.Vector.ToArray() |> Array.map abs)
            Expect.tensor 1e-15 [ 2 ] [ 0.6; -0.8 ] (Direction.gradient (tensor [ 3.0; -4.0 ])).Vector
            let random = Direction.random (Key.OfSeed 1L) (Tensor.zeros DType.Float32 [ 3; 5 ])
            Expect.equal "random.Vector.DType" DType.Float32 random.Vector.DType
            Expect.equal "random.Vector.Shape" [| 15 |] random.Vector.Shape
            Expect.close 1e-6 [| 1.0 |] [| random.Length |]
            Expect.isTrue "no eigenvalue" (not random.Eigenvalue.HasValue)
        }

        test "a direction made orthogonal keeps its length and loses its eigenvalue" {
            let first = Direction.ofVector "a" (tensor [ 2.0; 0.0 ])
            let made = Direction.ofVector "b" (tensor [ 3.0; -4.0 ]) |> Direction.orthogonalTo first
            Expect.tensor 1e-15 [ 2 ] [ 0.0; -5.0 ] made.Vector
            Expect.isTrue "no eigenvalue" (not made.Eigenvalue.HasValue)
            Expect.tensor 1e-15 [ 2 ] [ 0.0; 10.0 ] (Direction.scaled -2.0 made).Vector
        }

        test "directions that lead nowhere or are not numbers are refused" {
            let zero = raises<ArgumentRangeException>(fun () -> Direction.gradient (tensor [ 0.0; 0.0 ]))
            Expect.isTrue zero.Message (zero.Message.Contains "gradient is zero")
            let nan = raises<NonFiniteException>(fun () -> Direction.ofVector "mine" (tensor [ 0.0; nan ]))
            Expect.isTrue nan.Message (nan.Message.Contains "mine" && nan.Message.Contains "element 1")
            raises<ArgumentRangeException>(fun () -> Direction.scaled 0.0 direction) |> ignore
            raises<ArgumentRangeException>(fun () -> Direction.orthogonalTo direction direction) |> ignore
            raises<ShapeException>(fun () -> Direction.filterNormalized layout (tensor [ 1.0 ]) direction) |> ignore

            let biasAlone = Direction.ofVector "bias" (tensor [ 0.0; 0.0; 0.0; 0.0; 1.0; 2.0; 0.0; 0.0 ])
            raises<ArgumentRangeException>(fun () -> Direction.filterNormalized layout theta biasAlone) |> ignore
        }
    ]
