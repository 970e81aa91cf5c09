module Curvature.Tests.Unit.PredictiveTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private options = LaplaceOptions.Default
let private atInputs = SmallModels.inputs 61L 6 3

let private logistic precision =
    Laplace.fit
        (options.WithPriorPrecision precision)
        Likelihood.bernoulli
        (SmallModels.logistic Reduction.Sum 9)
        (SmallModels.logisticMode precision)

let private network, networkTheta = SmallModels.network, SmallModels.networkTheta
let private networkInputs = SmallModels.networkInputs 30
let private labels = SmallModels.labels 30
let private classes = SmallModels.classes networkInputs 8

[<Tests>]
let tests =
    testList "Unit.PredictiveTests" [
        test "the linearised predictive of a linear model is the exact one" {
            let x, theta = SmallModels.inputs 62L 20 3, tensor [ 0.5; -1.0; 2.0 ]
            let y = Tensor.matmul x theta + 0.2 * Tensor.normal (Key.OfSeed 63L) DType.Float64 [ 20 ]

            let risk =
                Batches.split 6 x y
                |> Risk.ofModel Reduction.Mean SmallModels.linear (Loss.meanSquaredError Reduction.Mean)

            let found = Laplace.fit options (Likelihood.gaussian 0.04) risk theta |> Laplace.predict atInputs
            let precision = Tensor.matmul (Tensor.transpose x) x / 0.04 + Tensor.eye DType.Float64 3
            let covariance = Tensor.matmul atInputs (Tensor.solve precision (Tensor.transpose atInputs))
            let variance = Tensor.reshape [ 6; 1 ] (Tensor.diagonal covariance)
            Expect.tensorsClose 1e-13 (Tensor.reshape [ 6; 1 ] (Tensor.matmul atInputs theta)) found.Mean
            Expect.tensorsClose 1e-13 variance found.Variance
            Expect.tensorsClose 1e-13 (variance + 0.04) found.TargetVariance
            let targets = Tensor.normal (Key.OfSeed 64L) DType.Float64 [ 6 ]

            let expected =
                Array.map3
                    (fun t m v -> -0.5 * (log (2.0 * Math.PI * v) + (t - m) ** 2.0 / v))
                    (targets.ToArray())
                    (found.Mean.ToArray())
                    (found.TargetVariance.ToArray())

            Expect.close 1e-12 expected (found.LogProbabilities targets)
        }

        test "the predictive of a logistic regression agrees with 1e5 samples, and its distance to the truth is told" {
            let key, draws = Key.OfSeed 65L, 100_000
            let posterior = logistic 1.0
            let found = Laplace.predict atInputs posterior
            let sampled = Laplace.predictBySamples key draws atInputs posterior
            let expected, errors = sampled.Mean.ToArray(), sampled.StandardError.ToArray()
            let integrated = found.IntegratedProbabilities.ToArray()

            for i in 0..5 do
                Expect.within $"input {i}, {key}" (5.0 * errors[i]) expected[i] integrated[i]

            let drawn = found.DrawProbabilities(key, 20_000)
            let drawnErrors = drawn.StandardError.ToArray()

            for i in 0..5 do
                Expect.within $"drawn {i}, {key}" (5.0 * drawnErrors[i]) integrated[i] (drawn.Mean.ToArray()[i])

            let probit = found.Probabilities.ToArray()
            let ofProbit = Array.map2 (fun a b -> abs (a - b)) probit integrated |> Array.max
            Expect.isTrue "probit is near" (ofProbit < 0.01)

            // The predictive of the true posterior, by the weights of the same samples.
            let check = Laplace.check key draws posterior
            let logits = Tensor.matmul check.Parameters (Tensor.transpose atInputs)
            let weights = Tensor.ofArray [ draws ] check.Weights
            let truth = (Tensor.matmul weights (Tensor.sigmoid logits)).ToArray()
            let distance = Array.map2 (fun a b -> abs (a - b)) truth integrated |> Array.max

            printfn $"logistic regression: {check}; predictive wrong by {distance:g3}, the probit by {ofProbit:g3}"

            Expect.isTrue
                "no probability is wrong by more"
                (distance <= check.TotalVariation + 5.0 * check.TotalVariationError)

            Expect.isTrue "an approximation" (check.TotalVariation > 5.0 * check.TotalVariationError)
        }

        test "importance sampling finds no fault with the posterior of a linear model, and its evidence" {
            let x, y = SmallModels.inputs 66L 12 3, Tensor.normal (Key.OfSeed 67L) DType.Float64 [ 12 ]

            let risk =
                Batches.split 5 x y
                |> Risk.ofModel Reduction.Sum SmallModels.linear (Loss.meanSquaredError Reduction.Sum)

            let precision = Tensor.matmul (Tensor.transpose x) x / 0.5 + Tensor.eye DType.Float64 3
            let mode = Tensor.solve precision (Tensor.matmul (Tensor.transpose x) y / 0.5)
            let posterior = Laplace.fit options (Likelihood.gaussian 0.5) risk mode
            let found = Laplace.check (Key.OfSeed 68L) 300 posterior
            Expect.within "the distance" 1e-9 0.0 found.TotalVariation
            Expect.within "the evidence" 1e-9 posterior.LogEvidence found.LogEvidence
            Expect.within "effective draws" 1e-6 300.0 found.EffectiveDraws
            let away = Laplace.fit options (Likelihood.gaussian 0.5) risk (mode + 3.0)
            let far = Laplace.check (Key.OfSeed 68L) 300 away
            Expect.isFalse "the error is not known" (Double.IsFinite far.TotalVariationError)
        }

        test "evidence by importance sampling covers that of quadrature" {
            // One parameter, so that the integral is a sum.
            let inputs, targets = tensor [ [ 1.0 ]; [ 2.0 ]; [ -1.0 ] ], tensor [ 1.0; 1.0; 1.0 ]

            let risk =
                Batches.split 2 inputs targets
                |> Risk.ofModel Reduction.Sum SmallModels.linear (Likelihood.loss Likelihood.bernoulli Reduction.Sum)

            let withPrior = risk |> Risk.withTerm (fun theta -> 0.5 * Tensor.dot theta theta)
            let mode = SmallModels.newton withPrior (Tensor.zeros DType.Float64 [ 1 ])
            let posterior = Laplace.fit options Likelihood.bernoulli risk mode

            let evidence =
                let h = 0.01

                [|
                    for i in -2000 .. 2000 do
                        let w = h * float i
                        h * exp (-(Risk.value withPrior (tensor [ w ])) - 0.5 * log (2.0 * Math.PI))
                |]
                |> Array.sum
                |> log

            let key = Key.OfSeed 69L
            let found = Laplace.check key 20_000 posterior
            Expect.within $"the evidence, {key}" (5.0 * found.LogEvidenceError) evidence found.LogEvidence
            Expect.isTrue "Laplace's differs" (abs (posterior.LogEvidence - evidence) > 5.0 * found.LogEvidenceError)
        }

        test "probabilities of classes are near their means over the linearised outputs" {
            let posterior = Laplace.fit (options.WithPriorPrecision 5.0) Likelihood.categorical classes networkTheta
            let found = Laplace.predict networkInputs posterior
            Expect.tensorsClose 1e-12 (Tensor.ones DType.Float64 [ 30 ]) (Tensor.sumAxes [ 1 ] found.Probabilities)
            let key = Key.OfSeed 71L
            let drawn = found.DrawProbabilities(key, 4000)
            Expect.tensorsClose 0.05 drawn.Mean found.Probabilities
            let expected = Tensor.log (Tensor.pick labels found.Probabilities)
            Expect.close 1e-12 (expected.ToArray()) (found.LogProbabilities labels)
            // The diagonal of the covariance is Variance, and it is semidefinite.
            let values, _ = Tensor.eigh found.Covariance
            Expect.isTrue "semidefinite" ((Tensor.min (Tensor.flatten values)).ToScalar() > -1e-12)
            let j = jacobian (fun theta -> Network.forward network theta networkInputs) networkTheta
            let first = Tensor.reshape [ 3; networkTheta.Size ] (Tensor.item 0 0 j)
            let covariance = Tensor.matmul first (posterior.Covariance.Apply first |> Tensor.transpose)
            Expect.tensorsClose 1e-12 covariance (Tensor.item 0 0 found.Covariance)
        }

        test "the quadrature of the sigmoid is right for narrow and wide laws" {
            // By symmetry, and by a finer sum.
            let finer mean variance =
                let h = 1e-4
                let sigmoid x = 1.0 / (1.0 + exp -x)

                [|
                    for i in -100_000 .. 100_000 do
                        let z = h * float i
                        h * exp (-0.5 * z * z) / sqrt (2.0 * Math.PI) * sigmoid (mean + sqrt variance * z)
                |]
                |> Array.sum

            for mean, variance in [ 0.0, 1.0; 0.7, 1e-6; -2.0, 0.3; 3.0, 25.0; 1.0, 400.0 ] do
                Expect.within $"{mean}, {variance}" 1e-13 (finer mean variance) (NormalMean.sigmoid mean variance)

            Expect.within "half" 1e-15 0.5 (NormalMean.sigmoid 0.0 7.0)
            Expect.within "no variance" 1e-15 (1.0 / (1.0 + exp -2.0)) (NormalMean.sigmoid 2.0 0.0)
            Expect.within "a step" 1e-4 0.8413447460685429 (NormalMean.sigmoid 1e8 1e16)
        }

        test "bad input of predictions is refused" {
            let posterior = logistic 1.0

            Expect.error<ArgumentRangeException> [ "draws" ] (fun () ->
                Laplace.predictBySamples (Key.OfSeed 1L) 1 atInputs posterior |> ignore)

            Expect.error<ArgumentRangeException> [ "draws" ] (fun () ->
                Laplace.check (Key.OfSeed 1L) 0 posterior |> ignore)

            let nothing = Tensor.zeros DType.Float64 [ 0; 3 ]
            Expect.error<DataException> [ "no samples" ] (fun () -> Laplace.predict nothing posterior |> ignore)
            let found = Laplace.predict atInputs posterior
            let few = Tensor.ones DType.Float64 [ 2 ]
            Expect.caught<CurvatureException>(fun () -> found.LogProbabilities few |> ignore) |> ignore

            let gaussian =
                Laplace.fit options Likelihood.categorical classes networkTheta |> Laplace.predict networkInputs

            Expect.error<OperatorException> [ "Bernoulli" ] (fun () -> gaussian.IntegratedProbabilities |> ignore)
        }
    ]
