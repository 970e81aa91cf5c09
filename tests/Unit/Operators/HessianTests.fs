module Curvature.Tests.Unit.HessianTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private vector (values: float list) = Tensor.ofArray [ values.Length ] (List.toArray values)
let private quartic (x: Tensor) = Tensor.square (Tensor.dot x x)

[<Tests>]
let tests =
    testList "Unit.HessianTests" [
        test "the Hessian of the squared squared norm at 1, 2, 3" {
            let point = Hessian.evaluate (Risk.ofFunction quartic) (vector [ 1.0; 2.0; 3.0 ])
            Expect.equal "point.Loss" 196.0 point.Loss
            Expect.tensor 1e-14 [ 3 ] [ 56.0; 112.0; 168.0 ] point.Gradient
            let dense = LinearOperator.dense point.Hessian
            Expect.tensor 1e-14 [ 3; 3 ] [ 64.0; 16.0; 24.0; 16.0; 88.0; 48.0; 24.0; 48.0; 128.0 ] dense
            Expect.within "Exact.trace(point.Hessian).Value" 1e-11 280.0 (Exact.trace(point.Hessian).Value)
        }

        test "quadratic forms agree with products" {
            let hessian =
                Hessian.at
                    (fun x -> Tensor.sum (Tensor.sin (x * Tensor.reverse 0 x)) + quartic x)
                    (vector [ 0.1; -0.4; 0.7 ])

            let z = Matrices.random 7 6 3
            let expected = Tensor.sumAxes [ 1 ] (z * hessian.Apply z)
            Expect.tensorsClose 1e-12 expected (hessian.QuadraticForms.Value z)
        }

        test "a point of any shape is a vector to the operator" {
            let hessian = Hessian.at (fun x -> Tensor.sum (x ** 3.0)) (Tensor.ofArray [ 2; 2 ] [| 1.0 .. 4.0 |])

            Expect.tensorsClose
                1e-13
                (Tensor.eye DType.Float64 4 * vector [ 6.0; 12.0; 18.0; 24.0 ])
                (LinearOperator.dense hessian)
        }

        test "one family serves many points" {
            let family = Hessian.family (Risk.ofFunction quartic)

            for scale in [ 1.0; 2.0 ] do
                let point = family (scale * vector [ 1.0; 2.0; 3.0 ])
                Expect.equal "point.Loss" (196.0 * scale ** 4.0) point.Loss

                Expect.within
                    "Exact.trace(point.Hessian).Value"
                    1e-10
                    (280.0 * scale * scale)
                    (Exact.trace(point.Hessian).Value)
        }

        test "a linear loss has Hessian exactly 0" {
            let hessian = Hessian.at (Tensor.dot (vector [ 1.0; 2.0 ])) (vector [ 3.0; 4.0 ])
            Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ 2; 2 ]) (LinearOperator.dense hessian)
            Expect.equal "Exact.trace(hessian).Value" 0.0 (Exact.trace(hessian).Value)
        }

        test "a loss that is not scalar is refused" {
            Expect.error<ShapeException> [ "Hessian"; "[2]" ] (fun () ->
                Hessian.at Tensor.square (vector [ 1.0; 2.0 ]) |> ignore)
        }

        test "a loss that does not use its point is refused" {
            let constant (_: Tensor) = Tensor.scalar DType.Float64 1.0

            Expect.error<DifferentiationException> [ "does not depend" ] (fun () ->
                Hessian.at constant (vector [ 1.0 ]) |> ignore)
        }

        test "an Int32 point and an empty one are refused" {
            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                Hessian.at Tensor.sum (Tensor.ofIndices [ 1 ] [| 1 |]) |> ignore)

            Expect.error<ShapeException> [ "[0]" ] (fun () ->
                Hessian.at Tensor.sum (Tensor.zeros DType.Float64 [ 0 ]) |> ignore)
        }

        test "NaN in the point, the data or a result is named where it begins" {
            let x = vector [ 1.0; 2.0 ]
            let data = vector [ 1.0; infinity ]
            let evaluate loss point () = Hessian.at loss point |> ignore

            Expect.error<NonFiniteException>
                [ "the point is NaN at element 1" ]
                (evaluate quartic (vector [ 1.0; nan ]))

            Expect.error<NonFiniteException>
                [ "a constant used by Multiply is infinity at element 1" ]
                (evaluate (fun x -> Tensor.sum (x * data)) x)

            Expect.error<NonFiniteException>
                [ "the loss is NaN"; "the result of Log is NaN at element 0" ]
                (evaluate (fun x -> Tensor.sum (Tensor.log (x - 1.5))) x)
        }

        test "NaN that only a derivative has is reported too" {
            let loss (x: Tensor) = Tensor.sum (Tensor.sqrt x)

            Expect.error<NonFiniteException> [ "gradient is infinity at element 0" ] (fun () ->
                Hessian.at loss (vector [ 0.0; 1.0 ]) |> ignore)
        }

        test "least squares has Hessian 2/N XᵀX" {
            let x, y = Matrices.random 8 10 4, Matrices.random 9 10 1 |> Tensor.flatten
            let loss w = Tensor.mean (Tensor.square (Tensor.matmul x w - y))
            let expected = 0.2 * Tensor.matmul (Tensor.transpose x) x
            Expect.tensorsClose 1e-12 expected (LinearOperator.dense (Hessian.at loss (vector [ 0.3; -0.2; 0.1; 0.5 ])))
        }

        test "two linear outputs with summed squares have Hessian 2 I⊗XᵀX" {
            let x, y = Matrices.random 8 10 4, Matrices.random 9 10 2
            // Parameters are a weight [2; 4], as PyTorch lays it out.
            let loss w = Tensor.sum (Tensor.square (Tensor.einsum "ni,oi->no" x (Tensor.reshape [ 2; 4 ] w) - y))
            let gram = LinearOperator.ofSymmetricMatrix (2.0 * Tensor.matmul (Tensor.transpose x) x)
            let expected = LinearOperator.dense (LinearOperator.blockDiagonal [ gram; gram ])

            Expect.tensorsClose
                1e-12
                expected
                (LinearOperator.dense (Hessian.at loss (Tensor.zeros DType.Float64 [ 8 ])))
        }

        test "logistic regression has Hessian XᵀDX/N" {
            let x, w = Matrices.random 10 12 3, vector [ 0.5; -1.0; 0.25 ]
            let signs = Array.init 12 (fun i -> if i % 3 = 0 then 1.0 else -1.0) |> Tensor.ofArray [ 12 ]
            let loss w = Tensor.mean (Tensor.softplus (-signs * Tensor.matmul x w))
            let p = Tensor.sigmoid (Tensor.matmul x w)
            let d = Tensor.unsqueeze 1 (p * (1.0 - p) / 12.0)

            Expect.tensorsClose
                1e-12
                (Tensor.matmul (Tensor.transpose x) (d * x))
                (LinearOperator.dense (Hessian.at loss w))
        }

        test "softmax regression has Hessian 1/N Σ (diag p − ppᵀ)⊗xxᵀ" {
            let x = Matrices.random 11 9 4
            let labels = Tensor.ofIndices [ 9 ] (Array.init 9 (fun i -> i % 3))
            let targets = Tensor.oneHot DType.Float64 3 labels
            let weights = 0.7 * Matrices.random 12 3 4
            let logits w = Tensor.einsum "ni,oi->no" x (Tensor.reshape [ 3; 4 ] w)
            let loss w = Tensor.mean (Tensor.softmaxCrossEntropy (logits w) targets)
            let p = Tensor.softmax (logits (Tensor.flatten weights))
            let covariance = Tensor.unsqueeze 1 p * Tensor.eye DType.Float64 3 - Tensor.einsum "na,nb->nab" p p
            let outer = Tensor.einsum "ni,nj->nij" x x
            let expected = Tensor.einsum "nab,nij->aibj" covariance outer / 9.0 |> Tensor.reshape [ 12; 12 ]
            Expect.tensorsClose 1e-12 expected (LinearOperator.dense (Hessian.at loss (Tensor.flatten weights)))
        }
    ]
