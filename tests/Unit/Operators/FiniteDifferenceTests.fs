module Curvature.Tests.Unit.FiniteDifferenceTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private relative (expected: Tensor) (actual: Tensor) =
    let expected, actual = Tensor.convert DType.Float64 expected, Tensor.convert DType.Float64 actual
    (Tensor.norm (actual - expected)).ToScalar() / (Tensor.norm expected).ToScalar()

[<Tests>]
let tests =
    testList "Unit.FiniteDifferenceTests" [
        for dtype, tolerance in [ DType.Float64, 1e-8; DType.Float32, 5e-3 ] do
            test $"differences of gradients agree with products ({dtype}, {tolerance})" {
                let loss =
                    SmallNetwork.model
                    >> fun z -> Tensor.mean (Tensor.square (z - Tensor.convert dtype SmallNetwork.targets))

                let theta = SmallNetwork.theta dtype
                let exact, differences = Hessian.at loss theta, FiniteDifference.hessian loss theta
                let z = Matrices.random 77 4 26 |> Tensor.convert dtype

                for scale in [ 1.0; 1e-6; 1e6 ] do
                    let error = relative (exact.Apply(scale * z)) (differences.Apply(scale * z))
                    Expect.isTrue $"{dtype}, vectors times {scale}: off by {error}" (error < tolerance)
            }

        test "a fixed step of 1e-6 is noise in single precision, where the chosen step is not" {
            let loss (x: Tensor) = Tensor.sum (Tensor.exp (Tensor.sin x))
            let theta = Tensor.ofArray [ 50 ] (Array.init 50 float) |> Tensor.convert DType.Float32
            let v = Tensor.ofArray [ 50 ] (Array.init 50 (fun i -> cos (float i))) |> Tensor.convert DType.Float32
            let exact = (Hessian.at loss theta).Apply v
            let fixedStep = (grad loss (theta + 1e-6 * v) - grad loss (theta - 1e-6 * v)) / 2e-6
            Expect.isTrue "the fixed step is noise" (relative exact fixedStep > 0.5)

            Expect.isTrue
                "the chosen step is not"
                (relative exact ((FiniteDifference.hessian loss theta).Apply v) < 0.02)
        }

        testCase "a gradient from elsewhere is enough, and its calls are counted" (fun () ->
            let mutable calls = 0

            let gradient (x: Tensor) =
                calls <- calls + 1
                4.0 * x * x * x

            let hessian = FiniteDifference.ofGradient gradient (Tensor.ofArray [ 3 ] [| 1.0; 2.0; 3.0 |])
            calls <- 0
            let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 2) (Key.OfSeed 78L) hessian
            Expect.close 1e-7 [| 12.0; 48.0; 108.0 |] (diagonal.Value.ToArray())
            Expect.equal "calls, diagonal.Matvecs" (4, 2) (calls, diagonal.Matvecs))

        test "zero vectors give zeros, and wrong gradients errors" {
            let theta = Tensor.ofArray [ 2 ] [| 1.0; 2.0 |]
            let hessian = FiniteDifference.ofGradient Tensor.square theta
            Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ 2 ]) (hessian.Apply(Tensor.zeros DType.Float64 [ 2 ]))

            Expect.error<ShapeException> [ "Float64[2]"; "Float64[]" ] (fun () ->
                FiniteDifference.ofGradient Tensor.sum theta |> ignore)

            Expect.error<NonFiniteException> [ "gradient is NaN" ] (fun () ->
                FiniteDifference.ofGradient (fun x -> Tensor.log (x - 5.0)) theta |> ignore)
        }

        test "the step follows the scale of the function and of the point" {
            let gradient (length: float) (x: Tensor) = Tensor.sin (x / length) / length
            let at = Tensor.ofArray [ 4 ] [| 1.0; 2.0; 3.0; 4.0 |]
            let small, large = FiniteDifference.step (gradient 0.1) at, FiniteDifference.step (gradient 10.0) at
            Expect.isTrue $"{small} for a length of 0.1, {large} for 10" (small < large)
            let single = FiniteDifference.step (gradient 1.0) (Tensor.convert DType.Float32 at)
            let double = FiniteDifference.step (gradient 1.0) at
            Expect.isTrue $"{single} in Float32, {double} in Float64" (single > 20.0 * double)
        }

        test "a quadratic loss has its Hessian to rounding, a linear one nearly zero" {
            let a = Matrices.symmetric 79 5
            let loss (x: Tensor) = 0.5 * Tensor.dot x (Tensor.matmul a x)
            let theta = Tensor.flatten (Matrices.random 78 1 5)
            Expect.tensorsClose 1e-10 a (LinearOperator.dense (FiniteDifference.hessian loss theta))
            let flat = FiniteDifference.hessian (fun x -> Tensor.sum (3.0 * x)) theta
            Expect.tensorsClose 1e-8 (Tensor.zeros DType.Float64 [ 5; 5 ]) (LinearOperator.dense flat)
        }

        test "vectors of any size, and none" {
            let loss (x: Tensor) = Tensor.sum (Tensor.exp x)
            let theta = Tensor.ofArray [ 2 ] [| 0.0; 1.0 |]
            let hessian = FiniteDifference.hessian loss theta
            let e = exp 1.0

            for size in [ 1e-200; 1.0; 1e200 ] do
                let product = hessian.Apply(Tensor.full DType.Float64 [ 2 ] size) / size
                Expect.tensorsClose 1e-7 (Tensor.ofArray [ 2 ] [| 1.0; e |]) product

            Expect.equal
                "(hessian.Apply(Tensor.zeros DTy…"
                [| 0; 2 |]
                (hessian.Apply(Tensor.zeros DType.Float64 [ 0; 2 ])).Shape
        }

        test "a loss that asks for values, and one that is random" {
            let theta = Tensor.ofArray [ 2 ] [| 1.0; 2.0 |]

            let asking (x: Tensor) = if (Tensor.sum x).ToScalar() > 0.0 then Tensor.sum (x * x) else Tensor.sum x

            Expect.tensorsClose
                1e-9
                (2.0 * Tensor.eye DType.Float64 2)
                (LinearOperator.dense (FiniteDifference.hessian asking theta))

            let random = Random 1
            let dropout (x: Tensor) = Tensor.sum (x * x) * random.NextDouble()

            Expect.error<DifferentiationException> [ "different results" ] (fun () ->
                FiniteDifference.hessian dropout theta |> ignore)
        }
    ]
