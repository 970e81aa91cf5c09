/// A trained ResNet-20 on CIFAR-10, against numbers that PyTorch computed in double precision.
module Curvature.Tests.Unit.ResNetTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private relative tolerance (name: string) (actual: float) =
    let expected = TrainedResNet.number name
    Expect.isTrue $"{name}: {actual} against {expected}" (abs (actual - expected) <= tolerance * abs expected)

/// sin 1, sin 2, …
let private probe dtype n = Tensor.ofArray [ n ] (Array.init n (fun i -> sin (float (i + 1)))) |> Tensor.convert dtype

let private norm (t: Tensor) = t.ToArray() |> Array.sumBy (fun x -> x * x) |> sqrt

let private dot (a: Tensor) (b: Tensor) = Array.map2 (*) (a.ToArray()) (b.ToArray()) |> Array.sum

let private vector tolerance name (v: Tensor) =
    relative tolerance $"{name}_norm" (norm v)
    let scale = TrainedResNet.number $"{name}_norm"
    let close expected actual = Expect.close tolerance [| expected / scale |] [| actual / scale |]
    let values = v.ToArray()
    TrainedResNet.numbers $"{name}_first5" |> List.iteri (fun i expected -> close expected values[i])

    TrainedResNet.numbers $"{name}_last5"
    |> List.iteri (fun i expected -> close expected values[values.Length - 5 + i])

let private check dtype tolerance =
    let theta, logits, criterion = TrainedResNet.problem dtype
    let point = TrainedResNet.point dtype
    relative tolerance "loss" point.Loss
    relative tolerance "gradient_norm" (norm point.Gradient)

    for name, operator: LinearOperator in [ "H", point.Hessian; "G", GaussNewton.at logits criterion theta ] do
        let v = probe dtype theta.Size
        let product = operator.Apply v
        vector tolerance $"{name}v" product
        relative tolerance $"v{name}v" (dot v product)
        relative tolerance $"v{name}v" ((operator.QuadraticForm v).ToScalar())

[<Tests>]
let tests =
    testList "Unit.ResNetTests" [
        test "parameters have the names, shapes and order of the file" {
            let names (tensors: (string * Tensor) list) = [ for name, t in tensors -> name, List.ofArray t.Shape ]
            let tensors = TrainedResNet.tensors ()
            let theta, network = TrainedResNet.network DType.Float32
            Expect.isTrue $"{network.ParameterCount}" (network.ParameterCount = 269722)
            let saved = Network.save theta network
            Expect.isTrue "the same tensors" (List.sort (names saved) = List.sort (names tensors))
            let parameters = tensors |> List.filter (fun (name, _) -> not (network.Statistics.ContainsKey name))
            Expect.isTrue "the same order" (names (List.take parameters.Length saved) = names parameters)
            let values tensors = Map.ofList [ for name, t: Tensor in tensors -> name, t.ToArray() ]
            Expect.isTrue "the same values" (values saved = values tensors)
        }

        test "logits of the first test image are PyTorch's, and 915 of 1000 images are right" {
            let theta, network = TrainedResNet.network DType.Float32
            let inputs, labels = TrainedResNet.images DType.Float32 1000

            let logits =
                Tensor.concat 0 [
                    for start in 0..100..900 -> Network.forward network theta (Tensor.slice 0 start 100 inputs)
                ]

            let expected =
                [|
                    -5.30968
                    -0.49577
                    0.87726
                    23.73052
                    -4.10504
                    4.46373
                    -0.23435
                    -5.41793
                    -3.71179
                    -9.88218
                |]

            Expect.close 1e-5 expected ((Tensor.item 0 0 logits).ToArray())
            Expect.close 1e-9 [| 0.915 |] [| Loss.accuracy labels logits |]
            let mean = Loss.softmaxCrossEntropy Reduction.Mean labels logits
            Expect.close 1e-6 [| 0.384205 |] (mean.ToArray())
        }

        test "loss, gradient, Hv, vᵀHv, Gv and vᵀGv are PyTorch's in float64" { check DType.Float64 1e-8 }

        test "loss, gradient, Hv, vᵀHv, Gv and vᵀGv are PyTorch's in float32, to its precision" {
            check DType.Float32 1e-3
        }
    ]
