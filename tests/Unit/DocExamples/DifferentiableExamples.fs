/// The F# of docs/differentiable.md.
module DocExamples.DifferentiableExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 9L
let private theta = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 4 ]
let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 10; 4 ]
let private model theta = Tensor.tanh (Tensor.matmul inputs theta)
let private loss theta = Tensor.sum (Tensor.square (model theta))

/// The same function with the same key: its difference along the gradient.
let private check (f: Tensor -> Tensor) (gradient: Tensor) =
    let h = 1e-5
    let difference = (f (theta + h * gradient) - f (theta - h * gradient)).ToScalar() / (2.0 * h)
    Expect.close 1e-6 [| (Tensor.dot gradient gradient).ToScalar() |] [| difference |]

[<Tests>]
let tests =
    testList "DocExamples.DifferentiableExamples" [
        test "training with a penalty on the trace" {
            let objective key theta = loss theta + 0.01 * Stochastic.laplacian 1 key loss theta
            let gradient = grad (objective (Key.OfSeed 1L)) theta

            check (objective (Key.OfSeed 1L)) gradient
        }

        test "diagonals, and linear functions of one's own" {
            let diagonal = Stochastic.hessianDiagonal 8 key loss theta

            let gaussNewton theta v = jacobianTv model theta (2.0 * jacobianv model theta v)
            let trace theta = Stochastic.trace 8 key theta (gaussNewton theta)
            let ofTrace = grad trace theta

            check trace ofTrace

            Expect.close 1e-10 [| (Tensor.sum diagonal).ToScalar() |] [|
                (Stochastic.laplacian 8 key loss theta).ToScalar()
            |]
        }

        test "continuous normalizing flows" {
            let points = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 5; 2 ]
            let field theta point = Tensor.tanh (Tensor.matmul (Tensor.reshape [ 2; 2 ] theta) point)
            let velocity, divergence = Stochastic.fdivergenceAtPoints 1 key (field theta) points

            Expect.tensorsClose 1e-14 (vmap (field theta) points) velocity
            Expect.equal "divergence.Shape" [| 5 |] divergence.Shape
        }
    ]
