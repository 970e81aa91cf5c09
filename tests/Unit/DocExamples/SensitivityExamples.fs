/// The F# of docs/sensitivity.md.
module DocExamples.SensitivityExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network = Network.mlp Layer.tanh [ 8; 6; 3 ]
let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 30; 8 ]
let private labels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun row -> row % 3))
let private loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels
let private theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network

[<Tests>]
let tests =
    testList "DocExamples.SensitivityExamples" [
        test "quantisation and bits within a budget" {
            let table =
                Hessian.at loss theta
                |> CurvatureByTensor.estimate network.Layout (StoppingRule.matvecs 100) (Key.OfSeed 3L)

            let scores = QuantizationSensitivity.scores [ 2; 4; 8 ] theta table

            for row in scores.Tensors do
                printfn $"{row.Name}: {row.Score 4} at 4 bits, for an error of {row.SquaredError 4:g3}"

            let stability = QuantizationSensitivity.stability (Key.OfSeed 4L) 1000 4 scores
            printfn $"Kendall's tau {stability.MeanTau:f2}, in 95 %% of draws above {stability.TauQuantile 0.05:f2}"
            printfn $"{stability.Names[0]} is number {stability.Rank(0, 0.95)}"

            let probability = stability.ProbabilityThatFirstIsLarger(0, 1)
            printfn $"its score is above that of {stability.Names[1]} with probability {probability}"

            let isWeight (tensor: ParameterTensor) = tensor.Name.EndsWith "weight"
            let byFilter = QuantizationSensitivity.scoresWith Quantization.perRow isWeight [ 4 ] theta table
            let coarse = Quantization.perTensor 2 (tensor [ -1.2; 0.4; 1.3; 2.0 ]) // −2, 0, 2, 2

            let weights = scores.Tensors |> Seq.sumBy _.Size
            let assignment = scores |> QuantizationSensitivity.assign (Key.OfSeed 5L) 1000 (4L * int64 weights)
            printfn $"{assignment}"
            printfn $"{assignment.TotalBits} of {assignment.Budget} bits, score {assignment.Score}"

            Expect.isTrue "within the budget" (assignment.TotalBits <= assignment.Budget)
            Expect.equal "byFilter.Tensors.Count" 2 byFilter.Tensors.Count
            Expect.tensor 1e-15 [ 4 ] [ -2.0; 0.0; 2.0; 2.0 ] coarse
        }

        test "pruning" {
            let table =
                Hessian.at loss theta
                |> CurvatureByTensor.estimate network.Layout (StoppingRule.matvecs 100) (Key.OfSeed 3L)

            let saliencies = Pruning.saliencies theta table

            for point in Pruning.curve (Risk.ofFunction loss) [ 0.1; 0.3; 0.5 ] saliencies do
                printfn $"{point.Share:P0}: predicted {point.Predicted}, measured {point.Measured}"

            let order = Pruning.stability (Key.OfSeed 6L) 100 [ 0.1; 0.3; 0.5 ] saliencies
            printfn $"{order.Overlaps[1]:P0} of the least 30 %% would be among them again, tau {order.MeanTau:f2}"

            // An order from other random vectors: predictions without the luck of the choice.
            let other =
                Hessian.at loss theta
                |> CurvatureByTensor.estimate network.Layout (StoppingRule.matvecs 100) (Key.OfSeed 7L)

            let unbiased = saliencies |> Pruning.orderedBy (Pruning.saliencies theta other)

            Expect.equal "unbiased.Order" (Pruning.saliencies theta other).Order unbiased.Order
        }
    ]
