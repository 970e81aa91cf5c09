module Curvature.Tests.Unit.ScheduleTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private steps schedule = [ 0..5 ] |> List.map schedule
let private agrees expected schedule = Expect.close 1e-15 (List.toArray expected) (List.toArray (steps schedule))

/// The parameters after steps with the given gradients.
let private after optimizer (theta: Tensor) gradients =
    ((theta, optimizer), gradients)
    ||> List.fold (fun (theta, optimizer) (g: Tensor) -> Optimizer.step optimizer theta g)
    |> fst

let private gradients = [ for seed in 1L .. 6L -> Tensor.normal (Key.OfSeed seed) DType.Float64 [ 3 ] ]
let private theta = tensor [ 1.0; -2.0; 0.5 ]

[<Tests>]
let tests =
    testList "Unit.ScheduleTests" [
        test "schedules have their values at each step" {
            agrees [ 0.5; 0.5; 0.5; 0.5; 0.5; 0.5 ] (LearningRate.constant 0.5)
            agrees [ 1.0; 1.0; 0.1; 0.1; 0.01; 0.01 ] (LearningRate.stepwise 2 0.1)
            agrees [ 1.0; 0.5; 0.25; 0.125; 0.0625; 0.03125 ] (LearningRate.exponential 0.5)
            let half = sqrt 0.5
            let cosine = [ 1.0; 0.55 + 0.45 * half; 0.55; 0.55 - 0.45 * half; 0.1; 0.1 ]
            agrees cosine (LearningRate.cosine 4 0.1)
            agrees [ 0.25; 0.5; 0.75; 1.0; 1.0; 0.5 ] (LearningRate.warmUp 4 (LearningRate.exponential 0.5))
            agrees [ 0.5; 1.0; 1.0; 0.5; 0.0; 0.0 ] (LearningRate.warmUp 2 (LearningRate.cosine 2 0.0))
            let sequence = LearningRate.sequence (LearningRate.constant 0.3) 2 (LearningRate.exponential 0.5)
            agrees [ 0.3; 0.3; 1.0; 0.5; 0.25; 0.125 ] sequence
            let product = LearningRate.product (LearningRate.constant 2.0) (LearningRate.exponential 0.5)
            agrees [ 2.0; 1.0; 0.5; 0.25; 0.125; 0.0625 ] product
        }

        test "a schedule multiplies the rate of each step, and schedules of schedules multiply" {
            for make in
                [
                    Optimizer.adam
                    (fun rate -> Optimizer.momentum rate 0.9)
                    (fun rate -> Optimizer.adamW rate 0.1)
                ] do
                let constant = Optimizer.scheduled (LearningRate.constant 0.5) (make 0.1)
                Expect.tensorsClose 1e-14 (after (make 0.05) theta gradients) (after constant theta gradients)
                let halves = LearningRate.exponential 0.5
                let once = make 0.1 |> Optimizer.scheduled (LearningRate.product halves halves)
                let twice = make 0.1 |> Optimizer.scheduled halves |> Optimizer.scheduled halves
                Expect.sameBits (after once theta gradients) (after twice theta gradients)

            let descent = Optimizer.gradientDescent 0.1 |> Optimizer.scheduled (LearningRate.exponential 0.5)

            let expected =
                (theta, List.indexed gradients)
                ||> List.fold (fun theta (step, g) -> theta - 0.1 * 0.5 ** float step * g)

            Expect.tensorsClose 1e-15 expected (after descent theta gradients)
            let still = Optimizer.adam 0.1 |> Optimizer.scheduled (LearningRate.constant 0.0)
            Expect.sameBits theta (after still theta gradients)
        }

        testCase "AdamW agrees with its loop" (fun () ->
            let alpha, beta1, beta2, epsilon, lambda = 0.01, 0.8, 0.95, 1e-6, 0.3

            let expected =
                [|
                    for i in 0..2 do
                        let mutable x, m, v = theta.ToArray()[i], 0.0, 0.0

                        for t, g in List.indexed gradients do
                            let g = g.ToArray()[i]
                            x <- x - alpha * lambda * x
                            m <- beta1 * m + (1.0 - beta1) * g
                            v <- beta2 * v + (1.0 - beta2) * g * g
                            let step = float (t + 1)
                            let mean, square = m / (1.0 - beta1 ** step), v / (1.0 - beta2 ** step)
                            x <- x - alpha * mean / (sqrt square + epsilon)

                        x
                |]

            let options =
                AdamOptions.Default.WithLearningRate(alpha).WithBeta1(beta1).WithBeta2(beta2).WithEpsilon(epsilon)

            Expect.tensor 1e-14 [ 3 ] expected (after (Optimizer.adamWWith options lambda) theta gradients)
            let without = after (Optimizer.adamWWith options 0.0) theta gradients
            Expect.sameBits (after (Optimizer.adamWith options) theta gradients) without
            let single = Tensor.convert DType.Float32 theta
            let gradients = gradients |> List.map (Tensor.convert DType.Float32)
            Expect.tensor 1e-5 [ 3 ] expected (after (Optimizer.adamWWith options lambda) single gradients))

        test "gradients are clipped by norm or by value before the step" {
            let descent = Optimizer.gradientDescent 1.0
            let zero, g = Tensor.zeros DType.Float64 [ 2 ], tensor [ 3.0; -4.0 ]
            let moved optimizer g = after optimizer zero [ g ]
            Expect.tensor 1e-15 [ 2 ] [ -0.6; 0.8 ] (moved (Optimizer.clipNorm 1.0 descent) g)
            Expect.sameBits (-g) (moved (Optimizer.clipNorm 5.0 descent) g)
            Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] (moved (Optimizer.clipNorm 1.0 descent) zero)
            Expect.tensor 1e-15 [ 2 ] [ -3.0; 3.5 ] (moved (Optimizer.clipValue 3.5 descent) g)
            Expect.tensor 1e-15 [ 2 ] [ -1.0; 1.0 ] (moved (Optimizer.clipValue 1.0 descent) g)
            // The state goes on behind the clipping, and a schedule passes through it.
            let clipped = Optimizer.momentum 0.1 0.5 |> Optimizer.clipValue 1.0
            Expect.tensor 1e-15 [ 2 ] [ -0.25; 0.25 ] (after clipped zero [ g; g ])
            let scheduled = clipped |> Optimizer.scheduled (LearningRate.exponential 0.5)
            Expect.tensor 1e-15 [ 2 ] [ -0.175; 0.175 ] (after scheduled zero [ g; g ])
        }

        test "numbers outside their range are refused" {
            let error fragments (action: unit -> obj) =
                Expect.error<ArgumentRangeException> fragments (action >> ignore)

            error [ "weight decay"; "-1" ] (fun () -> Optimizer.adamW 0.1 -1.0)
            error [ "learning rate" ] (fun () -> Optimizer.adamW 0.0 0.1)
            error [ "clipNorm"; "0" ] (fun () -> Optimizer.clipNorm 0.0 (Optimizer.adam 0.1))
            error [ "clipValue"; "NaN" ] (fun () -> Optimizer.clipValue nan (Optimizer.adam 0.1))
            error [ "constant"; "-1" ] (fun () -> LearningRate.constant -1.0)
            error [ "stepwise"; "0" ] (fun () -> LearningRate.stepwise 0 0.5)
            error [ "exponential"; "NaN" ] (fun () -> LearningRate.exponential nan)
            error [ "cosine"; "0" ] (fun () -> LearningRate.cosine 0 0.5)
            error [ "warmUp"; "-1" ] (fun () -> LearningRate.warmUp -1 (LearningRate.constant 1.0))
            error [ "sequence"; "-1" ] (fun () -> LearningRate.sequence float -1 float)
            let wrong = Optimizer.adam 0.1 |> Optimizer.scheduled (fun step -> 1.0 - 2.0 * float step)
            error [ "step 1"; "-1" ] (fun () -> after wrong theta gradients)
        }
    ]
