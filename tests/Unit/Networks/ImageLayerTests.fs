module Curvature.Tests.Unit.ImageLayerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

let private names (network: Network) =
    [ for tensor in network.Layout.Tensors -> tensor.Name, List.ofArray tensor.Shape ]

let private same = Sliding.Default.WithPadding 1

let private small =
    [
        ImageLayer.conv2d 2 4 (3, 3) same
        Normalization.batch 4
        Layer.relu
        ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
        ImageLayer.groupedConv2d 4 6 2 (2, 1) Sliding.Default
        ImageLayer.averagePool2d (1, 2) Sliding.Default
        ImageLayer.flatten
        Layer.dense 12 3
    ]
    |> Layer.sequential
    |> ImageLayer.onImages
    |> Network.ofLayer

[<Tests>]
let tests =
    testList "Unit.ImageLayerTests" [
        test "parameters and statistics have PyTorch's names, shapes and order" {
            let expected =
                [
                    "0.weight", [ 4; 2; 3; 3 ]
                    "0.bias", [ 4 ]
                    "1.weight", [ 4 ]
                    "1.bias", [ 4 ]
                    "4.weight", [ 6; 2; 2; 1 ]
                    "4.bias", [ 6 ]
                    "7.weight", [ 3; 12 ]
                    "7.bias", [ 3 ]
                ]

            Expect.isTrue $"{names small}" (names small = expected)
            let statistics = [ for pair in small.Statistics -> pair.Key ] |> List.sort
            Expect.isTrue $"{statistics}" (statistics = [ "1.running_mean"; "1.running_var" ])
        }

        test "a network of image layers computes what functions of images in PyTorch's layout do" {
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 small
            let p = small.Layout.Split theta
            let x = random 2L [ 5; 2; 4; 6 ]
            let perChannel (t: Tensor) = Tensor.reshape [ 1; -1; 1; 1 ] t

            let expected =
                Nchw.conv2d same p["0.weight"] x + perChannel p["0.bias"]
                |> fun y -> Tensor.relu (y / sqrt (1.0 + 1e-5))
                |> Nchw.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
                |> Nchw.groupedConv2d 2 Sliding.Default p["4.weight"]
                |> fun y -> Nchw.averagePool2d (1, 2) Sliding.Default (y + perChannel p["4.bias"])
                |> Tensor.reshape [ 5; 12 ]
                |> fun y -> Tensor.einsum "bi,oi->bo" y p["7.weight"] + p["7.bias"]

            Expect.tensorsClose 1e-13 expected (Network.forward small theta x)
        }

        test "a convolution without bias has one parameter, and images come out in PyTorch's layout" {
            let network =
                Network.ofLayer (ImageLayer.onImages (ImageLayer.conv2dWithoutBias 2 3 (2, 2) Sliding.Default))

            Expect.isTrue $"{names network}" (names network = [ "weight", [ 3; 2; 2; 2 ] ])
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let x = random 2L [ 2; 2; 3; 4 ]
            let expected = Nchw.conv2d Sliding.Default (Tensor.reshape [ 3; 2; 2; 2 ] theta) x
            Expect.sameBits expected (Network.forward network theta x)
            let largest = theta.ToArray() |> Array.map abs |> Array.max
            Expect.isTrue "uniform on ±1/√8" (largest <= 1.0 / sqrt 8.0 && largest > 0.2)
        }

        test "a residual block adds its input, at every second pixel and with zeros for new channels" {
            let block = Network.ofLayer (ResNet.basicBlock 2 4 2)
            // With weights 0 the convolutions give nothing, and the shortcut is all there is.
            let theta = Tensor.zeros DType.Float64 [ block.ParameterCount ]
            let x = Tensor.square (random 3L [ 1; 3; 5; 2 ])
            let y = Network.forward block theta x
            Expect.isTrue $"%A{y.Shape}" (y.Shape = [| 1; 2; 3; 4 |])
            let picked = x |> Tensor.sliceStep 1 0 2 2 |> Tensor.sliceStep 2 0 3 2
            Expect.sameBits picked (Tensor.slice 3 1 2 y)
            Expect.scalar 0.0 0.0 (Tensor.sum (Tensor.square (Tensor.slice 3 0 1 y)))
            Expect.scalar 0.0 0.0 (Tensor.sum (Tensor.square (Tensor.slice 3 3 1 y)))
        }

        test "deeper residual networks have the sizes of the paper" {
            // He et al. 2016, table 6: 0.27, 0.46 and 0.85 million.
            Expect.isTrue "20" (ResNet.resNet20.ParameterCount = 269722)
            Expect.isTrue "32" (ResNet.resNet32.ParameterCount = 464154)
            Expect.isTrue "56" (ResNet.resNet56.ParameterCount = 853018)
            Expect.error<ArgumentRangeException> [ "21" ] (fun () -> ResNet.cifar 21 10 |> ignore)
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 ResNet.resNet20
            let images = Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 1; 3; 1; 1 ]
            Expect.isTrue "images of one pixel" ((Network.forward ResNet.resNet20 theta images).Shape = [| 1; 10 |])
        }

        test "tensors load by name, and what is missing, unknown or of the wrong shape is said" {
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 small
            let statistics = [ "1.running_mean", random 5L [ 4 ]; "1.running_var", Tensor.square (random 6L [ 4 ]) ]
            let changed = small.WithStatistics(statistics |> Seq.map System.Collections.Generic.KeyValuePair)
            let saved = Network.save theta changed
            let counted = ("1.num_batches_tracked", Tensor.ofIndices [] [| 7 |]) :: List.rev saved
            let loaded, network = Network.load DType.Float64 counted small
            Expect.sameBits theta loaded
            let x = random 2L [ 3; 2; 4; 6 ]
            Expect.sameBits (Network.forward changed theta x) (Network.forward network loaded x)
            let values (network: Network) = (Network.forward network theta x).ToArray()
            Expect.isTrue "statistics count" (values small <> values changed)

            let load tensors () = Network.load DType.Float64 tensors small |> ignore
            let without name = saved |> List.filter (fun (other, _) -> other <> name)
            Expect.error<ParameterException> [ "missing"; "4.bias" ] (load (without "4.bias"))
            Expect.error<ParameterException> [ "missing"; "1.running_var" ] (load (without "1.running_var"))
            Expect.error<ParameterException> [ "9.weight" ] (load (("9.weight", theta) :: saved))
            Expect.error<ParameterException> [ "7.bias"; "2 times" ] (load (("7.bias", random 1L [ 3 ]) :: saved))
            let wholes = Tensor.ofIndices [ 3 ] [| 1; 2; 3 |]
            Expect.error<DTypeException> [ "7.bias"; "whole" ] (load (("7.bias", wholes) :: without "7.bias"))

            let single =
                saved
                |> List.map (fun (name, t) -> name, (if name = "7.bias" then Tensor.convert DType.Float32 t else t))

            let mixed, _ = Network.load DType.Float32 single small
            Expect.tensorsClose 0.0 (Tensor.convert DType.Float32 theta) mixed

            Expect.error<ShapeException>
                [ "7.bias"; "[3]"; "[4]" ]
                (load (("7.bias", random 1L [ 4 ]) :: without "7.bias"))
        }

        test "layers that cannot be, and inputs that do not fit, are refused by name" {
            Expect.error<ArgumentRangeException> [ "conv2d"; "0" ] (fun () ->
                ImageLayer.conv2d 0 4 (3, 3) same |> ignore)

            Expect.error<ArgumentRangeException> [ "groups"; "3" ] (fun () ->
                ImageLayer.groupedConv2d 3 4 3 (3, 3) same |> ignore)

            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 small

            Expect.error<ShapeException> [ "layer 0"; "3 channels"; "2 channels" ] (fun () ->
                Network.forward small theta (random 2L [ 1; 3; 4; 6 ]) |> ignore)

            Expect.error<ShapeException> [ "conv2d"; "[2; 4; 6]" ] (fun () ->
                Network.forward small theta (random 2L [ 2; 4; 6 ]) |> ignore)

            let unknown = Layer.composed "pair" [ "a", Layer.tanh ] (fun run x -> run "b" x)

            Expect.error<ParameterException> [ "pair"; "\"b\""; "a" ] (fun () ->
                Network.forward (Network.ofLayer unknown) (Tensor.zeros DType.Float64 [ 0 ]) (random 1L [ 2 ])
                |> ignore)
        }
    ]
