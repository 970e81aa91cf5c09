/// Single points where derivatives of powers and norms are easily lost, and indices that are easily not checked.
module Curvature.Tests.Unit.Derivatives.PowerAtZeroTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private at = tensor [ 0.0; 2.0 ]
let private ones = tensor [ 1.0; 1.0 ]

/// Σ xᵖ, with a tensor of exponents.
let private powers (p: float) (x: Tensor) = Tensor.sum (Tensor.Pow(x, Tensor.fullLike x p))

/// Σ 0ʸ.
let private powersOfZero (y: Tensor) = Tensor.sum (Tensor.Pow(Tensor.zerosLike y, y))

let private zeros shape = Tensor.zeros DType.Float64 shape
let private index i = Tensor.ofIndices [ 1 ] [| i |]

let private embedding () =
    let network = Network.ofLayer (Attention.embedding 4 2)
    let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
    Network.forward network theta (Tensor.ofIndices [ 1; 1 ] [| 9 |])

let private outOfRange =
    [
        "take", fun () -> Tensor.take 0 (index 7) (zeros [ 3; 2 ])
        "pick", fun () -> Tensor.pick (index 7) (zeros [ 1; 2 ])
        "scatterAdd", fun () -> Tensor.scatterAdd 0 2 (index 7) (zeros [ 1; 2 ])
        "embedding", embedding
        "oneHot", fun () -> Tensor.oneHot DType.Float64 2 (index 9)
        "item", fun () -> Tensor.item 0 9 (zeros [ 3; 2 ])
        "slice", fun () -> Tensor.slice 0 2 9 (zeros [ 3; 2 ])
    ]

[<Tests>]
let tests =
    testList "Unit.Derivatives.PowerAtZeroTests" [
        test "x to a tensor of ones has the gradient 1 and the Hessian 0 at 0" {
            Expect.close 0.0 [| 1.0; 1.0 |] ((grad (powers 1.0) at).ToArray())
            Expect.close 0.0 [| 0.0; 0.0 |] ((hessianv (powers 1.0) at ones).ToArray())
        }

        test "x to a tensor of twos has the derivatives 0, 2 and 0 at 0" {
            Expect.close 1e-15 [| 0.0; 4.0 |] ((grad (powers 2.0) at).ToArray())
            Expect.close 1e-15 [| 2.0; 2.0 |] ((hessianv (powers 2.0) at ones).ToArray())
            let third = grad (fun x -> quadraticForm (powers 2.0) x (Tensor.onesLike x)) at
            Expect.close 1e-15 [| 0.0; 0.0 |] (third.ToArray())
        }

        test "x to a tensor of zeros has the gradient 0 at 0" {
            Expect.close 0.0 [| 0.0; 0.0 |] ((grad (powers 0.0) at).ToArray())
        }

        test "0 to the y has the derivative 0 in y where y is positive" {
            Expect.close 0.0 [| 0.0 |] ((grad powersOfZero (tensor [ 2.0 ])).ToArray())
        }

        test "x squared has the third derivative 0 at 0" {
            Expect.scalar 0.0 0.0 (diffn 3 (fun x -> x ** 2.0) (Tensor.scalar DType.Float64 0.0))
        }

        test "x to the 2.5 has the second derivative 0 at 0" {
            Expect.scalar 0.0 0.0 (diffn 2 (fun x -> x ** 2.5) (Tensor.scalar DType.Float64 0.0))
        }

        test "a norm in a loss has the gradient of the rest at 0" {
            let gradient = grad (fun x -> Tensor.norm x + Tensor.sum x) (zeros [ 2 ])
            Expect.close 0.0 [| 1.0; 1.0 |] (gradient.ToArray())
        }

        for name, f in outOfRange do
            test $"an index out of range is refused by the library, not by the runtime ({name})" {
                let isRefused =
                    try
                        f () |> ignore
                        false
                    with :? CurvatureException ->
                        true

                Expect.isTrue "a CurvatureException" isRefused
            }
    ]
