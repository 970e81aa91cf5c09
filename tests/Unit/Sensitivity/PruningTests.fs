module Curvature.Tests.Unit.PruningTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 81L
let private layout = ParameterLayout.ofShapes [ "w", [ 2; 2 ]; "bias", [ 1 ] ]
let private theta = tensor [ 1.0; -2.0; 3.0; 0.5; 9.0 ]
let private h = tensor [ 8.0; 1.0; 2.0; 4.0; 7.0 ]

/// A minimum at θ, with independent weights.
let private loss (x: Tensor) = 10.0 + 0.5 * Tensor.dot h (Tensor.square (x - theta))

let private exact = Hessian.at loss theta |> CurvatureByTensor.exact layout
let private digits = ParameterLayout.ofShapes [ "W1", [ 32; 64 ]; "b1", [ 32 ]; "W2", [ 10; 32 ]; "b2", [ 10 ] ]

[<Tests>]
let tests =
    testList "Unit.PruningTests" [
        test "for independent weights at a minimum the prediction is the loss" {
            let found = Pruning.saliencies theta exact
            Expect.close 1e-13 [| 4.0; 2.0; 9.0; 0.5 |] (found.Values.Value.ToArray())
            Expect.equal "found.Positions" [| 0; 1; 2; 3 |] found.Positions
            Expect.equal "found.Order" [| 3; 1; 0; 2 |] found.Order
            let curve = Pruning.curve (Risk.ofFunction loss) [ 0.0; 0.25; 0.5; 0.75; 1.0 ] found
            let expected = [| 10.0; 10.5; 12.5; 16.5; 25.5 |]
            Expect.close 1e-13 expected [| for point in curve -> point.Measured |]
            Expect.close 1e-13 expected [| for point in curve -> point.Predicted.Value |]
            Expect.equal "[ for point in curve -> point.C…" [ 0; 1; 2; 3; 4 ] [ for point in curve -> point.Count ]
            Expect.equal "curve[3].Share" 0.75 curve[3].Share
            Expect.close 1e-13 [| 0.0 |] [| curve[3].Predicted.StandardError |]
            let all = Pruning.salienciesWhere (fun _ -> true) theta exact
            Expect.equal "all.Order" [| 3; 1; 0; 2; 4 |] all.Order
        }

        test "at the minimum of least squares one weight at a time is predicted exactly" {
            let x = Tensor.normal (Key.OfSeed 82L) DType.Float64 [ 20; 3 ]
            let y = Tensor.normal (Key.OfSeed 83L) DType.Float64 [ 20 ]
            let squares theta = Loss.meanSquaredError Reduction.Mean y (Tensor.matmul x theta)
            // The normal equations, solved on the host.
            let gram = Tensor.matmul (Tensor.transpose x) x
            let matrix = MathNet.Numerics.LinearAlgebra.Double.DenseMatrix(3, 3, gram.ToArray())

            let right =
                (Tensor.matmul (Tensor.transpose x) y).ToArray() |> MathNet.Numerics.LinearAlgebra.Double.DenseVector

            let best = matrix.Solve(right).ToArray() |> Tensor.ofArray [ 3 ]
            let table = Hessian.at squares best |> CurvatureByTensor.exact (ParameterLayout.ofShapes [ "w", [ 1; 3 ] ])
            let found = Pruning.saliencies best table
            let point = Pruning.curve (Risk.ofFunction squares) [ 1.0 / 3.0 ] found |> List.exactlyOne
            Expect.equal "point.Count" 1 point.Count
            Expect.close 1e-12 [| point.Measured |] [| point.Predicted.Value |]
            // H = 2XᵀX/N.
            let weights, squared = best.ToArray(), Matrices.diagonal gram
            Expect.close 1e-12 (Array.map2 (fun w g -> w * w * g / 20.0) weights squared) (found.Values.Value.ToArray())
        }

        test "saliencies of a network on real digits carry the errors of the diagonal" {
            let loss, theta = DigitsNetwork.loss DType.Float64, DigitsNetwork.theta DType.Float64
            let hessian = Hessian.at loss theta
            let table = CurvatureByTensor.estimate digits (StoppingRule.matvecs 50) key hessian

            let found, truth =
                Pruning.saliencies theta table, Pruning.saliencies theta (CurvatureByTensor.exact digits hessian)

            Expect.equal "found.Positions.Length" 2368 found.Positions.Length
            // The place of b1 and b2 is left out.
            Expect.equal "found.Positions[2048]" 2080 found.Positions[2048]

            Array.zip3
                (found.Values.Value.ToArray())
                (truth.Values.Value.ToArray())
                (found.Values.StandardError.ToArray())
            |> Array.iter (fun (value, expected, error) ->
                Expect.isTrue
                    $"{value} ± {error} against {expected} with {key}"
                    (abs (value - expected) <= 8.0 * error + 1e-12))

            // All weights: no choice by chance, so that the prediction lies within its bound of an error.
            let point = Pruning.curve (Risk.ofFunction loss) [ 1.0 ] found |> List.exactlyOne
            let exact = Pruning.curve (Risk.ofFunction loss) [ 1.0 ] truth |> List.exactlyOne
            let off = abs (point.Predicted.Value - exact.Predicted.Value)
            Expect.isTrue $"{point} against {exact} with {key}" (off < 5.0 * point.Predicted.StandardError)
            Expect.close 1e-12 [| exact.Measured |] [| point.Measured |]
        }

        test "weights go in the order of absolute values, or in that of other saliencies" {
            let table =
                LinearOperator.ofDiagonal (tensor [ -8.0; 1.0; 2.0; -4.0; 7.0 ]) |> CurvatureByTensor.exact layout

            let signed = Pruning.saliencies theta table
            Expect.close 1e-13 [| -4.0; 2.0; 9.0; -0.5 |] (signed.Values.Value.ToArray())
            Expect.equal "signed.Order" [| 3; 1; 0; 2 |] signed.Order
            let flat = LinearOperator.ofDiagonal (tensor [ 1.0; 1.0; 1.0; 1.0; 1.0 ]) |> CurvatureByTensor.exact layout
            let other = signed |> Pruning.orderedBy (Pruning.saliencies theta flat)
            Expect.equal "other.Order" [| 3; 0; 1; 2 |] other.Order
            let curve = Pruning.curve (Risk.ofFunction loss) [ 0.5 ] other |> List.exactlyOne
            Expect.close 1e-13 [| 10.0 - 4.5 |] [| curve.Predicted.Value |]
            let all = Pruning.salienciesWhere (fun _ -> true) theta table
            raises<ParameterException>(fun () -> Pruning.orderedBy all signed) |> ignore
        }

        test "in the order of another key a prediction lies within its error, and in its own order it is too low" {
            let n = 300
            // A diagonal of 1, hidden under entries off it.
            let off = Matrices.symmetric 9 n * (1.0 - Tensor.eye DType.Float64 n)
            let operator = LinearOperator.ofSymmetricMatrix (off + Tensor.eye DType.Float64 n)
            let layout, theta = ParameterLayout.ofShapes [ "w", [ 1; n ] ], Tensor.ones DType.Float64 [ n ]

            let saliencies seed =
                operator
                |> CurvatureByTensor.estimate layout (StoppingRule.matvecs 20) (Key.OfSeed seed)
                |> Pruning.saliencies theta

            let flat (x: Tensor) = 0.0 * Tensor.sum x
            let predicted found = (Pruning.curve (Risk.ofFunction flat) [ 0.3 ] found |> List.exactlyOne).Predicted
            // 90 weights of ½ each.
            let own, crossed = predicted (saliencies 1L), predicted (saliencies 2L |> Pruning.orderedBy (saliencies 1L))
            Expect.isTrue $"{crossed}" (abs (crossed.Value - 45.0) < 5.0 * crossed.StandardError)
            Expect.isTrue $"{own}" (own.Value < 45.0 - 3.0 * own.StandardError)
        }

        test "over uneven batches the curve is that of all samples" {
            let x = Tensor.normal (Key.OfSeed 84L) DType.Float64 [ 10; 4 ]
            let y = Tensor.normal (Key.OfSeed 85L) DType.Float64 [ 10 ]

            let loss (batch: Batch) theta =
                Loss.meanSquaredError
                    Reduction.Mean
                    batch.Targets
                    (Tensor.matmul batch.Inputs (Tensor.slice 0 0 4 theta))

            let found, shares = Pruning.saliencies theta exact, [ 0.0; 0.5; 1.0 ]
            let whole = Pruning.curve (Risk.ofFunction (loss (Batch(x, y)))) shares found
            let token = CancellationToken.None
            let parts = Pruning.curveWith token (Risk.ofBatches Reduction.Mean loss (Batches.split 3 x y)) shares found
            Expect.close 1e-12 [| for point in whole -> point.Measured |] [| for point in parts -> point.Measured |]

            raises<DataException>(fun () ->
                Pruning.curveWith token (Risk.ofBatches Reduction.Mean loss []) shares found)
            |> ignore
        }

        test "an exact order is certain, and one of pure noise keeps what chance keeps" {
            let certain = Pruning.stability key 5 [ 0.25; 0.5 ] (Pruning.saliencies theta exact)
            Expect.close 0.0 [| 1.0; 1.0; 1.0 |] [| certain.MeanTau; yield! certain.Overlaps |]
            // Equal saliencies, each with a large error.
            let n = 400
            let matrix = Matrices.symmetric 9 n * 100.0
            let noisy = matrix * (1.0 - Tensor.eye DType.Float64 n) |> LinearOperator.ofSymmetricMatrix

            let table =
                noisy
                |> CurvatureByTensor.estimate (ParameterLayout.ofShapes [ "w", [ 1; n ] ]) (StoppingRule.matvecs 30) key

            let found = Pruning.saliencies (Tensor.ones DType.Float64 [ n ]) table
            let first = Pruning.stability key 40 [ 0.0; 0.25; 1.0 ] found
            Expect.close 0.0 [| 1.0; 1.0 |] [| first.Overlaps[0]; first.Overlaps[2] |]
            // The estimates are as far apart as their errors: drawn again, they are neither the same nor independent.
            let overlap, tau = first.Overlaps[1], first.MeanTau
            let message = $"{overlap}, {tau} with {key}"
            Expect.isTrue message (overlap > 0.27 && overlap < 0.8 && tau > 0.1 && tau < 0.7)
        }

        test "wrong use is an error that says what was expected" {
            let found = Pruning.saliencies theta exact
            raises<ShapeException>(fun () -> Pruning.saliencies (tensor [ 1.0 ]) exact) |> ignore
            raises<ParameterException>(fun () -> Pruning.salienciesWhere (fun _ -> false) theta exact) |> ignore
            raises<ArgumentRangeException>(fun () -> Pruning.curve (Risk.ofFunction loss) [] found) |> ignore
            let share = raises<ArgumentRangeException>(fun () -> Pruning.curve (Risk.ofFunction loss) [ 1.5 ] found)
            Expect.isTrue share.Message (share.Message.Contains "1.5")
            raises<ArgumentRangeException>(fun () -> Pruning.stability key 0 [ 0.5 ] found) |> ignore

            let infinite =
                raises<NonFiniteException>(fun () ->
                    Pruning.curve (Risk.ofFunction (fun x -> Tensor.sum (Tensor.log (Tensor.abs x)))) [ 0.25 ] found)

            Expect.isTrue infinite.Message (infinite.Message.Contains "with 1 weights set to 0 is -infinity")
            raises<ShapeException>(fun () -> Pruning.curve (Risk.ofFunction id) [ 0.5 ] found) |> ignore
            use source = new CancellationTokenSource()
            source.Cancel()

            raises<OperationCanceledException>(fun () ->
                Pruning.curveWith source.Token (Risk.ofFunction loss) [ 0.5 ] found)
            |> ignore
        }
    ]
