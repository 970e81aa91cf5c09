/// Estimates that are differentiated: the key holds the random vectors fixed, so that finite differences see the same
/// function.
module Curvature.Tests.Unit.StochasticTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 31L
let private n = 9
let private theta = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ n ]
let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 12; 3 ]
let private targets = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 12 ]

/// A network of one hidden layer, squared loss.
let private loss (theta: Tensor) =
    let hidden = Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 3; 3 ] theta))
    Tensor.mean (Tensor.square (Tensor.sumAxes [ 1 ] hidden - targets))

/// Central differences of a scalar function, to about 1e-9.
let private differences (f: Tensor -> Tensor) (x: Tensor) =
    let h = 1e-4
    let basis i = Tensor.ofArray [ x.Size ] (Array.init x.Size (fun j -> if i = j then h else 0.0))
    let at (d: Tensor) = (f (x + d)).ToScalar()

    Array.init x.Size (fun i ->
        let near, far = at (basis i) - at (-(basis i)), at (2.0 * basis i) - at (-2.0 * basis i)
        (8.0 * near - far) / (12.0 * h))

let private agrees (f: Tensor -> Tensor) = Expect.close 1e-8 (differences f theta) ((grad f theta).ToArray())

[<Tests>]
let tests =
    testList "Unit.StochasticTests" [
        test "the gradient of a trace is that of finite differences" {
            agrees (Stochastic.laplacian 5 key loss)
            agrees (Stochastic.laplacianWith Probe.gaussian 2 key loss)
            agrees (fun t -> Stochastic.trace 4 key t (hessianv loss t))
            // As part of a loss.
            agrees (fun t -> loss t + 0.1 * Stochastic.laplacian 3 key loss t)
        }

        test "the gradient of a diagonal is that of finite differences" {
            let weights = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ n ]
            agrees (fun t -> Tensor.dot weights (Stochastic.hessianDiagonal 5 key loss t))
            agrees (fun t -> Tensor.sum (Tensor.square (Stochastic.diagonal 3 key t (hessianv loss t))))
        }

        test "the gradient of a divergence is that of finite differences" {
            let field (t: Tensor) = Tensor.sin t * Tensor.sum (Tensor.square t)
            agrees (Stochastic.divergence 5 key field)

            let points = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 7; 3 ]

            let alongPoints (t: Tensor) =
                let field (x: Tensor) = Tensor.tanh (Tensor.matmul (Tensor.reshape [ 3; 3 ] t) x)
                let value, divergence = Stochastic.fdivergenceAtPoints 2 key field points
                Tensor.sum (Tensor.square divergence) + Tensor.sum (Tensor.exp value)

            agrees alongPoints
        }

        test "values and divergence at points are those of the field at each" {
            let points = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 7; 3 ]
            let field (x: Tensor) = Tensor.sin x * Tensor.sum (Tensor.square x)
            let value, divergence = Stochastic.fdivergenceAtPoints 8 key field points
            Expect.tensorsClose 1e-14 (vmap field points) value
            let estimates = Divergence.hutchinsonAtPoints (StoppingRule.matvecs 8) key field points
            Expect.close 1e-12 (estimates |> Array.map _.Value) (divergence.ToArray())
        }

        test "second derivatives of estimates agree with differences of the first" {
            let penalty = Stochastic.laplacian 2 key loss
            let v = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ n ]
            let slope (t: Tensor) = Tensor.dot v (grad penalty t)
            Expect.close 1e-7 (differences slope theta) ((hessianv penalty theta v).ToArray())

            Expect.close 1e-10 [| (Tensor.dot v (hessianv penalty theta v)).ToScalar() |] [|
                (quadraticForm penalty theta v).ToScalar()
            |]
        }

        test "the values are those of estimates from an operator with the same key" {
            let operator, stop = Hessian.at loss theta, StoppingRule.matvecs 400
            let trace = Hutchinson.trace stop key operator
            Expect.close 1e-10 [| trace.Value |] [| (Stochastic.laplacian 400 key loss theta).ToScalar() |]
            let diagonal = Hutchinson.diagonal stop key operator
            Expect.close 1e-10 (diagonal.Value.ToArray()) ((Stochastic.hessianDiagonal 400 key loss theta).ToArray())
            let divergence = Divergence.hutchinson stop key Tensor.tanh theta
            Expect.close 1e-10 [| divergence.Value |] [| (Stochastic.divergence 400 key Tensor.tanh theta).ToScalar() |]
        }

        test "points of any shape have estimates in that shape" {
            let f (x: Tensor) = Tensor.sum (x * x * x)
            let x = Tensor.normal (Key.OfSeed 8L) DType.Float32 [ 2; 3 ]
            // Signs see a diagonal Hessian without variance.
            Expect.tensorsClose 1e-6 (6.0 * x) (Stochastic.hessianDiagonal 1 key f x)
            Expect.close 1e-5 [| (Tensor.sum (6.0 * x)).ToScalar() |] [| (Stochastic.laplacian 1 key f x).ToScalar() |]
            Expect.close 1e-6 [| 3.0 |] [| (Stochastic.divergence 2 key (fun x -> 3.0 * x) (tensor 1.0)).ToScalar() |]
        }

        test "no samples, whole numbers and fields of another shape are typed errors" {
            Expect.error<ArgumentRangeException> [ "laplacian"; "0" ] (fun () ->
                Stochastic.laplacian 0 key loss theta |> ignore)

            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                Stochastic.laplacian 1 key Tensor.sum (Tensor.ofIndices [ 2 ] [| 1; 2 |]) |> ignore)

            Expect.error<ShapeException> [] (fun () -> Stochastic.divergence 1 key (Tensor.slice 0 0 2) theta |> ignore)

            Expect.error<ShapeException> [ "stack" ] (fun () ->
                Stochastic.fdivergenceAtPoints 1 key id (tensor 1.0) |> ignore)
        }
    ]
