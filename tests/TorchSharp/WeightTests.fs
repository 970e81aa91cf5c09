/// Weights both ways.
module Curvature.Tests.Torch.WeightTests

open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

[<Tests>]
let tests =
    testList "Torch.WeightTests" [
        for name, make in [ "CNN", Cases.cnn; "residual network", Cases.residual; "encoder", Cases.encoder ] do
            torchTest $"weights of a {name} go to the library's network and back" (fun () ->
                let case = make DType.Float64
                // Outputs are the same with the weights that went there.
                let outputs = Network.forward case.Own case.Theta (Exchange.ofTorch case.Inputs)
                agree "outputs" 1e-12 (Exchange.ofTorch (case.Net.call case.Inputs)) outputs
                // Other weights come back, to the bit, with statistics.
                let theta = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ case.Theta.Size ]
                let struct (there, own) = TorchParameters.Load(case.Net, case.Own, DType.Float64)
                Expect.sameBits case.Theta there
                TorchParameters.Save(theta, own, case.Net)
                let struct (back, again) = TorchParameters.Load(case.Net, case.Own, DType.Float64)
                Expect.sameBits theta back

                for statistic in own.Statistics do
                    Expect.sameBits statistic.Value again.Statistics[statistic.Key]

                let outputs = Network.forward again back (Exchange.ofTorch case.Inputs)
                agree "outputs again" 1e-10 (Exchange.ofTorch (case.Net.call case.Inputs)) outputs)

        torchTest "a state dictionary made of the library's tensors loads" (fun () ->
            let case = Cases.residual DType.Float32
            let state = TorchParameters.toStateDict (Network.save (2.0 * case.Theta) case.Own)
            case.Net.load_state_dict (state, strict = false) |> ignore

            Expect.sameBits
                (2.0 * case.Theta)
                (let struct (theta, _) = TorchParameters.Load(case.Net, case.Own, DType.Float32) in theta))

        torchTest "theta is read and written in the order of named_parameters" (fun () ->
            let net = Cases.mlp [ 3L; 4L; 2L ]
            let layout = TorchParameters.Layout net
            Expect.equal "names" [ "0.weight"; "0.bias"; "2.weight"; "2.bias" ] [ for t in layout.Tensors -> t.Name ]
            let theta = Tensor.normal (Key.OfSeed 9L) DType.Float32 [ layout.Size ]
            TorchParameters.Write(theta, net)
            Expect.sameBits theta (TorchParameters.Read net)
            let bias = Exchange.ofTorch (net.get_parameter "0.bias")
            Expect.sameBits (Tensor.slice 0 layout["0.bias"].Offset 4 theta) bias)
    ]
