/// The F# of docs/torchsharp.md.
module DocExamples.TorchSharpExamples

open System
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Torch
open Curvature.TorchSharp

let private data () =
    let images, labels = torch.randn [| 40L; 1L; 8L; 8L |], torch.randint (10L, [| 40L |])

    let net =
        torch.nn.Sequential(
            [|
                torch.nn.Conv2d(1L, 4L, 3L) :> TensorModule
                torch.nn.Tanh()
                torch.nn.Flatten()
                torch.nn.Linear(144L, 10L)
            |]
        )

    net, images, labels

[<Tests>]
let tests =
    testList "DocExamples.TorchSharpExamples" [
        torchTest "a loss" (fun () ->
            let net, images, labels = data ()

            let loss () = torch.nn.functional.cross_entropy (net.call images, labels)
            use curvature = TorchHessian.at loss (net.named_parameters ())

            printfn $"{curvature}" // torch Hessian [1490; 1490] Float32, loss 2.3…
            let trace = Hutchinson.trace (StoppingRule.matvecs 100) (Key.OfSeed 1L) curvature.Operator
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 curvature.Operator

            let byTensor =
                CurvatureByTensor.estimate
                    curvature.Layout
                    (StoppingRule.matvecs 100)
                    (Key.OfSeed 1L)
                    curvature.Operator

            Expect.equal "size" 1490 curvature.Layout.Size
            Expect.equal "tensors" 4 byTensor.Tensors.Count
            Expect.isTrue "numbers" (Double.IsFinite trace.Value && pairs.Values.Length = 3))

        torchTest "a model and a criterion" (fun () ->
            let net, images, labels = data ()

            let model () = net.call images
            let criterion (logits: torch.Tensor) = torch.nn.functional.cross_entropy (logits, labels)
            use gaussNewton = TorchGaussNewton.at model criterion (net.named_parameters ())
            use fisher = TorchFisher.exact Likelihood.categorical model (net.named_parameters ())
            use jacobian = TorchJacobian.at model (net.named_parameters ())

            Expect.equal "outputs" [| 40; 10 |] gaussNewton.Outputs.Shape
            Expect.equal "rows" 400 jacobian.Operator.Rows
            let v = vectorsOf 1L 1 fisher.Operator
            agree "softmax" 1e-4 (gaussNewton.Operator.Apply v) (fisher.Operator.Apply v))

        torchTest "batches" (fun () ->
            let net, images, labels = data ()

            use dataset = torch.utils.data.TensorDataset(images, labels)
            use loader = torch.utils.data.DataLoader(dataset, 16, shuffle = false)

            let loss (batch: Collections.Generic.IList<torch.Tensor>) =
                torch.nn.functional.cross_entropy (net.call batch[0], batch[1])

            let risk = TorchRisk.ofBatches Reduction.Mean loss loader (net.named_parameters ())
            use curvature = TorchHessian.ofRisk risk

            let direction =
                Direction.random (Key.OfSeed 2L) risk.Theta |> Direction.filterNormalized risk.Layout risk.Theta

            let line = Landscape.line (TorchRisk.toEmpiricalRisk risk) risk.Theta direction (Landscape.grid 1.0 21)

            Expect.equal "positions" 21 line.Losses.Length
            Expect.isTrue "loss" (abs (line.Losses[10] - curvature.Loss) < 1e-5))

        torchTest "a part and weights" (fun () ->
            let net, images, labels = data ()
            let loss () = torch.nn.functional.cross_entropy (net.call images, labels)

            for tap in TorchActivation.taps loss net do
                printfn $"{tap}" // 0 [40; 4; 6; 6], …

            use hessian = TorchActivation.at loss "1" net

            Expect.equal "size" (40 * 144) hessian.Operator.Rows

            let dense =
                torch.nn.Sequential(
                    [| torch.nn.Linear(8L, 4L) :> TensorModule; torch.nn.Tanh(); torch.nn.Linear(4L, 2L) |]
                )

            let network = Network.mlp Layer.tanh [ 8; 4; 2 ]
            let theta, network = Network.load DType.Float32 (TorchParameters.ofStateDict (dense.state_dict ())) network

            Expect.equal "size" network.ParameterCount theta.Size)
    ]
