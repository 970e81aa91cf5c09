/// A risk in torch where the library takes an EmpiricalRisk.
module Curvature.Tests.Torch.EmpiricalRiskTests

open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

/// A CNN's loss over batches in torch, and the same in the library.
let private both () =
    let case = Cases.cnn DType.Float64
    let inputs, labels = Exchange.ofTorch case.Inputs, Exchange.ofTorch case.Labels
    let own theta = Network.forward case.Own theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels
    let loss struct (x: T, y: T) = crossEntropy y (case.Net.call x)

    let batches =
        Seq.init 3 (fun i ->
            struct (case.Inputs.narrow (0L, 8L * int64 i, 8L), case.Labels.narrow (0L, 8L * int64 i, 8L)))

    let risk = TorchRisk.ofBatches Reduction.Mean loss batches (case.Net.named_parameters ())
    case, risk, TorchRisk.toEmpiricalRisk risk, Risk.ofFunction own

[<Tests>]
let tests =
    testList "Torch.EmpiricalRiskTests" [
        torchTest "its value, gradient and Hessian are the library's at any point" (fun () ->
            let case, risk, found, own = both ()
            let elsewhere = case.Theta + 0.1 * Tensor.normal (Key.OfSeed 4L) DType.Float64 [ case.Theta.Size ]

            for theta in [ case.Theta; elsewhere ] do
                Expect.within "value" 1e-12 (Risk.value own theta) (Risk.value found theta)
                agree "gradient" 1e-11 (Gradient.ofRisk own theta).Gradient (Gradient.ofRisk found theta).Gradient
                let expected, actual = Hessian.ofRisk own theta, Hessian.ofRisk found theta
                let v = vectorsOf 2L 3 expected
                agree "products" 1e-11 (expected.Apply v) (actual.Apply v)
                agree "forms" 1e-11 (expected.QuadraticForm v) (actual.QuadraticForm v)

            Expect.sameBits case.Theta risk.Theta)

        torchTest "operators that were made before stay valid while points are tried" (fun () ->
            let case, risk, found, _ = both ()

            use hessian =
                TorchHessian.at
                    (fun () -> crossEntropy case.Labels (case.Net.call case.Inputs))
                    (case.Net.named_parameters ())

            let v = vectorsOf 3L 2 hessian.Operator
            let before = hessian.Operator.Apply v
            Risk.value found (1.1 * risk.Theta) |> ignore
            Expect.sameBits before (hessian.Operator.Apply v))

        torchTest "a landscape is the library's, with its quadratic model" (fun () ->
            let case, risk, found, own = both ()

            let axis seed =
                Direction.random (Key.OfSeed seed) case.Theta |> Direction.filterNormalized risk.Layout case.Theta

            let positions = Landscape.grid 0.5 7
            let expected = Landscape.line own case.Theta (axis 1L) positions
            let line = Landscape.line found risk.Theta (axis 1L) positions
            Expect.close 1e-11 expected.Losses line.Losses
            Expect.within "curvature" 1e-10 expected.Model.Curvatures[0, 0] line.Model.Curvatures[0, 0]

            let expected =
                Landscape.plane
                    own
                    case.Theta
                    (Landscape.axis positions (axis 1L))
                    (Landscape.axis positions (axis 2L))

            let plane =
                Landscape.plane
                    found
                    risk.Theta
                    (Landscape.axis positions (axis 1L))
                    (Landscape.axis positions (axis 2L))

            Expect.close
                1e-11
                (Seq.cast<float> expected.Losses |> Seq.toArray)
                (Seq.cast<float> plane.Losses |> Seq.toArray)

            Expect.sameBits case.Theta risk.Theta)

        torchTest "an operator agrees with differences of the risk's gradients" (fun () ->
            let _, risk, found, _ = both ()
            use hessian = TorchHessian.ofRisk risk
            let diagnosis = Diagnose.againstRisk DiagnoseOptions.Default found risk.Theta hessian.Operator
            Expect.isTrue (string diagnosis) diagnosis.IsHealthy)
    ]
