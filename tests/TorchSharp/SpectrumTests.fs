/// Estimators on torch's operators find what they find on the library's.
module Curvature.Tests.Torch.SpectrumTests

open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

let private both (case: Case) =
    let inputs, labels = Exchange.ofTorch case.Inputs, Exchange.ofTorch case.Labels
    let loss theta = Network.forward case.Own theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels
    let own = Hessian.at loss case.Theta

    let found =
        TorchHessian.at (fun () -> crossEntropy case.Labels (case.Net.call case.Inputs)) (case.Net.named_parameters ())

    own, found

let private cases =
    [
        "a CNN", Cases.cnn
        "a residual network", Cases.residual
        "a transformer encoder layer", Cases.encoder
    ]

[<Tests>]
let tests =
    testList "Torch.SpectrumTests" [
        for name, make in cases do
            torchTest $"the largest eigenvalues of {name} agree within their residuals" (fun () ->
                let own, found = both (make DType.Float64)
                let expected = ThickRestartLanczos.find SpectrumEnd.Largest 4 own
                let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 4 found.Operator
                Expect.isTrue "converged" pairs.AllConverged

                for i in 0..3 do
                    let bar = expected.Residuals[i] + pairs.Residuals[i] + 1e-12 * expected.Values[0]
                    Expect.within $"eigenvalue {i}" bar expected.Values[i] pairs.Values[i])

            torchTest $"the spectral density of {name} agrees within its error bars, in Float32 too" (fun () ->
                let density (operator: LinearOperator) =
                    StochasticLanczos.sample 4 20 (Key.OfSeed 1L) operator
                    |> SpectralDensity.ofSample (Smoothing.gaussian 0.05)

                let own, found = both (make DType.Float64)
                let _, single = both (make DType.Float32)
                let expected, actual, rough = density own, density found.Operator, density single.Operator
                Expect.equal "grid" expected.Grid.Length actual.Grid.Length
                let largest = Array.max expected.Values

                for i in 0 .. expected.Grid.Length - 1 do
                    Expect.within $"at {expected.Grid[i]}" (1e-6 * largest) expected.Values[i] actual.Values[i]

                // Grids of both precisions differ a little; areas do not.
                let area (d: SpectralDensity) = Array.sum d.Values * (d.Grid[1] - d.Grid[0])
                Expect.within "areas" 1e-3 (area expected) (area rough))

        torchTest "traces by tensor, the sensitivity of weights and saliencies are the library's" (fun () ->
            let case = Cases.cnn DType.Float64
            let own, found = both case
            let stop, key = StoppingRule.matvecs 64, Key.OfSeed 3L
            let expected = CurvatureByTensor.estimate case.Own.Layout stop key own
            let table = CurvatureByTensor.estimate found.Layout stop key found.Operator
            let theta = TorchParameters.read (case.Net.named_parameters ())

            for e, a in Seq.zip expected.Tensors table.Tensors do
                Expect.equal "name" e.Tensor.Name a.Tensor.Name
                Expect.within e.Tensor.Name (1e-10 * abs expected.Trace.Value) e.Trace.Value a.Trace.Value

            let scores (theta: Tensor) table =
                (QuantizationSensitivity.scores [ 4 ] theta table).Tensors
                |> Seq.map (fun row -> (row.Score 4).Value)
                |> Seq.toArray

            Expect.close 1e-10 (scores case.Theta expected) (scores theta table)
            let ranked = Pruning.saliencies theta table
            Expect.equal "weights" (Pruning.saliencies case.Theta expected).Positions.Length ranked.Positions.Length)

        torchTest "a diagnosis finds nothing wrong" (fun () ->
            let case = Cases.encoder DType.Float64
            let _, found = both case
            let diagnosis = Diagnose.run DiagnoseOptions.Default found.Operator
            Expect.isTrue (string diagnosis) diagnosis.IsHealthy)
    ]
