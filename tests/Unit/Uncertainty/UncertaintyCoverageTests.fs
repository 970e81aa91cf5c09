/// How often intervals hold the truth: noise scales, predictive means, importance samples and calibration.
module Curvature.Tests.Unit.UncertaintyCoverageTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private repetitions = 200

/// Student's quantile of 97.5 percent.
let private quantile degrees = MathNet.Numerics.Distributions.StudentT.InvCDF(0.0, 1.0, float degrees, 0.975)

/// How many of many 95 percent intervals miss, and the share of those whose error is known.
let private misses degrees (truth: float) (estimates: (float * float)[]) =
    let known = estimates |> Array.filter (fun (_, error) -> Double.IsFinite error)
    let reach = quantile degrees
    let missed = known |> Array.filter (fun (value, error) -> not (abs (value - truth) <= reach * error))
    struct (missed.Length, known.Length)

/// Not more misses than chance has in all but one of 10⁷ runs, for intervals that miss this often.
let private holds (what: string) share (struct (missed, known)) =
    printfn $"{what}: {missed} of {known} missed"
    let most = share * float known + 5.3 * sqrt (share * (1.0 - share) * float known) + 1.0
    Expect.isLessThanOrEqual what (float missed, most)

[<Tests>]
let tests =
    testList "Unit.UncertaintyCoverageTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"noise scales of few, some and many samples ({dtype})" {
                // The gradient of the loss xᵀθ is x, normal with a known mean and covariance.
                let key = Key.OfSeed 101L
                let mean = tensor [ 1.0; -0.5; 0.5; 0.25 ]
                let deviation = tensor [ 1.0; 0.5; 2.0; 0.1 ]
                let square (t: Tensor) = (Tensor.dot t t).ToScalar()
                let truth = square deviation / square mean

                for samples in [ 12; 60; 600 ] do
                    let found =
                        key.Split repetitions
                        |> Array.map (fun key ->
                            let x = mean + deviation * Tensor.normal key DType.Float64 [ samples; 4 ]

                            let risk =
                                Risk.ofBatches
                                    Reduction.Mean
                                    (fun batch theta -> Tensor.mean (Tensor.matmul batch.Inputs theta))
                                    (Batches.split samples (Tensor.convert dtype x) (Tensor.zeros dtype [ samples ]))

                            let theta = Tensor.zeros dtype [ 4 ]
                            let scale = SampleGradients.noiseScale SampleOptions.Default risk theta
                            scale.Value, scale.StandardError)

                    // The ratio is skewed: with few samples intervals by the jackknife miss more often.
                    let share =
                        if samples = 12 then 0.2
                        elif samples = 60 then 0.12
                        else 0.08

                    misses (samples - 1) truth found |> holds $"{samples} samples, {dtype}, {key}" share
            }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"means over few, some and many draws of a posterior ({dtype})" {
                let key = Key.OfSeed 102L
                let x = SmallModels.inputs 103L 20 3
                let theta = tensor [ 0.5; -1.0; 2.0 ]
                let at = SmallModels.inputs 104L 1 3
                let convert = Tensor.convert dtype

                let risk =
                    Batches.split 6 (convert x) (convert (Tensor.matmul x theta))
                    |> Risk.ofModel Reduction.Mean SmallModels.linear (Loss.meanSquaredError Reduction.Mean)

                let posterior = Laplace.fit LaplaceOptions.Default (Likelihood.gaussian 0.5) risk (convert theta)
                let truth = (Tensor.matmul (Tensor.convert DType.Float64 (convert at)) theta).ToArray()[0]

                for draws in [ 4; 30; 300 ] do
                    key.Split repetitions
                    |> Array.map (fun key ->
                        let found = Laplace.predictBySamples key draws (convert at) posterior
                        found.Mean.ToArray()[0], found.StandardError.ToArray()[0])
                    |> misses (draws - 1) truth
                    |> holds $"{draws} draws, {dtype}, {key}" 0.05
            }

        test "evidence from few, some and many importance samples" {
            // One parameter, so that the integral is a sum.
            let inputs, targets = tensor [ [ 1.0 ]; [ 2.0 ]; [ -1.0 ] ], tensor [ 1.0; 1.0; 1.0 ]

            let risk =
                Batches.split 3 inputs targets
                |> Risk.ofModel Reduction.Sum SmallModels.linear (Likelihood.loss Likelihood.bernoulli Reduction.Sum)

            let withPrior = risk |> Risk.withTerm (fun theta -> 0.5 * Tensor.dot theta theta)
            let mode = SmallModels.newton withPrior (Tensor.zeros DType.Float64 [ 1 ])
            let posterior = Laplace.fit LaplaceOptions.Default Likelihood.bernoulli risk mode
            let key, h = Key.OfSeed 105L, 0.02

            let joint =
                [|
                    for i in -500 .. 500 ->
                        let w = h * float i
                        w, exp (-(Risk.value withPrior (tensor [ w ])) - 0.5 * log (2.0 * Math.PI))
                |]

            let evidence = h * Array.sumBy snd joint
            let precision = exp posterior.LogDeterminant
            let centre = mode.ToArray()[0]

            let variation =
                joint
                |> Array.sumBy (fun (w, p) ->
                    let q = sqrt (precision / (2.0 * Math.PI)) * exp (-0.5 * precision * (w - centre) ** 2.0)
                    0.5 * h * abs (p / evidence - q))

            for draws in [ 40; 200; 2000 ] do
                let checks = key.Split repetitions |> Array.map (fun key -> Laplace.check key draws posterior)

                // The tail of the weights is thicker than normal: with few draws the largest are often not among them.
                let share =
                    if draws = 40 then 0.15
                    elif draws = 200 then 0.12
                    else 0.08

                checks
                |> Array.map (fun found -> found.LogEvidence, found.LogEvidenceError)
                |> misses (draws - 1) (log evidence)
                |> holds $"ln p(data), {draws} draws, {key}" share

                checks
                |> Array.map (fun found -> found.TotalVariation, found.TotalVariationError)
                |> misses (draws - 1) variation
                |> holds $"total variation, {draws} draws, {key}" (share + 0.05)
        }

        test "negative log-likelihood and calibration error of few, some and many predictions" {
            let key = Key.OfSeed 106L
            // Whoever says 0.9 is right in 70 percent of the cases.
            let loss = -(0.7 * log 0.9 + 0.3 * log 0.1)

            for samples in [ 20; 100; 1000 ] do
                let found =
                    key.Split repetitions
                    |> Array.map (fun key ->
                        let u = (Tensor.uniform key DType.Float64 [ samples ]).ToArray()
                        let labels = u |> Array.map (fun u -> if u < 0.7 then 0 else 1)
                        let rows = Tensor.ofArray [ samples; 2 ] (labels |> Array.collect (fun _ -> [| 0.9; 0.1 |]))
                        Calibration.classes 10 (Tensor.ofIndices [ samples ] labels) rows)

                let share = if samples = 20 then 0.1 else 0.07

                found
                |> Array.map (fun each -> each.NegativeLogLikelihood, each.NegativeLogLikelihoodError)
                |> misses (samples - 1) loss
                |> holds $"−ln p, {samples} samples, {key}" share

                found
                |> Array.map (fun each -> each.Error, each.StandardError)
                |> misses (samples - 1) 0.2
                |> holds $"calibration error, {samples} samples, {key}" share
        }

        test "correlations of few and many samples with retraining" {
            // Normal pairs with a correlation of 0.8.
            let key, truth = Key.OfSeed 107L, 0.8

            for samples in [ 8; 30; 300 ] do
                let missed =
                    key.Split repetitions
                    |> Array.filter (fun key ->
                        let z = (Tensor.normal key DType.Float64 [ 2; samples ]).ToArray()
                        let a, b = z[.. samples - 1], z[samples..]
                        let b = Array.map2 (fun a b -> truth * a + sqrt (1.0 - truth * truth) * b) a b
                        let interval = RetrainingCheck([| 0 .. samples - 1 |], a, b).CorrelationInterval 0.95
                        not (interval.Low <= truth && truth <= interval.High))

                struct (missed.Length, repetitions) |> holds $"{samples} pairs, {key}" 0.055
        }
    ]
