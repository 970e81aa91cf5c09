/// What the library returns where a derivative does not exist, and where float32 would overflow or cancel.
module Curvature.Tests.Unit.ConventionTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private number value = Tensor.scalar DType.Float64 value

/// The derivative in forward and in reverse mode, which must agree.
let private slope (f: Tensor -> Tensor) x =
    let forward, reverse = diff f (number x), grad f (number x)
    Expect.sameBits forward reverse
    forward

[<Tests>]
let tests =
    testList "Unit.ConventionTests" [
        test "relu has slope 0 at 0, and no curvature" {
            Expect.scalar 0.0 0.0 (slope Tensor.relu 0.0)
            Expect.scalar 0.0 1.0 (slope Tensor.relu 1e-300)
            Expect.scalar 0.0 0.0 (slope Tensor.relu -1e-300)
            Expect.scalar 0.0 0.0 (hessian Tensor.relu (number 0.0))
            Expect.scalar 0.0 0.0 (quadraticForm Tensor.relu (number 0.0) (number 1.0))
        }

        test "|x| has slope 0 at 0" {
            Expect.scalar 0.0 0.0 (slope abs 0.0)
            Expect.scalar 0.0 1.0 (slope abs 0.5)
            Expect.scalar 0.0 -1.0 (slope abs -0.5)
        }

        test "steps have slope 0" {
            for f in
                [
                    Tensor.sign
                    Tensor.floor
                    (fun x -> Tensor.greater x (Tensor.zerosLike x))
                    (fun x -> Tensor.equal x x)
                ] do
                for x in [ -0.5; 0.0; 1.0 ] do
                    Expect.scalar 0.0 0.0 (slope f x)
        }

        test "of equal arguments of max and min each carries half" {
            for f in [ Tensor.maximum; Tensor.minimum ] do
                Expect.scalar 0.0 0.5 (slope (fun x -> f x (number 2.0)) 2.0)
                Expect.scalar 0.0 0.5 (slope (f (number 2.0)) 2.0)
                // Both arguments move: the halves add up.
                Expect.scalar 0.0 1.0 (slope (fun x -> f x x) 2.0)

            Expect.scalar 0.0 1.0 (slope (Tensor.maximum (number 1.0)) 2.0)
            Expect.scalar 0.0 0.0 (slope (Tensor.minimum (number 1.0)) 2.0)
        }

        test "the derivative of a row's maximum goes to the first of equal ones" {
            let x = tensor [ [ 1.0; 5.0; 5.0 ]; [ 7.0; 2.0; 7.0 ] ]
            Expect.tensor 0.0 [ 2 ] [ 5.0; 7.0 ] (Tensor.max x)
            Expect.tensor 0.0 [ 2; 3 ] [ 0.0; 1.0; 0.0; 1.0; 0.0; 0.0 ] (grad (Tensor.max >> Tensor.sum) x)
        }

        test "a branch not taken whose argument is guarded does not spread its infinite derivative" {
            let root (x: Tensor) =
                let zero = Tensor.zerosLike x
                let isPositive = Tensor.greater x zero
                Tensor.where isPositive (sqrt (Tensor.where isPositive x (x + 1.0))) zero

            Expect.scalar 0.0 0.0 (slope root 0.0)
            Expect.scalar 1e-15 0.25 (slope root 4.0)
            // Forward mode does without the guard.
            Expect.scalar 0.0 0.0 (diff (fun x -> Tensor.where x (sqrt x) (Tensor.zerosLike x)) (number 0.0))
        }

        test "values of a branch not taken do not matter" {
            let f (x: Tensor) = Tensor.where (Tensor.greater x (Tensor.zerosLike x)) (log x) x
            Expect.tensor 1e-15 [ 2 ] [ -2.0; log 3.0 ] (f (tensor [ -2.0; 3.0 ]))
            Expect.tensor 1e-15 [ 2 ] [ 1.0; 1.0 / 3.0 ] (grad (f >> Tensor.sum) (tensor [ -2.0; 3.0 ]))
        }

        test "0 to a power does not change with a positive exponent" {
            let gradient = grad (fun b -> Tensor.sum (Tensor.Pow(Tensor.zerosLike b, b))) (tensor [ 0.5; 2.0 ])
            Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] gradient
        }

        test "logsumexp shifts each row by its own maximum" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let rows = tensor [ [ 0.0; 0.0 ]; [ 200.0; 200.0 ] ] |> Tensor.convert dtype
                let tolerance = if dtype = DType.Float32 then 1e-7 else 1e-15
                Expect.tensor tolerance [ 2 ] [ log 2.0; 200.0 + log 2.0 ] (Tensor.logSumExp rows)
                Expect.tensor tolerance [ 2; 2 ] [ 0.5; 0.5; 0.5; 0.5 ] (Tensor.softmax rows)
                Expect.tensor tolerance [ 2; 2 ] [ 0.5; 0.5; 0.5; 0.5 ] (grad (Tensor.logSumExp >> Tensor.sum) rows)
                Expect.tensor tolerance [ 2; 2 ] (Array.create 4 (-log 2.0)) (Tensor.logSoftmax rows)
        }

        test "logsumexp of nothing but −∞ is −∞, and of anything with ∞ is ∞" {
            let low, high = Double.NegativeInfinity, Double.PositiveInfinity

            for dtype in [ DType.Float32; DType.Float64 ] do
                let rows = tensor [ [ low; low ]; [ low; 1.0 ]; [ 3.0; high ] ] |> Tensor.convert dtype
                Expect.tensor 0.0 [ 3 ] [ low; 1.0; high ] (Tensor.logSumExp rows)
        }

        test "a masked class of no weight costs nothing" {
            let logits = tensor [ Double.NegativeInfinity; 0.0; 0.0 ]
            let targets = tensor [ 0.0; 1.0; 0.0 ]
            Expect.scalar 1e-15 (log 2.0) (Tensor.softmaxCrossEntropy logits targets)
            Expect.tensor 1e-15 [ 3 ] [ 0.0; -0.5; 0.5 ] (grad (fun x -> Tensor.softmaxCrossEntropy x targets) logits)
        }

        test "softmax cross-entropy with large logits is as good in float32 as in float64" {
            let logits = tensor [ [ 1000.0; 0.0; -1000.0 ]; [ -50.0; 60.0; 59.0 ]; [ 3e4; 3e4; 0.0 ] ]
            let targets = tensor [ [ 0.0; 1.0; 0.0 ]; [ 0.2; 0.3; 0.5 ]; [ 1.0; 0.0; 0.0 ] ]
            let loss q x = Tensor.softmaxCrossEntropy x q |> Tensor.sum
            let single = Tensor.convert DType.Float32
            let v = tensor [ [ 1.0; 2.0; 3.0 ]; [ -1.0; 0.5; 0.0 ]; [ 1.0; -1.0; 0.0 ] ]

            Expect.tensor
                1e-15
                [ 3 ]
                [ 1000.0; 22.5 + log (1.0 + exp -1.0); log 2.0 ]
                (Tensor.softmaxCrossEntropy logits targets)

            Expect.tensor
                1e-7
                [ 3 ]
                ((Tensor.softmaxCrossEntropy logits targets).ToArray())
                (Tensor.softmaxCrossEntropy (single logits) (single targets))

            let wide, narrow = loss targets, loss (single targets)
            Expect.tensor 1e-6 [ 3; 3 ] ((grad wide logits).ToArray()) (grad narrow (single logits))

            Expect.tensor
                1e-6
                [ 3; 3 ]
                ((hessianv wide logits v).ToArray())
                (hessianv narrow (single logits) (single v))

            Expect.tensor
                1e-6
                []
                ((quadraticForm wide logits v).ToArray())
                (quadraticForm narrow (single logits) (single v))
        }

        test "functions that saturate do so without NaN, with their derivatives" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let x = tensor [ -1e4; -200.0; 200.0; 1e4 ] |> Tensor.convert dtype

                let check expected slopes f =
                    Expect.tensor 1e-7 [ 4 ] expected (f x)
                    Expect.tensor 1e-7 [ 4 ] slopes (grad (f >> Tensor.sum) x)
                    let curvature = hessianv (f >> Tensor.sum) x (Tensor.onesLike x)
                    Expect.tensor 1e-7 [ 4 ] [ 0.0; 0.0; 0.0; 0.0 ] curvature

                check [ -1.0; -1.0; 1.0; 1.0 ] [ 0.0; 0.0; 0.0; 0.0 ] tanh
                check [ 0.0; 0.0; 1.0; 1.0 ] [ 0.0; 0.0; 0.0; 0.0 ] Tensor.sigmoid
                check [ -1.0; -1.0; 1.0; 1.0 ] [ 0.0; 0.0; 0.0; 0.0 ] Tensor.erf
                check [ 0.0; 0.0; 200.0; 1e4 ] [ 0.0; 0.0; 1.0; 1.0 ] Tensor.softplus
        }

        test "expm1 and log1p keep the digits near 0" {
            let x = number 1e-12
            Expect.close 0.0 [| 1.0 |] [| (Tensor.expm1 x).ToScalar() / (1e-12 + 5e-25) |]
            Expect.close 0.0 [| 1.0 |] [| (Tensor.log1p x).ToScalar() / (1e-12 - 5e-25) |]
        }
    ]
