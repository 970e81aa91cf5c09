/// Functions that layers apply to each element.
module Curvature.Tests.Unit.Tensors.ActivationTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private slope = Tensor.ofArray [ 3; 1 ] [| 0.1; -0.4; 2.0 |]

/// The functions, and the formulas of the papers and manuals for one number.
let private functions: (string * (Tensor -> Tensor) * (float -> float)) list =
    let kept low high (x: float) = Math.Min(Math.Max(x, low), high)
    let elu alpha x = if x > 0.0 then x else alpha * (Math.Exp x - 1.0)

    [
        "leakyRelu", Activation.leakyRelu 0.1, (fun x -> if x > 0.0 then x else 0.1 * x)
        "elu", Activation.elu 0.7, elu 0.7
        "selu", Activation.selu, (fun x -> 1.0507009873554805 * elu 1.6732632423543772 x)
        "hardSigmoid", Activation.hardSigmoid 0.2 0.5, (fun x -> kept 0.0 1.0 (0.2 * x + 0.5))
        "hardSwish", Activation.hardSwish, (fun x -> x * kept 0.0 6.0 (x + 3.0) / 6.0)
        "mish", Activation.mish, (fun x -> x * Math.Tanh(Math.Log(1.0 + Math.Exp x)))
        "geluTanh",
        Activation.geluTanh,
        (fun x -> 0.5 * x * (1.0 + Math.Tanh(Math.Sqrt(2.0 / Math.PI) * (x + 0.044715 * Math.Pow(x, 3.0)))))
    ]

let private xs = [| -7.3; -3.1; -2.9; -1.3; -0.4; -1e-3; 0.0; 1e-3; 0.6; 1.7; 2.9; 3.1; 8.0 |]

/// The derivative in forward and in reverse mode, which must agree.
let private slopeAt (f: Tensor -> Tensor) x =
    let at = Tensor.scalar DType.Float64 x
    let forward, reverse = diff f at, grad f at
    Expect.sameBits forward reverse
    forward

[<Tests>]
let tests =
    testList "Unit.Tensors.ActivationTests" [
        test "each function agrees with its formula, in both element types" {
            for name, f, formula in functions do
                let actual: Tensor = f (tensor xs)
                Expect.close 1e-14 (Array.map formula xs) (actual.ToArray())
                let single = f (Tensor.convert DType.Float32 (tensor xs))
                Expect.equal name DType.Float32 single.DType
                Expect.close 1e-6 (Array.map formula xs) (single.ToArray())

            let x = Tensor.ofArray [ 3; 2 ] [| 1.0; -1.0; 2.0; -2.0; 0.0; -3.0 |]
            Activation.prelu slope x |> Expect.tensor 0.0 [ 3; 2 ] [ 1.0; -0.1; 2.0; 0.8; 0.0; -6.0 ]
        }

        test "values of the manuals" {
            let at (f: Tensor -> Tensor) x = float (f (Tensor.scalar DType.Float64 x))
            Expect.within "selu" 1e-12 -1.111330737812562 (at Activation.selu -1.0)
            Expect.within "hardswish" 1e-15 (2.0 / 3.0) (at Activation.hardSwish 1.0)
            Expect.within "mish" 1e-12 0.865098388267 (at Activation.mish 1.0)
            Expect.within "gelu" 1e-12 0.841191990608 (at Activation.geluTanh 1.0)
            Expect.within "hardsigmoid" 1e-15 (2.0 / 3.0) (at (Activation.hardSigmoid (1.0 / 6.0) 0.5) 1.0)
        }

        test "derivatives of every order, away from corners" {
            let x = Tensor.ofArray [ 3; 2 ] [| 0.7; -0.8; 1.4; -1.9; 0.3; -0.5 |]

            for name, f, _ in functions do
                differentiates name f x

            differentiates "prelu" (Activation.prelu slope) x
            differentiates "prelu of the slope" (fun slope -> Activation.prelu (Tensor.tanh slope) x) slope
        }

        test "at a corner the derivative is that of the side below, and that of clip" {
            Expect.scalar 0.0 0.1 (slopeAt (Activation.leakyRelu 0.1) 0.0)
            Expect.scalar 0.0 0.7 (slopeAt (Activation.elu 0.7) 0.0)
            Expect.scalar 1e-15 (1.0507009873554805 * 1.6732632423543772) (slopeAt Activation.selu 0.0)
            Expect.scalar 0.0 -0.3 (slopeAt (Activation.prelu (Tensor.scalar DType.Float64 -0.3)) 0.0)
            Expect.scalar 1e-15 -0.5 (slopeAt Activation.hardSwish -3.0)
            Expect.scalar 1e-15 1.5 (slopeAt Activation.hardSwish 3.0)
            Expect.scalar 0.0 0.5 (slopeAt (Activation.hardSigmoid 0.5 0.5) 1.0)
            Expect.scalar 0.0 0.0 (slopeAt (Activation.hardSigmoid 0.5 0.5) 1.0000001)
        }

        test "large numbers give neither NaN nor infinite derivatives" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let x = tensor [ -1e4; -200.0; 200.0; 1e4 ] |> Tensor.convert dtype

                for name, f, _ in functions do
                    let sum = f >> Tensor.sum
                    let isFinite (t: Tensor) = Array.forall Double.IsFinite (t.ToArray())
                    Expect.isTrue name (isFinite (f x) && isFinite (grad sum x))
                    Expect.isTrue name (isFinite (hessianv sum x (Tensor.onesLike x)))
        }

        test "what is not finite is refused by name" {
            let x = tensor [ 1.0 ]
            let range = Expect.raises<ArgumentRangeException>
            range [ "leakyRelu"; "NaN" ] (fun () -> Activation.leakyRelu nan x)
            range [ "elu"; "alpha" ] (fun () -> Activation.elu infinity x)
            range [ "hardSigmoid"; "offset" ] (fun () -> Activation.hardSigmoid 1.0 nan x)
            let square = Tensor.zeros DType.Float64 [ 2; 2 ]
            Expect.raises<ShapeException> [ "[3; 1]" ] (fun () -> Activation.prelu slope square)
        }
    ]
