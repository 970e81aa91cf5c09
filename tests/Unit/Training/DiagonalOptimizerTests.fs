module Curvature.Tests.Unit.DiagonalOptimizerTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 31L

let private compare tolerance (expected: float[] list) (actual: float[] list) =
    List.iter2 (Expect.close tolerance) expected actual

/// The points of a formula: a state goes from step to step.
let private pathOf steps state (next: int -> float[] -> 's -> float[] * 's) =
    ((Quartic.start, state), [ 0 .. steps - 1 ])
    ||> List.scan (fun (x, state) t -> next t x state)
    |> List.tail
    |> List.map fst

let private zero = [| 0.0; 0.0; 0.0 |]
let private decaying beta (mean: float[]) (x: float[]) = Array.map2 (fun m x -> beta * m + (1.0 - beta) * x) mean x

[<Tests>]
let tests =
    testList "Unit.DiagonalOptimizerTests" [
        test "SAM steps along the gradient at the worst point nearby" {
            let rho, alpha, mu = 0.3, 0.02, 0.5

            let expected =
                pathOf 4 None (fun _ x velocity ->
                    let g = Quartic.gradient x
                    let slope = Quartic.gradient (Quartic.add x (rho / Quartic.norm g) g)

                    let velocity =
                        match velocity with
                        | Some v -> Quartic.add slope mu v
                        | None -> slope

                    Quartic.add x -alpha velocity, Some velocity)

            let sam = Optimizer.sharpnessAware rho (Optimizer.momentum alpha mu)
            compare 1e-13 expected (Quartic.path DType.Float64 4 sam)
            compare 1e-6 expected (Quartic.path DType.Float32 4 sam)
        }

        test "SAM stays where the gradient is 0" {
            let descent = Descent.ofFunction (Quartic.loss DType.Float64)
            let sam = Optimizer.sharpnessAware 0.1 (Optimizer.gradientDescent 0.1)
            let step = descent.Step(sam, Tensor.zeros DType.Float64 [ 3 ])
            Expect.tensor 0.0 [ 3 ] zero step.Theta
        }

        for power, decay, every in [ 1.0, 0.0, 1; 0.5, 0.1, 2 ] do
            test $"AdaHessian's steps agree with its formulas, power {power}, every {every}" {
                let alpha, beta1, beta2, epsilon = 0.1, 0.8, 0.9, 1e-3

                let expected dtype =
                    pathOf 5 (zero, zero, 0) (fun t x (m, v, estimates) ->
                        let m = decaying beta1 m (Quartic.gradient x)

                        let v, estimates =
                            if t % every = 0 then
                                let z = Quartic.drawn dtype Probe.rademacher key t
                                let d = Array.map2 (*) z (Quartic.times (Quartic.hessian x) z)
                                decaying beta2 v (d |> Array.map (fun d -> d * d)), estimates + 1
                            else
                                v, estimates

                        let next =
                            Array.map3
                                (fun x m v ->
                                    let m = m / (1.0 - beta1 ** float (t + 1))
                                    let v = v / (1.0 - beta2 ** float estimates)
                                    (1.0 - alpha * decay) * x - alpha * m / (v ** (power / 2.0) + epsilon))
                                x
                                m
                                v

                        next, (m, v, estimates))

                let options =
                    AdaHessianOptions.Default
                        .WithLearningRate(alpha)
                        .WithBeta1(beta1)
                        .WithBeta2(beta2)
                        .WithEpsilon(epsilon)
                        .WithHessianPower(power)
                        .WithWeightDecay(decay)
                        .WithInterval(every)
                        .WithKey
                        key

                compare 1e-12 (expected DType.Float64) (Quartic.path DType.Float64 5 (Optimizer.adaHessian options))
                compare 1e-4 (expected DType.Float32) (Quartic.path DType.Float32 5 (Optimizer.adaHessian options))
            }

        test "AdaHessian averages over the kernels of convolutions" {
            // Curvatures 1, 2, 3, 4 in one kernel, whose mean is 2.5, and 10 in another tensor.
            let curvatures = tensor [ 1.0; 2.0; 3.0; 4.0; 10.0 ]
            let descent = Descent.ofFunction (fun theta -> 0.5 * Tensor.sum (curvatures * Tensor.square theta))
            let layout = ParameterLayout.ofShapes [ "weight", [ 1; 1; 2; 2 ]; "bias", [ 1 ] ]

            let options = AdaHessianOptions.Default.WithLearningRate(0.1).WithEpsilon(1e-12).WithSpatialAveraging layout

            let step = descent.Step(Optimizer.adaHessian options, Tensor.ones DType.Float64 [ 5 ])
            // m̂ = g = the curvatures, √v̂ = the averaged diagonal.
            let expected = [ 1.0 / 2.5; 2.0 / 2.5; 3.0 / 2.5; 4.0 / 2.5; 1.0 ] |> List.map (fun d -> 1.0 - 0.1 * d)
            Expect.tensor 1e-10 [ 5 ] expected step.Theta
        }

        for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
            test $"Sophia's steps agree with its formulas, with Hutchinson's diagonal, {dtype}" {
                let eta, beta1, beta2, gamma, epsilon, decay, every = 0.05, 0.8, 0.9, 0.5, 1e-6, 0.1, 2

                let expected =
                    pathOf 6 (zero, zero) (fun t x (m, h) ->
                        let m = decaying beta1 m (Quartic.gradient x)

                        let h =
                            if t % every = 0 then
                                let u = Quartic.drawn dtype Probe.gaussian key t
                                decaying beta2 h (Array.map2 (*) u (Quartic.times (Quartic.hessian x) u))
                            else
                                h

                        let next =
                            Array.map3
                                (fun x m h ->
                                    let step = m / max (gamma * h) epsilon |> max -1.0 |> min 1.0
                                    (1.0 - eta * decay) * x - eta * step)
                                x
                                m
                                h

                        next, (m, h))

                let options =
                    SophiaOptions.Hutchinson
                        .WithLearningRate(eta)
                        .WithBeta1(beta1)
                        .WithBeta2(beta2)
                        .WithGamma(gamma)
                        .WithEpsilon(epsilon)
                        .WithWeightDecay(decay)
                        .WithInterval(every)
                        .WithKey
                        key

                compare tolerance expected (Quartic.path dtype 6 (Optimizer.sophia options))
            }

        for name, likelihood, outputs in
            [ "categorical", Likelihood.categorical, 3; "Gaussian", Likelihood.gaussian 0.5, 2 ] do
            test $"Gauss-Newton-Bartlett estimates the diagonal of the Fisher matrix, {name}" {
                let inputs = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 6; 2 ]
                let theta = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 2 * outputs ]
                let model inputs theta = Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 2; outputs ] theta))
                let batch = Batch(inputs, Tensor.zeros DType.Float64 [ 6; outputs ])

                let risk =
                    Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.mean (Tensor.square outputs)) [ batch ]

                let fisher = (Fisher.exact likelihood (model inputs) theta |> Exact.diagonal).Value.ToArray()
                let g = (Gradient.ofRisk risk theta).Gradient
                let descent = Descent.ofRisk risk
                let runs, scale = 2000, 1e6

                // Without means and clipping, a step is g/ĥ, which tells ĥ.
                let estimates =
                    [
                        for run in 0 .. runs - 1 ->
                            let options =
                                SophiaOptions
                                    .GaussNewtonBartlett(likelihood)
                                    .WithLearningRate(scale)
                                    .WithBeta1(0.0)
                                    .WithBeta2(0.0)
                                    .WithGamma(scale)
                                    .WithEpsilon(1e-300)
                                    .WithKey(key.FoldIn(uint32 run))

                            let step = descent.Step(Optimizer.sophia options, theta, batch)
                            Array.map2 (/) (g.ToArray()) ((theta - step.Theta).ToArray())
                    ]

                for i in 0 .. theta.Size - 1 do
                    let values = estimates |> List.map (fun estimate -> estimate[i])
                    let mean = List.average values

                    let variance =
                        values |> List.sumBy (fun v -> (v - mean) ** 2.0) |> fun sum -> sum / float (runs - 1)
                    // 5.5 standard errors of 10 numbers in all: by chance in less than one of a million runs.
                    Expect.within $"element {i}, {key}" (5.5 * sqrt (variance / float runs)) fisher[i] mean
            }

        test "a method that needs the loss refuses the gradient alone" {
            let theta, gradient = tensor [ 1.0; 2.0 ], tensor [ 0.5; 0.5 ]
            let layout = ParameterLayout.ofShapes [ "weight", [ 1; 2 ] ]

            for optimizer in
                [
                    Optimizer.sharpnessAware 0.1 (Optimizer.adam 0.1)
                    Optimizer.adaHessian AdaHessianOptions.Default
                    Optimizer.sophia SophiaOptions.Hutchinson
                    Optimizer.newtonCg NewtonCgOptions.Default
                    Optimizer.naturalGradient (NaturalGradientOptions.Of layout)
                ] do
                Expect.error<OperatorException> [ optimizer.Name; "the loss"; "Descent" ] (fun () ->
                    Optimizer.step optimizer theta gradient |> ignore)
        }

        test "a state is a value: steps from a kept method give the same bits" {
            let descent = Descent.ofFunction (Quartic.loss DType.Float64)
            let theta = Tensor.ofArray [ 3 ] Quartic.start

            for optimizer in
                [
                    Optimizer.sharpnessAware 0.1 (Optimizer.momentum 0.02 0.9)
                    Optimizer.adaHessian (AdaHessianOptions.Default.WithInterval 3)
                    Optimizer.sophia ((SophiaOptions.Hutchinson.WithInterval 3).WithGamma(10.0).WithLearningRate 0.1)
                    Optimizer.newtonCg NewtonCgOptions.Default
                ] do
                let from (theta, optimizer) steps =
                    ((theta, optimizer), [ 1..steps ])
                    ||> List.fold (fun (theta, optimizer) _ ->
                        let step = descent.Step(optimizer, theta)
                        step.Theta, step.Optimizer)

                let half = from (theta, optimizer) 4
                let whole, _ = from (theta, optimizer) 8
                let first, _ = from half 4
                let second, _ = from half 4
                Expect.sameBits whole first
                Expect.sameBits first second

                Expect.isTrue
                    $"{optimizer} has a state"
                    (fst (from (fst half, optimizer) 4) |> _.ToArray() <> whole.ToArray())
        }

        test "schedules and clipping act on methods that need the loss" {
            let sophia = Optimizer.sophia (SophiaOptions.Hutchinson.WithLearningRate 0.1)
            let halved = sophia |> Optimizer.scheduled (LearningRate.constant 0.5)
            let half = Optimizer.sophia (SophiaOptions.Hutchinson.WithLearningRate 0.05)
            compare 1e-14 (Quartic.path DType.Float64 3 half) (Quartic.path DType.Float64 3 halved)
            // Around SAM, clipping changes the ascent, whose length is fixed: nothing.
            let sam = Optimizer.sharpnessAware 0.1 (Optimizer.gradientDescent 0.01)
            let clipped = sam |> Optimizer.clipNorm 1e-3
            compare 1e-10 (Quartic.path DType.Float64 3 sam) (Quartic.path DType.Float64 3 clipped)
        }

        test "parameters of another shape than before are refused" {
            let loss (theta: Tensor) = Tensor.sum (Tensor.square theta)
            let descent = Descent.ofFunction loss

            for optimizer in
                [
                    Optimizer.adaHessian AdaHessianOptions.Default
                    Optimizer.sophia SophiaOptions.Hutchinson
                    Optimizer.newtonCg NewtonCgOptions.Default
                ] do
                let step = descent.Step(optimizer, tensor [ 1.0; 2.0 ])

                Expect.error<ShapeException> [ optimizer.Name; "[3]"; "[2]" ] (fun () ->
                    descent.Step(step.Optimizer, tensor [ 1.0; 2.0; 3.0 ]) |> ignore)
        }

        test "numbers outside their range are refused" {
            let error fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            let ada, sophia = AdaHessianOptions.Default, SophiaOptions.Hutchinson
            error [ "radius"; "0" ] (fun () -> Optimizer.sharpnessAware 0.0 (Optimizer.adam 0.1))
            error [ "radius"; "NaN" ] (fun () -> Optimizer.sharpnessAware nan (Optimizer.adam 0.1))
            error [ "AdaHessian"; "learning rate" ] (fun () -> ada.WithLearningRate -1.0)
            error [ "beta1"; "1" ] (fun () -> ada.WithBeta1 1.0)
            error [ "beta2" ] (fun () -> ada.WithBeta2 nan)
            error [ "epsilon" ] (fun () -> ada.WithEpsilon 0.0)
            error [ "power"; "1.5" ] (fun () -> ada.WithHessianPower 1.5)
            error [ "weight decay" ] (fun () -> ada.WithWeightDecay -0.1)
            error [ "interval"; "0" ] (fun () -> ada.WithInterval 0)
            error [ "Sophia"; "learning rate" ] (fun () -> sophia.WithLearningRate infinity)
            error [ "beta1" ] (fun () -> sophia.WithBeta1 -0.1)
            error [ "beta2" ] (fun () -> sophia.WithBeta2 1.0)
            error [ "gamma" ] (fun () -> sophia.WithGamma 0.0)
            error [ "epsilon" ] (fun () -> sophia.WithEpsilon nan)
            error [ "weight decay" ] (fun () -> sophia.WithWeightDecay nan)
            error [ "interval" ] (fun () -> sophia.WithInterval -1)
        }

        test "a descent is given what its risk needs" {
            let function' = Descent.ofFunction (fun theta -> Tensor.sum (Tensor.square theta))
            let batch = Batch(Tensor.ones DType.Float64 [ 2; 1 ], Tensor.ones DType.Float64 [ 2; 1 ])

            let ofBatches =
                let loss (batch: Batch) theta = Tensor.mean (Tensor.square (theta * batch.Inputs - batch.Targets))
                Descent.ofRisk (Risk.ofBatches Reduction.Mean loss [ batch ])

            let adam, theta = Optimizer.adam 0.1, tensor [ 1.0 ]
            Expect.error<DataException> [ "no batch" ] (fun () -> function'.Step(adam, theta, batch) |> ignore)
            Expect.error<DataException> [ "batch" ] (fun () -> ofBatches.Step(adam, theta) |> ignore)
            Expect.within "the loss before the step" 1e-15 1.0 (function'.Step(adam, theta).Loss)

            Expect.error<OperatorException> [ "model" ] (fun () ->
                let sophia = SophiaOptions.GaussNewtonBartlett Likelihood.categorical
                ofBatches.Step(Optimizer.sophia sophia, theta, batch) |> ignore)

            Expect.error<NonFiniteException> [ "loss" ] (fun () -> function'.Step(adam, tensor [ infinity ]) |> ignore)
        }
    ]
