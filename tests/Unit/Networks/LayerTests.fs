module Curvature.Tests.Unit.LayerTests

open System
open System.IO
open System.Text.Json.Nodes
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private names (network: Network) =
    [ for tensor in network.Layout.Tensors -> tensor.Name, List.ofArray tensor.Shape ]

[<Tests>]
let tests =
    testList "Unit.LayerTests" [
        test "parameters have PyTorch's names, shapes and order" {
            let network = Network.sequential [ Layer.dense 64 32; Layer.tanh; Layer.dense 32 10 ]

            let expected = [ "0.weight", [ 32; 64 ]; "0.bias", [ 32 ]; "2.weight", [ 10; 32 ]; "2.bias", [ 10 ] ]

            Expect.isTrue $"{names network}" (names network = expected)
            Expect.isTrue $"{network.ParameterCount}" (network.ParameterCount = 2410)
            Expect.isTrue "mlp" (names (Network.mlp Layer.tanh [ 64; 32; 10 ]) = expected)
        }

        test "a network of two dense layers computes what a hand does" {
            let network = Network.mlp Layer.relu [ 2; 2; 1 ]
            // W₁ = [1 2; −3 4], b₁ = [0.5 −1], W₂ = [2 −1], b₂ = [10]
            let theta = tensor [ 1.0; 2.0; -3.0; 4.0; 0.5; -1.0; 2.0; -1.0; 10.0 ]
            let x = tensor [ [ 1.0; 1.0 ]; [ 2.0; -1.0 ]; [ -1.0; 1.0 ] ]
            // hidden: (3.5, 0), (0.5, −11 → 0), (1.5, 6)
            Expect.tensor 1e-15 [ 3; 1 ] [ 17.0; 11.0; 7.0 ] (Network.forward network theta x)
        }

        test "a dense layer works along the last of any number of axes" {
            let network = Network.sequential [ Layer.dense 2 3 ]
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let x = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 4; 5; 2 ]
            let rows = Network.forward network theta (Tensor.reshape [ 20; 2 ] x)
            Expect.tensorsClose 1e-14 (Tensor.reshape [ 4; 5; 3 ] rows) (Network.forward network theta x)
            let first = x |> Tensor.item 0 0 |> Tensor.item 0 0
            Expect.tensorsClose 1e-14 (Tensor.item 0 0 rows) (Network.forward network theta first)
        }

        test "activations have their closed forms" {
            let cases =
                [
                    Layer.tanh, tanh
                    Layer.relu, max 0.0
                    Layer.sigmoid, (fun x -> 1.0 / (1.0 + exp -x))
                    Layer.silu, (fun x -> x / (1.0 + exp -x))
                    Layer.softplus, (fun x -> log (1.0 + exp x))
                ]

            let points = [| -3.0; -0.5; 0.0; 0.25; 2.0 |]

            for layer, f in cases do
                let network = Network.ofLayer layer

                Network.forward network (Tensor.zeros DType.Float64 [ 0 ]) (Tensor.ofArray [ 5 ] points)
                |> Expect.tensor 1e-12 [ 5 ] (Array.map f points)

            // x·Φ(x) at −1, 0 and 2, with Φ(1) = 0.841344746068543 and Φ(2) = 0.977249868051821.
            Network.forward (Network.ofLayer Layer.gelu) (Tensor.zeros DType.Float64 [ 0 ]) (tensor [ -1.0; 0.0; 2.0 ])
            |> Expect.tensor 1e-12 [ 3 ] [ -0.158655253931457; 0.0; 1.954499736103642 ]
        }

        test "layers compose under names" {
            let block = Layer.residual (Layer.sequential [ Layer.dense 3 3; Layer.tanh ])
            let network = Network.ofLayer (Layer.named [ "stem", block; "head", Layer.denseWithoutBias 3 2 ])

            let expected = [ "stem.0.weight", [ 3; 3 ]; "stem.0.bias", [ 3 ]; "head.weight", [ 2; 3 ] ]
            Expect.isTrue $"{names network}" (names network = expected)
            let theta = Network.initialize (Key.OfSeed 3L) DType.Float64 network
            let x = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 5; 3 ]
            let parts = ParameterLayout.split theta network.Layout
            let dense = Tensor.matmul x (Tensor.transpose parts["stem.0.weight"]) + parts["stem.0.bias"]
            let expected = Tensor.matmul (x + Tensor.tanh dense) (Tensor.transpose parts["head.weight"])
            Expect.tensorsClose 1e-14 expected (Network.forward network theta x)
        }

        test "flatten keeps the batch and joins the rest" {
            let flat = Network.forward (Network.ofLayer Layer.flatten) (Tensor.zeros DType.Float64 [ 0 ])
            let shape = (flat (Tensor.zeros DType.Float64 [ 5; 2; 3; 4 ])).Shape
            Expect.isTrue $"%A{shape}" (shape = [| 5; 24 |])
            let empty = (flat (Tensor.zeros DType.Float64 [ 0; 2; 3 ])).Shape
            Expect.isTrue $"%A{empty}" (empty = [| 0; 6 |])
        }

        test "an input of the wrong size names the layer that cannot take it" {
            let network = Network.mlp Layer.tanh [ 4; 3; 2 ]
            let theta = Network.initialize (Key.OfSeed 5L) DType.Float64 network

            Expect.error<ShapeException> [ "layer 0"; "dense 4 → 3"; "[7; 5]" ] (fun () ->
                Network.forward network theta (Tensor.zeros DType.Float64 [ 7; 5 ]) |> ignore)

            let broken = Network.sequential [ Layer.dense 4 3; Layer.dense 2 2 ]

            Expect.error<ShapeException> [ "layer 1"; "dense 2 → 2"; "[7; 3]" ] (fun () ->
                Network.forward broken (Tensor.zeros DType.Float64 [ 21 ]) (Tensor.zeros DType.Float64 [ 7; 4 ])
                |> ignore)
        }

        test "inputs and parameters of different element types are refused" {
            let network = Network.mlp Layer.tanh [ 4; 2 ]

            Expect.error<DTypeException> [ "Float32"; "Float64" ] (fun () ->
                Network.forward network (Tensor.zeros DType.Float64 [ 10 ]) (Tensor.zeros DType.Float32 [ 1; 4 ])
                |> ignore)
        }

        test "sizes that make no layer are refused" {
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> Layer.dense 0 3 |> ignore)
            Expect.error<ArgumentRangeException> [ "1 sizes" ] (fun () -> Network.mlp Layer.tanh [ 3 ] |> ignore)
        }

        test "parameters begin uniform on ±1/√inputs, in both element types alike" {
            let network = Network.mlp Layer.tanh [ 100; 50; 10 ]
            let theta = Network.initialize (Key.OfSeed 6L) DType.Float64 network
            let parts = ParameterLayout.split theta network.Layout

            for name, bound in [ "0.weight", 0.1; "0.bias", 0.1; "2.weight", sqrt 0.02; "2.bias", sqrt 0.02 ] do
                let values = parts[name].ToArray()
                let largest = values |> Array.map abs |> Array.max
                Expect.isTrue $"{name} reaches {largest}" (largest <= bound && largest > 0.7 * bound)

            // The mean square of n uniform numbers is bound²/3, with standard error bound²·√(4/45n).
            let square = parts["0.weight"].ToArray() |> Array.averageBy (fun w -> w * w)
            Expect.isTrue $"{square}" (abs (square - 0.01 / 3.0) < 5.0 * 0.01 * sqrt (4.0 / 45.0 / 5000.0))
            let single = Network.initialize (Key.OfSeed 6L) DType.Float32 network
            Expect.sameBits (Tensor.convert DType.Float32 theta) single
            let other = Network.initialize (Key.OfSeed 7L) DType.Float64 network
            Expect.isTrue "another key" (theta.ToArray() <> other.ToArray())
        }

        test "how parameters begin can be replaced" {
            let glorot name =
                match name with
                | "weight" -> Some Initial.glorot
                | "bias" -> Some(Initial.constant 0.5)
                | _ -> None

            let network = Network.sequential [ Layer.dense 10 50 |> Layer.initialized glorot ]
            let parts = ParameterLayout.split (network.Initialize(Key.OfSeed 8L, DType.Float64)) network.Layout
            Expect.tensor 0.0 [ 50 ] (Array.create 50 0.5) parts["0.bias"]
            let largest = parts["0.weight"].ToArray() |> Array.map abs |> Array.max
            let bound = sqrt 0.1
            Expect.isTrue $"{largest}" (largest <= bound && largest > 0.9 * bound)
        }

        test "the loss and gradient of a network on handwritten digits are PyTorch's" {
            let reference = File.ReadAllText(SharedData.path "reference/digits_mlp_float64.json") |> JsonNode.Parse
            let data = Csv.read (SharedData.path "data/digits.csv.gz")
            let x = (data.Inputs |> Tensor.slice 0 0 200) / 16.0
            let labels = data.Labels |> Tensor.slice 0 0 200
            let network = Network.mlp Layer.tanh [ 64; 32; 10 ]
            let theta = Tensor.ofArray [ 2410 ] (Array.init 2410 (fun i -> 0.3 * sin (float (i + 1))))

            for dtype, tolerance in [ DType.Float64, 1e-9; DType.Float32, 1e-3 ] do
                let x = Tensor.convert dtype x
                let loss theta = Network.forward network theta x |> Loss.softmaxCrossEntropy Reduction.Mean labels
                let value, gradient = fgrad loss (Tensor.convert dtype theta)
                Expect.scalar tolerance (reference["loss"].GetValue<float>()) value
                Expect.scalar tolerance (reference["gradient_norm"].GetValue<float>()) (Tensor.norm gradient)
                let first = [ for entry in reference["gradient_first5"].AsArray() -> entry.GetValue<float>() ]
                Expect.tensor tolerance [ 5 ] first (Tensor.slice 0 0 5 gradient)
        }
    ]
