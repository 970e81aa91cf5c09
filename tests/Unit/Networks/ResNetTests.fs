namespace Curvature.Tests.Unit

open System.IO
open System.Text.Json.Nodes
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A trained ResNet-20 on CIFAR-10, against numbers that PyTorch computed in double precision.
[<TestFixture>]
type ResNetTests() =

    let trained dtype =
        let tensors = Safetensors.read (SharedData.path "data/resnet20_cifar10.safetensors")
        Network.load dtype tensors ResNet.resNet20

    let images dtype count =
        let images, labels = Cifar.read10 DType.Float64 (SharedData.path "data/cifar10_test_1000.bin")

        let normalised =
            images |> Tensor.slice 0 0 count |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]

        Tensor.convert dtype normalised, Tensor.slice 0 0 count labels

    let loss dtype =
        let theta, network = trained dtype
        let inputs, labels = images dtype 50
        theta, Network.forward network, inputs, Loss.softmaxCrossEntropy Reduction.Mean labels

    let reference =
        lazy (SharedData.path "reference/resnet20_cifar10_float64.json" |> File.ReadAllText |> JsonNode.Parse)

    let number (name: string) = reference.Value[name].GetValue<float>()

    let numbers (name: string) = [ for item in reference.Value[name].AsArray() -> item.GetValue<float>() ]

    let relative tolerance (name: string) (actual: float) =
        let expected = number name
        Expect.isTrue $"{name}: {actual} against {expected}" (abs (actual - expected) <= tolerance * abs expected)

    /// sin 1, sin 2, …
    let probe dtype n = Tensor.ofArray [ n ] (Array.init n (fun i -> sin (float (i + 1)))) |> Tensor.convert dtype

    let norm (t: Tensor) = t.ToArray() |> Array.sumBy (fun x -> x * x) |> sqrt

    let dot (a: Tensor) (b: Tensor) = Array.map2 (*) (a.ToArray()) (b.ToArray()) |> Array.sum

    let vector tolerance name (v: Tensor) =
        relative tolerance $"{name}_norm" (norm v)
        let scale = number $"{name}_norm"
        let close expected actual = Expect.close tolerance [| expected / scale |] [| actual / scale |]
        let values = v.ToArray()
        numbers $"{name}_first5" |> List.iteri (fun i expected -> close expected values[i])
        numbers $"{name}_last5" |> List.iteri (fun i expected -> close expected values[values.Length - 5 + i])

    let check dtype tolerance =
        let theta, forward, inputs, criterion = loss dtype
        let f theta = criterion (forward theta inputs)
        let v = probe dtype theta.Size
        let (value, gradient), product = Linearized.gradient f theta
        relative tolerance "loss" (value.ToScalar())
        relative tolerance "gradient_norm" (norm gradient)
        let hv = product v
        vector tolerance "Hv" hv
        relative tolerance "vHv" (dot v hv)
        relative tolerance "vHv" ((quadraticForm f theta v).ToScalar())
        let logits, tangent = fjacobianv (fun theta -> forward theta inputs) theta v
        let gv = jacobianTv (fun theta -> forward theta inputs) theta (hessianv criterion logits tangent)
        vector tolerance "Gv" gv
        relative tolerance "vGv" (dot v gv)

    [<Test>]
    member _.``parameters have the names, shapes and order of the file``() =
        let names (tensors: (string * Tensor) list) = [ for name, t in tensors -> name, List.ofArray t.Shape ]
        let tensors = Safetensors.read (SharedData.path "data/resnet20_cifar10.safetensors")
        let theta, network = trained DType.Float32
        Expect.isTrue $"{network.ParameterCount}" (network.ParameterCount = 269722)
        let saved = Network.save theta network
        Expect.isTrue "the same tensors" (List.sort (names saved) = List.sort (names tensors))
        let parameters = tensors |> List.filter (fun (name, _) -> not (network.Statistics.ContainsKey name))
        Expect.isTrue "the same order" (names (List.take parameters.Length saved) = names parameters)
        let values tensors = Map.ofList [ for name, t: Tensor in tensors -> name, t.ToArray() ]
        Expect.isTrue "the same values" (values saved = values tensors)

    [<Test>]
    member _.``logits of the first test image are PyTorch's, and 915 of 1000 images are right``() =
        let theta, network = trained DType.Float32
        let inputs, labels = images DType.Float32 1000

        let logits =
            Tensor.concat
                0
                [ for start in 0..100..900 -> Network.forward network theta (Tensor.slice 0 start 100 inputs) ]

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

    [<Test>]
    member _.``loss, gradient, Hv, vᵀHv, Gv and vᵀGv are PyTorch's in float64``() = check DType.Float64 1e-8

    [<Test>]
    member _.``loss, gradient, Hv, vᵀHv, Gv and vᵀGv are PyTorch's in float32, to its precision``() =
        check DType.Float32 1e-3
