/// Functions of elements that are composed of others.
module Curvature.Tests.Unit.Tensors.TensorElementTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private values = [| 0.37; -0.81; 0.0; 1e-9; -1e-9; 1.0; -1.0; 2.5; 40.0; -40.0; 1e-300 |]

/// A function agrees with that of .NET to this relative error, in Float64 and in Float32.
let private agrees (name: string) (f: Tensor -> Tensor) (reference: float -> float) (tolerance: float) (xs: float[]) =
    let relative (expected: float) actual =
        expected.Equals actual || expected = actual || abs (actual - expected) <= tolerance * abs expected

    for x, actual in Array.zip xs ((f (tensor xs)).ToArray()) do
        let expected = reference x
        Expect.isTrue $"{name} {x}: {actual} for {expected}" (relative expected actual)

    let singles = Array.map float32 xs
    let result: Tensor = f (tensor singles)
    Expect.equal "result.DType" DType.Float32 result.DType

    for x, actual in Array.zip singles (result.ToArray()) do
        let expected = float (float32 (reference (float x)))
        let error = abs (actual - expected)
        let close = expected.Equals actual || expected = actual || error <= 1e-6 * abs expected + 1e-37
        Expect.isTrue $"{name} {x} in Float32: {actual} for {expected}" close

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorElementTests" [
        test "trigonometric and hyperbolic functions agree with those of NET, with relative precision" {
            let inUnit = values |> Array.filter (fun x -> abs x <= 1.0)
            let hyperbolic = Array.append values [| 709.9; -709.9; 711.0; nan; infinity; -infinity |]
            agrees "tan" Tensor.tan Math.Tan 1e-15 values
            agrees "sinh" Tensor.sinh Math.Sinh 4e-15 hyperbolic
            agrees "cosh" Tensor.cosh Math.Cosh 4e-15 hyperbolic
            agrees "atan" Tensor.atan Math.Atan 1e-15 (Array.append values [| infinity; -infinity; nan |])
            agrees "asin" Tensor.asin Math.Asin 1e-15 (Array.append inUnit [| 0.999999; 1.5; -2.0; nan |])
            agrees "acos" Tensor.acos Math.Acos 1e-15 (Array.append inUnit [| 0.999999; 1.5; -2.0; nan |])
        }

        test "atan2 knows its quadrant, and takes y first" {
            for y in [ 0.0; 1.0; -2.0; -0.0; infinity; nan ] do
                for x in [ 0.0; 1.0; -2.0; -0.0; -infinity; nan ] do
                    Expect.scalar 1e-15 (Math.Atan2(y, x)) (Tensor.atan2 (tensor y) (tensor x))

            let column, row = tensor [ [ 1.0 ]; [ -1.0 ] ], tensor [ 2.0; -2.0 ]

            let expected =
                [
                    for y in [ 1.0; -1.0 ] do
                        for x in [ 2.0; -2.0 ] -> Math.Atan2(y, x)
                ]

            Expect.tensor 1e-15 [ 2; 2 ] expected (Tensor.atan2 column row)
        }

        test "steps agree with those of NET" {
            let large = [| 4503599627370495.5; 4503599627370497.0; 1e300; -1e300; infinity; -infinity; nan |]
            let halves = [| 0.5; -0.5; 1.5; -1.5; 2.5; -2.5; 0.49999999999999994; -0.49999999999999994; 1e-20; -1e-20 |]
            let xs = Array.concat [ values; large; halves ]
            Expect.close 0.0 (Array.map (fun (x: float) -> Math.Round x) xs) ((Tensor.round (tensor xs)).ToArray())
            Expect.close 0.0 (Array.map (fun (x: float) -> Math.Ceiling x) xs) ((Tensor.ceil (tensor xs)).ToArray())
            let mask condition = if condition then 1.0 else 0.0
            Expect.close 0.0 (Array.map (Double.IsNaN >> mask) xs) ((Tensor.isNaN (tensor xs)).ToArray())
            Expect.close 0.0 (Array.map (Double.IsFinite >> mask) xs) ((Tensor.isFinite (tensor xs)).ToArray())

            let singles = [| 0.49999997f; 8388607.5f; 8388609.0f; 2.5f; -3.5f; 1e-8f; -1e-8f |]

            Expect.close
                0.0
                (Array.map (fun (x: float32) -> float (MathF.Round x)) singles)
                ((Tensor.round (tensor singles)).ToArray())
        }

        test "clip keeps what lies between, and NaN" {
            let clipped = Tensor.clip -1.0 2.0 (tensor [ -3.0; -1.0; 0.5; 2.0; 7.0; nan; -infinity ])
            Expect.tensor 0.0 [ 7 ] [ -1.0; -1.0; 0.5; 2.0; 2.0; nan; -1.0 ] clipped
            Expect.tensor 0.0 [ 2 ] [ 3.0; 3.0 ] (Tensor.clip 3.0 3.0 (tensor [ 1.0f; 5.0f ]))
        }

        test "the derivative of clip is 1 on the closed interval and 0 outside" {
            let slopes = grad (Tensor.clip -1.0 2.0 >> Tensor.sum) (tensor [ -3.0; -1.0; 0.5; 2.0; 7.0 ])
            Expect.tensor 0.0 [ 5 ] [ 0.0; 1.0; 1.0; 1.0; 0.0 ] slopes
        }

        test "smooth functions have all derivatives" {
            let constant = tensor 0.6

            for name, f in
                [
                    "tan", Tensor.tan
                    "sinh", Tensor.sinh
                    "cosh", Tensor.cosh
                    "asin", Tensor.asin
                    "acos", Tensor.acos
                    "atan", Tensor.atan
                    "atan2 of x and a constant", (fun x -> Tensor.atan2 x constant)
                    "atan2 of a constant and x", (fun x -> Tensor.atan2 constant x)
                    "atan2 of x and x²", (fun x -> Tensor.atan2 x (x * x))
                    "clip of a cube", (fun x -> Tensor.clip -0.3 0.25 (x * x * x))
                ] do
                points |> List.iter (differentiates name f)
        }

        test "functions with steps have no slope" {
            for name, f in
                [ "round", Tensor.round; "ceil", Tensor.ceil; "isNaN", Tensor.isNaN; "isFinite", Tensor.isFinite ] do
                points |> List.iter (hasNoSlope name f)
        }

        test "derivatives at special points" {
            let slope f x = (diff f (tensor x)).ToScalar()
            // The derivative of cosh keeps its digits near 0.
            Expect.isTrue "cosh′(1e-10) = sinh 1e-10" (abs (slope Tensor.cosh 1e-10 - 1e-10) < 1e-25)
            Expect.equal "slope Tensor.sinh 0.0" 1.0 (slope Tensor.sinh 0.0)
            Expect.equal "slope Tensor.asin 0.0" 1.0 (slope Tensor.asin 0.0)
            Expect.equal "slope Tensor.acos 0.0" -1.0 (slope Tensor.acos 0.0)
            Expect.equal "slope Tensor.asin 1.0" infinity (slope Tensor.asin 1.0)
            Expect.equal "slope Tensor.acos -1.0" -infinity (slope Tensor.acos -1.0)
            let angle (p: Tensor) = Tensor.atan2 p[1] p[0]
            Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] (grad angle (tensor [ 0.0; 0.0 ]))
            Expect.tensor 1e-15 [ 2 ] [ -0.25; 0.0 ] (grad angle (tensor [ 0.0; 4.0 ]))
            Expect.tensor 0.0 [ 4 ] [ 0.0; 0.0; 0.0; 0.0 ] (Tensor.flatten (hessian angle (tensor [ 0.0; 0.0 ])))
        }

        test "a number may stand beside a tensor" {
            let x = tensor [ 1.0; -2.0; 3.0 ]
            let single = tensor [ 1.0f; -2.0f ]
            Expect.tensor 0.0 [ 3 ] [ 1.0; 0.0; 3.0 ] (Tensor.maximum x 0.0)
            Expect.tensor 0.0 [ 3 ] [ 0.0; -2.0; 0.0 ] (Tensor.minimum 0.0 x)
            Expect.tensor 0.0 [ 3 ] [ 0.0; 0.0; 1.0 ] (Tensor.greater x 1.0)
            Expect.tensor 0.0 [ 3 ] [ 1.0; 1.0; 0.0 ] (Tensor.greaterOrEqual 1.0 x)
            Expect.tensor 0.0 [ 3 ] [ 1.0; 0.0; 0.0 ] (Tensor.equal x 1.0)
            Expect.tensor 0.0 [ 3 ] [ 1.0; 7.0; 3.0 ] (Tensor.where (Tensor.greater x 0.0) x 7.0)
            Expect.tensor 0.0 [ 3 ] [ 7.0; -2.0; 7.0 ] (Tensor.where (Tensor.greater x 0.0) 7.0 x)
            Expect.tensor 0.0 [ 3 ] [ 7.0; 8.0; 7.0 ] (Tensor.where (Tensor.greater x 0.0) 7.0 8.0)
            Expect.equal "(Tensor.maximum single 0.5).DTy…" DType.Float32 (Tensor.maximum single 0.5).DType

            Expect.tensor
                0.0
                [ 2 ]
                [ 0.5; 0.5 ]
                (grad (fun x -> Tensor.sum (Tensor.maximum x 0.0)) (tensor [ 0.0; 0.0 ]))

            Expect.tensor
                0.0
                [ 2 ]
                [ 1.0; 0.0 ]
                (grad (fun x -> Tensor.sum (Tensor.maximum 0.5 x)) (tensor [ 2.0; 0.0 ]))

            // Two tensors as before, also where the function is an argument.
            Expect.tensor 0.0 [ 3 ] [ 2.0; 2.0; 3.0 ] (Tensor.maximum x (tensor 2.0))
            Expect.tensor 0.0 [ 3 ] [ 5.0; 5.0; 5.0 ] ([ x; tensor 5.0; -x ] |> List.reduce Tensor.maximum)
        }

        test "wrong operands are named" {
            let whole = tensor [ 1; 2 ]

            Expect.raises<ArgumentRangeException> [ "clip"; "low"; "2"; "1" ] (fun () ->
                Tensor.clip 2.0 1.0 points.Head)

            Expect.raises<ArgumentRangeException> [ "clip" ] (fun () -> Tensor.clip nan 1.0 points.Head)
            Expect.raises<DTypeException> [ "Int32" ] (fun () -> Tensor.round whole)
            Expect.raises<DTypeException> [ "Int32" ] (fun () -> Tensor.atan2 whole whole)
            Expect.raises<DTypeException> [ "Float32"; "Float64" ] (fun () -> Tensor.atan2 (tensor 1.0f) (tensor 1.0))
            Expect.raises<DTypeException> [ "linspace"; "Int32" ] (fun () -> Tensor.linspace DType.Int32 0.0 1.0 3)
        }

        test "linspace has the element type that is asked for" {
            Expect.tensor 0.0 [ 3 ] [ 0.0; 0.5; 1.0 ] (Tensor.linspace DType.Float64 0.0 1.0 3)
            Expect.equal "(Tensor.linspace DType.Float32…" DType.Float32 (Tensor.linspace DType.Float32 0.0 1.0 3).DType
        }
    ]
