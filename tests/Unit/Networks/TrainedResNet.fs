namespace Curvature.Tests.Unit

open System.IO
open System.Text.Json.Nodes
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A ResNet-20 trained on CIFAR-10, real test images, and what PyTorch computed of both in double precision. Tests that
/// ask for them are ignored where the files are not.
[<RequireQualifiedAccess>]
module TrainedResNet =

    let tensors () = Safetensors.read (SharedData.path "data/resnet20_cifar10.safetensors")

    /// Parameters and the network with its statistics.
    let network dtype = Network.load dtype (tensors ()) ResNet.resNet20

    /// The first images, normalised as in training, and their classes.
    let images dtype count =
        let images, labels = Cifar.read10 DType.Float64 (SharedData.path "data/cifar10_test_1000.bin")

        let normalised =
            images |> Tensor.slice 0 0 count |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]

        Tensor.convert dtype normalised, Tensor.slice 0 0 count labels

    /// Parameters, logits of the first 50 images as a function of them, and the mean loss of logits: what the reference
    /// is about.
    let problem dtype =
        let theta, network = network dtype
        let inputs, labels = images dtype 50
        theta, (fun theta -> Network.forward network theta inputs), Loss.softmaxCrossEntropy Reduction.Mean labels

    let private evaluate dtype =
        lazy
            (let theta, logits, criterion = problem dtype
             Hessian.evaluate (Risk.ofFunction (logits >> criterion)) theta)

    let private single, double = evaluate DType.Float32, evaluate DType.Float64

    /// Loss, gradient and Hessian on 50 images. Made once for all tests.
    let point dtype = if dtype = DType.Float32 then single.Value else double.Value

    let reference =
        lazy (SharedData.path "reference/resnet20_cifar10_float64.json" |> File.ReadAllText |> JsonNode.Parse)

    let number (name: string) = reference.Value[name].GetValue<float>()

    let numbers (name: string) = [ for item in reference.Value[name].AsArray() -> item.GetValue<float>() ]
