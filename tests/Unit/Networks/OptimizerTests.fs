module Curvature.Tests.Unit.OptimizerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Tests>]
let tests =
    testList "Unit.OptimizerTests" [
        test "Adam's first step is the learning rate against the sign of the gradient" {
            let theta = tensor [ 1.0; 2.0; 3.0 ]
            let gradient = tensor [ 100.0; -1e-3; 0.0 ]
            let options = AdamOptions.Default.WithLearningRate(0.1).WithEpsilon(1e-5)
            let next, state = Adam.step options (Adam.start theta) theta gradient
            // With the moments corrected for their start at 0, m̂ = g and v̂ = g², whatever β₁ and β₂ are.
            let expected = [ 1.0 - 0.1 * 100.0 / (100.0 + 1e-5); 2.0 + 0.1 * 1e-3 / (1e-3 + 1e-5); 3.0 ]
            Expect.tensor 1e-14 [ 3 ] expected next
            Expect.tensor 1e-14 [ 3 ] [ 10.0; -1e-4; 0.0 ] state.FirstMoment
            Expect.tensor 1e-14 [ 3 ] [ 10.0; 1e-9; 0.0 ] state.SecondMoment
            Expect.isTrue $"{state.Steps}" (state.Steps = 1)
        }

        testCase "Adam's third step agrees with its formulas" (fun () ->
            let alpha, beta1, beta2, epsilon = 0.01, 0.8, 0.95, 1e-8
            let gradients = [ 2.0; -1.0; 0.5 ]

            let expected =
                let mutable theta, m, v = 1.0, 0.0, 0.0

                for t, g in List.indexed gradients do
                    m <- beta1 * m + (1.0 - beta1) * g
                    v <- beta2 * v + (1.0 - beta2) * g * g
                    let step = float (t + 1)
                    let m, v = m / (1.0 - beta1 ** step), v / (1.0 - beta2 ** step)
                    theta <- theta - alpha * m / (sqrt v + epsilon)

                theta

            let options =
                AdamOptions.Default.WithLearningRate(alpha).WithBeta1(beta1).WithBeta2(beta2).WithEpsilon(epsilon)

            let theta, _ =
                ((tensor [ 1.0 ], Optimizer.adamWith options), gradients)
                ||> List.fold (fun (theta, optimizer) g -> Optimizer.step optimizer theta (tensor [ g ]))

            Expect.tensor 1e-15 [ 1 ] [ expected ] theta)

        test "momentum adds up gradients" {
            let step (theta, optimizer) g = Optimizer.step optimizer theta (tensor [ g ])
            let theta, optimizer = step (tensor [ 1.0 ], Optimizer.momentum 0.1 0.5) 2.0
            Expect.tensor 1e-15 [ 1 ] [ 0.8 ] theta
            // v = 0.5·2 + 4 = 5
            let theta, _ = step (theta, optimizer) 4.0
            Expect.tensor 1e-15 [ 1 ] [ 0.3 ] theta
        }

        test "a state is a value: stepping twice from it gives the same" {
            let theta, optimizer = Optimizer.step (Optimizer.adam 0.1) (tensor [ 1.0 ]) (tensor [ 3.0 ])
            let first, _ = Optimizer.step optimizer theta (tensor [ 1.0 ])
            let second, _ = Optimizer.step optimizer theta (tensor [ 1.0 ])
            Expect.sameBits first second
        }

        test "a gradient of another shape is refused" {
            for optimizer in [ Optimizer.adam 0.1; Optimizer.momentum 0.1 0.9 ] do
                Expect.error<ShapeException> [ "[2]"; "[3]" ] (fun () ->
                    Optimizer.step optimizer (tensor [ 1.0; 2.0 ]) (tensor [ 1.0; 2.0; 3.0 ]) |> ignore)

                let _, next = Optimizer.step optimizer (tensor [ 1.0 ]) (tensor [ 1.0 ])

                Expect.error<ShapeException> [ "[2]"; "[1]" ] (fun () ->
                    Optimizer.step next (tensor [ 1.0; 2.0 ]) (tensor [ 1.0; 2.0 ]) |> ignore)
        }

        test "numbers outside their range are refused" {
            let error fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            error [ "learning rate"; "0" ] (fun () -> Optimizer.adam 0.0)
            error [ "learning rate"; "NaN" ] (fun () -> Optimizer.adam nan)
            error [ "beta1"; "1" ] (fun () -> AdamOptions.Default.WithBeta1 1.0)
            error [ "beta2"; "-0.1" ] (fun () -> AdamOptions.Default.WithBeta2 -0.1)
            error [ "epsilon" ] (fun () -> AdamOptions.Default.WithEpsilon 0.0)
            error [ "-1" ] (fun () -> Optimizer.gradientDescent -1.0)
            error [ "1.5" ] (fun () -> Optimizer.momentum 0.1 1.5)
        }
    ]
