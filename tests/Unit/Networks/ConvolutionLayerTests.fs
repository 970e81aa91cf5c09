/// Layers of signals, transposed convolutions, and activations with parameters.
module Curvature.Tests.Unit.ConvolutionLayerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

let private names (network: Network) =
    [ for tensor in network.Layout.Tensors -> tensor.Name, List.ofArray tensor.Shape ]

let private perChannel rank (t: Tensor) = Tensor.reshape (1 :: -1 :: List.replicate (rank - 2) 1) t

let private signals =
    [
        ImageLayer.conv1d 2 6 3 (Sliding.Default.WithPadding 1)
        Layer.mish
        ImageLayer.maxPool1d 2 (Sliding.Default.WithStride(2).WithCeilMode true)
        ImageLayer.groupedConv1d 6 4 2 2 (Sliding.Default.WithDilation 2)
        ImageLayer.averagePool1d 2 (Sliding.Default.WithPadding 1)
        Layer.prelu 4
    ]
    |> Layer.sequential
    |> ImageLayer.onSignals
    |> Network.ofLayer

[<Tests>]
let tests =
    testList "Unit.ConvolutionLayerTests" [
        test "a network of signals has PyTorch's names, and computes what functions in PyTorch's layout do" {
            let expected =
                [
                    "0.weight", [ 6; 2; 3 ]
                    "0.bias", [ 6 ]
                    "3.weight", [ 4; 3; 2 ]
                    "3.bias", [ 4 ]
                    "5.weight", [ 4 ]
                ]

            Expect.equal "parameters" expected (names signals)
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 signals
            let p = signals.Layout.Split theta
            let x = random 2L [ 3; 2; 9 ]

            let expected =
                Nchw.conv1d (Sliding.Default.WithPadding 1) p["0.weight"] x + perChannel 3 p["0.bias"]
                |> Activation.mish
                |> Nchw.maxPool1d 2 (Sliding.Default.WithStride(2).WithCeilMode true)
                |> Nchw.groupedConv1d 2 (Sliding.Default.WithDilation 2) p["3.weight"]
                |> fun y -> Nchw.averagePool1d 2 (Sliding.Default.WithPadding 1) (y + perChannel 3 p["3.bias"])
                |> Activation.prelu (perChannel 3 p["5.weight"])

            Expect.tensorsClose 1e-13 expected (Network.forward signals theta x)
            Expect.tensor 0.0 [ 4 ] (List.replicate 4 0.25) p["5.weight"]
        }

        test "a transposed convolution has PyTorch's weight, and begins as PyTorch's does" {
            let sliding = Sliding.Default.WithStride(2).WithPadding 1
            let layer = ImageLayer.groupedConvTranspose2d 4 6 2 (1, 0) (3, 3) sliding
            let network = Network.ofLayer (ImageLayer.onImages layer)
            Expect.equal "parameters" [ "weight", [ 4; 3; 3; 3 ]; "bias", [ 6 ] ] (names network)
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let p = network.Layout.Split theta
            let x = random 2L [ 2; 4; 3; 2 ]

            let expected = Nchw.groupedConvTranspose2d 2 (1, 0) sliding p["weight"] x + perChannel 4 p["bias"]

            Expect.equal "shape" [| 2; 6; 6; 3 |] expected.Shape
            Expect.tensorsClose 1e-14 expected (Network.forward network theta x)
            // PyTorch counts 3·3·3 inputs of an output, by the second axis of the weight.
            let largest = theta.ToArray() |> Array.map abs |> Array.max
            Expect.isTrue $"{largest}" (largest <= 1.0 / sqrt 27.0 && largest > 0.17)
            let plain = Network.ofLayer (ImageLayer.convTranspose2d 4 6 (3, 3) sliding)
            Expect.equal "parameters" [ "weight", [ 4; 6; 3; 3 ]; "bias", [ 6 ] ] (names plain)
        }

        test "activations are layers" {
            let x = random 3L [ 4; 3 ]
            let run layer = Network.forward (Network.ofLayer layer) (Tensor.zeros DType.Float64 [ 0 ]) x

            for layer, f in
                [
                    Layer.selu, Activation.selu
                    Layer.mish, Activation.mish
                    Layer.geluTanh, Activation.geluTanh
                    Layer.hardSwish, Activation.hardSwish
                    Layer.hardSigmoid, Activation.hardSigmoid (1.0 / 6.0) 0.5
                    Layer.leakyRelu 0.2, Activation.leakyRelu 0.2
                    Layer.elu 0.3, Activation.elu 0.3
                ] do
                Expect.sameBits (f x) (run layer)
        }

        test "a rotary embedding goes on where earlier tokens ended" {
            let x = random 4L [ 2; 7; 8 ]
            let whole = Attention.rotary 100.0 2 x
            let rest = Attention.rotaryFrom 3 100.0 2 (Tensor.slice 1 3 4 x)
            Expect.tensorsClose 1e-15 (Tensor.slice 1 3 4 whole) rest
            Expect.sameBits whole (Attention.rotaryFrom 0 100.0 2 x)

            Expect.raises<ArgumentRangeException> [ "first token"; "-1" ] (fun () -> Attention.rotaryFrom -1 100.0 2 x)
        }

        test "layers that cannot be, and inputs that do not fit, are refused by name" {
            let range = Expect.error<ArgumentRangeException>
            range [ "conv1d"; "groups"; "4" ] (fun () -> ImageLayer.groupedConv1d 6 4 4 2 Sliding.Default |> ignore)
            range [ "convTranspose2d"; "0" ] (fun () -> ImageLayer.convTranspose2d 2 0 (3, 3) Sliding.Default |> ignore)
            range [ "prelu"; "0" ] (fun () -> Layer.prelu 0 |> ignore)
            range [ "leakyRelu"; "slope" ] (fun () -> Layer.leakyRelu nan |> ignore)
            range [ "elu"; "alpha" ] (fun () -> Layer.elu infinity |> ignore)
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 signals
            let run shape () = Network.forward signals theta (random 2L shape) |> ignore
            Expect.error<ShapeException> [ "layer 0"; "conv1d"; "3 channels"; "2 channels" ] (run [ 1; 3; 9 ])
            Expect.error<ShapeException> [ "layer 0"; "conv1d"; "[2; 9]" ] (run [ 2; 9 ])
        }
    ]
