/// The F# of docs/samples.md, docs/uncertainty.md and docs/influence.md.
module DocExamples.UncertaintyExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network = Network.mlp Layer.tanh [ 4; 6; 3 ]
let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 60; 4 ]
let private labels = Tensor.ofIndices [ 60 ] (Array.init 60 (fun row -> row % 3))
let private heldOutInputs = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 30; 4 ]
let private heldOutLabels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun row -> row % 3))
let private model inputs theta = Network.forward network theta inputs

let private risk =
    Batches.split 20 inputs labels |> Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean)

let private heldOut =
    Batches.split 30 heldOutInputs heldOutLabels
    |> Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean)

/// The mode for a prior precision of 1.
let private theta =
    lazy
        (let penalized = risk |> Risk.withTerm (fun theta -> Tensor.dot theta theta / 120.0)
         let start = Network.initialize (Key.OfSeed 2L) DType.Float64 network
         (Lbfgs.minimize (LbfgsOptions.Default.WithIterations 300) penalized start).Theta)

[<Tests>]
let tests =
    testList "DocExamples.UncertaintyExamples" [
        test "samples" {
            let theta = theta.Value

            let options = SampleOptions.Default.WithMemoryLimit(64L <<< 20)
            let gradients = SampleGradients.matrix options risk theta // [samples; parameters]
            let moments = SampleGradients.moments options risk theta
            printfn $"{moments}"
            printfn $"the longest gradient: {Array.max moments.Norms}"
            let covariance = SampleGradients.covariance options risk theta // as an operator

            let scale = SampleGradients.noiseScale options risk theta
            printfn $"{scale}"

            Expect.tensorsClose 1e-12 moments.Variance (Exact.diagonal covariance).Value

            let diagonal = CurvatureDiagonal.gaussNewton options risk theta
            let ofFisher = CurvatureDiagonal.fisher options Likelihood.categorical risk theta

            let kernel = GramMatrix.tangentKernel options risk theta
            let gram = GramMatrix.gaussNewton options risk theta
            printfn $"the largest eigenvalues: %A{(GramMatrix.eigenvalues gram)[..4]}"

            Expect.equal "gradients" [| 60; network.ParameterCount |] gradients.Shape
            Expect.tensorsClose 1e-12 diagonal ofFisher
            Expect.equal "kernel" 60 kernel.Samples
        }

        test "uncertainty of a network" {
            let theta = theta.Value

            let options = LaplaceOptions.Default.WithStructure(LaplaceStructure.Full).WithPriorPrecision 1.0
            let posterior = Laplace.fit options Likelihood.categorical risk theta
            printfn $"{posterior}"
            printfn $"{posterior.DistanceFromMode} from the mode"

            let kronecker = LaplaceStructure.Kronecker network.Layout
            let byLayer = Laplace.fit (options.WithStructure kronecker) Likelihood.categorical risk theta
            printfn $"{byLayer}"

            Expect.within "log evidence by K-FAC" 20.0 posterior.LogEvidence byLayer.LogEvidence

            let tuned = Laplace.tune posterior
            printfn $"log evidence {posterior.LogEvidence}, and {tuned.LogEvidence} with {tuned.PriorPrecision}"

            let predictive = Laplace.predict heldOutInputs posterior
            let calibration = Calibration.classes 15 heldOutLabels predictive.Probabilities
            printfn $"{calibration}"

            let sampled = Laplace.predictBySamples (Key.OfSeed 4L) 500 heldOutInputs posterior
            printfn $"{sampled}"

            let check = Laplace.check (Key.OfSeed 5L) 500 posterior
            printfn $"{check}"

            let names = [ "2.weight"; "2.bias" ]
            let last = network.Layout |> ParameterLayout.restrict names
            let ofLast = theta |> Tensor.slice 0 (theta.Size - last.Size) last.Size

            let lastLayer =
                risk
                |> Risk.restrictTo names network.Layout theta
                |> fun risk -> Laplace.fit options Likelihood.categorical risk ofLast

            Expect.isTrue "more evidence" (tuned.LogEvidence >= posterior.LogEvidence)
            Expect.equal "samples" 30 calibration.Samples
            Expect.equal "draws" (500, 500) (sampled.Draws, check.Draws)
            Expect.equal "last layer" 21 lastLayer.Size
        }

        test "standard errors" {
            let layout = ParameterLayout.ofShapes [ "dose", []; "age", []; "constant", [] ]

            let columns = Tensor.concat 1 [ Tensor.slice 1 0 2 inputs; Tensor.ones DType.Float64 [ 60; 1 ] ]

            let responds =
                let p = Tensor.sigmoid (Tensor.matmul columns (tensor [ 1.0; -0.5; 0.3 ]))
                Tensor.greater p (Tensor.uniform (Key.OfSeed 6L) DType.Float64 [ 60 ])

            let risk =
                Batches.split 60 columns responds
                |> Risk.ofModel Reduction.Sum Tensor.matmul (Likelihood.loss Likelihood.bernoulli Reduction.Sum)

            let lbfgs = LbfgsOptions.Default.WithGradientTolerance 1e-10
            let fitted = (Lbfgs.minimize lbfgs risk (Tensor.zeros DType.Float64 [ 3 ])).Theta
            printfn $"{CoefficientTable.inverseHessian layout risk fitted}"
            let robust = CoefficientTable.sandwich SampleOptions.Default layout risk fitted
            let dose = robust["dose"]
            printfn $"{dose}, {dose.Interval 0.95}, p = {dose.PValue}"
            printfn $"""{ProfileLikelihood.interval 0.95 "dose" layout risk fitted}"""

            Expect.equal "rows" 3 robust.Rows.Count
        }

        test "a regression with noise" {
            let y =
                Tensor.matmul inputs (tensor [ 1.0; 0.0; -1.0; 2.0 ])
                + 0.3 * Tensor.normal (Key.OfSeed 7L) DType.Float64 [ 60 ]

            let risk =
                Batches.split 20 inputs y
                |> Risk.ofModel Reduction.Mean Tensor.matmul (Loss.meanSquaredError Reduction.Mean)

            let fitted = (Lbfgs.minimize LbfgsOptions.Default risk (Tensor.zeros DType.Float64 [ 4 ])).Theta

            let posterior = Laplace.fit LaplaceOptions.Default (Likelihood.gaussian 1.0) risk fitted |> Laplace.tune
            printfn $"noise variance {posterior.NoiseVariance}, prior precision {posterior.PriorPrecision}"
            let predictive = Laplace.predict inputs posterior
            let targets = Tensor.reshape [ 60; 1 ] y
            printfn $"{Calibration.numbers targets predictive.Mean predictive.TargetVariance}"

            Expect.within "the noise" 0.04 0.09 posterior.NoiseVariance
        }

        test "influence" {
            let theta = theta.Value

            let training = risk |> Risk.withTerm (fun theta -> Tensor.dot theta theta / 120.0)
            let options = InfluenceOptions.Default.WithDamping 1e-4
            let influence = Influence.onLoss options training heldOut theta
            printfn $"{influence}"
            printfn $"without sample {influence.Order[0]} the loss would grow by {Array.max influence.Values}"

            let moves = Influence.onParameters options training [ 0; 1 ] theta // [samples; parameters]

            let ekfac =
                Kfac.estimateWith (KfacOptions.Default.WithCorrectedEigenvalues true) network.Layout training theta

            let approximate = Influence.onLoss (options.WithApproximation ekfac) training heldOut theta
            printfn $"{approximate}"

            let products = Influence.dotProducts options training heldOut theta
            let cosines = Influence.cosines options training heldOut theta

            let lbfgs = LbfgsOptions.Default.WithIterations 200
            let train risk theta = (Lbfgs.minimize lbfgs risk theta).Theta
            let check = influence |> Influence.retrain train training heldOut influence.Order[..4] theta
            printfn $"{check}"

            Expect.equal "moves" [| 2; theta.Size |] moves.Shape
            Expect.equal "baselines" (60, 60) (products.Values.Length, cosines.Values.Length)
            Expect.equal "samples" 5 check.Samples.Length
        }
    ]
