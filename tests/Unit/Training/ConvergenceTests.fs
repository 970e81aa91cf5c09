/// Whether methods of descent reach minima that are known, and in fewer steps where their papers say so.
module Curvature.Tests.Unit.ConvergenceTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private descend (risk: EmpiricalRisk) (steps: int) (optimizer: Optimizer) (theta: Tensor) =
    let options = TrainingOptions.Default.WithEpochs(steps).WithOptimizer optimizer
    Training.minimize options risk theta

/// A logistic regression whose inputs have scales from 1 to 30, so that its Hessian is badly conditioned.
let private logistic dtype =
    let keys = (Key.OfSeed 11L).Split 3
    let scales = Tensor.linspace DType.Float64 1.0 30.0 6
    let inputs = scales * Tensor.normal keys[0] DType.Float64 [ 120; 6 ]
    let truth = Tensor.normal keys[1] DType.Float64 [ 6; 3 ] / 20.0
    // Draws of classes: some rows lie on the wrong side, so that there is a minimum.
    let noise = Tensor.normal keys[2] DType.Float64 [ 120; 3 ]
    let labels = Tensor.argMax (Tensor.matmul inputs truth + 2.0 * noise)
    let network = Network.sequential [ Layer.dense 6 3 ]
    let batch = Batch(Tensor.convert dtype inputs, labels)

    let risk =
        network
        |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) [ batch ]
        |> Risk.withTerm (fun theta -> 1e-3 * Tensor.sum (Tensor.square theta))

    network, risk, Tensor.zeros dtype [ network.ParameterCount ]

let private spirals =
    lazy
        (let points = 150
         let turn label t = 3.0 * t * Math.PI + float label * Math.PI

         let rows =
             [|
                 for i in 0 .. points - 1 do
                     let label, t = i % 2, 0.15 + 0.85 * float i / float points
                     t * Math.Cos(turn label t)
                     t * Math.Sin(turn label t)
             |]

         let inputs = Tensor.ofArray [ points; 2 ] rows
         let labels = Tensor.ofIndices [ points ] (Array.init points (fun i -> i % 2))
         let network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
         let criterion = Loss.softmaxCrossEntropy Reduction.Mean
         let risk = network |> Network.risk Reduction.Mean criterion [ Batch(inputs, labels) ]
         network, risk, Network.initialize (Key.OfSeed 12L) DType.Float64 network)

/// Two half circles that overlap, so that no network has a loss of 0 there for good reasons.
let private moons =
    lazy
        (let keys = (Key.OfSeed 21L).Split 2
         let angles = (Tensor.uniform keys[0] DType.Float64 [ 200 ]).ToArray() |> Array.map ((*) Math.PI)

         let place i angle =
             if i % 2 = 0 then
                 [| cos angle; sin angle |]
             else
                 [| 1.0 - cos angle; 0.5 - sin angle |]

         let points = Tensor.ofArray [ 200; 2 ] (Array.mapi place angles |> Array.concat)
         let inputs = points + 0.25 * Tensor.normal keys[1] DType.Float64 [ 200; 2 ]
         let labels = Tensor.ofIndices [ 200 ] (Array.init 200 (fun i -> i % 2))
         let network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
         let criterion = Loss.softmaxCrossEntropy Reduction.Mean
         let risk = network |> Network.risk Reduction.Mean criterion [ Batch(inputs, labels) ]
         risk, Network.initialize (Key.OfSeed 12L) DType.Float64 network)

[<Tests>]
let tests =
    testList "Unit.ConvergenceTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"each method reaches the minimum of a logistic regression, {dtype}" {
                let network, risk, theta = logistic dtype
                let least = Lbfgs.minimize (LbfgsOptions.Default.WithIterations 400) risk theta
                let best = Risk.value risk least.Theta
                let excess optimizer steps = Risk.value risk (descend risk steps optimizer theta).Theta - best

                let cases =
                    [
                        Optimizer.newtonCg NewtonCgOptions.Default, 40, 1e-4
                        Optimizer.naturalGradient (
                            NaturalGradientOptions.Of(network.Layout).WithMomentum(0.0).WithLearningRate(1.0)
                        ),
                        200,
                        1e-2
                        Optimizer.adaHessian AdaHessianOptions.Default
                        |> Optimizer.scheduled (LearningRate.cosine 800 0.01),
                        800,
                        1e-3
                        Optimizer.sophia (SophiaOptions.Hutchinson.WithLearningRate(0.02).WithGamma 1.0)
                        |> Optimizer.scheduled (LearningRate.cosine 600 0.001),
                        600,
                        1e-3
                        Optimizer.sophia (
                            SophiaOptions.GaussNewtonBartlett(Likelihood.categorical).WithLearningRate(0.02).WithGamma
                                1.0
                        )
                        |> Optimizer.scheduled (LearningRate.cosine 600 0.001),
                        600,
                        1e-3
                        Optimizer.sharpnessAware 1e-3 (Optimizer.adam 0.02)
                        |> Optimizer.scheduled (LearningRate.cosine 600 0.001),
                        600,
                        1e-3
                    ]

                let start = Risk.value risk theta - best

                for optimizer, steps, allowed in cases do
                    let found = excess optimizer steps
                    Expect.inRange $"{optimizer} of {start}" -1e-5 allowed found
            }

        test "Newton-CG and natural gradients learn spirals in fewer steps than Adam" {
            let network, risk, theta = spirals.Value
            let loss steps optimizer = (descend risk steps optimizer theta).Losses |> Seq.last
            let steps = 60
            let adam = [ 0.003; 0.01; 0.03 ] |> List.map (Optimizer.adam >> loss steps) |> List.min
            let newton = loss steps (Optimizer.newtonCg NewtonCgOptions.Default)

            let natural =
                NaturalGradientOptions
                    .Of(network.Layout)
                    .WithLearningRate(1.0)
                    .WithLargestDivergence(0.02)
                    .WithInterval(2)
                    .WithAveraging(0.0)
                |> Optimizer.naturalGradient
                |> loss steps

            Expect.isTrue $"{adam}, {newton}, {natural}" (newton < 0.5 * adam && natural < 0.7 * adam)
        }

        test "SAM finds flatter minima of the same loss" {
            let risk, theta = moons.Value

            let sharpness optimizer =
                let found = descend risk 1500 optimizer theta
                use hessian = Hessian.ofRisk risk found.Theta
                (ThickRestartLanczos.find SpectrumEnd.Largest 1 hessian).Values[0], Seq.last found.Losses

            let momentum = Optimizer.momentum 0.1 0.9
            let plain, loss = sharpness momentum
            let sam, lossOfSam = sharpness (Optimizer.sharpnessAware 0.2 momentum)
            Expect.isTrue $"{plain} at {loss}, {sam} at {lossOfSam}" (sam < 0.3 * plain && lossOfSam < 1.1 * loss)
        }

        test "a kept optimizer goes on where a training ended" {
            let _, risk, theta = spirals.Value
            let sophia = Optimizer.sophia (SophiaOptions.Hutchinson.WithLearningRate 0.01)
            let whole = descend risk 30 sophia theta
            let half = descend risk 15 sophia theta

            let rest =
                match half.Optimizer with
                | null -> failtest "the optimizer is missing"
                | optimizer -> descend risk 15 optimizer half.Theta

            Expect.sameBits whole.Theta rest.Theta
            let lbfgs = Lbfgs.minimize (LbfgsOptions.Default.WithIterations 2) risk theta
            Expect.isTrue "L-BFGS has none" (isNull lbfgs.Optimizer)
        }
    ]
