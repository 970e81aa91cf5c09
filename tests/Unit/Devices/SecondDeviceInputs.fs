namespace Curvature.Tests.Unit.Devices

open Curvature
open Curvature.FSharp

/// A name, and a computation that returns numbers. Its argument moves tensors to the device under test.
type DeviceCase = string * ((Tensor -> Tensor) -> float list)

/// Data, networks and operators of the cases. They are small, so that the cases are fast.
module SecondDeviceInputs =

    let key seed = Key.OfSeed(int64 seed)
    let normal seed shape = Tensor.normal (key seed) DType.Float64 shape
    let ofTensor (t: Tensor) = List.ofArray (t.ToArray())
    let ofEstimate (e: Estimate<float>) = [ e.Value; e.StandardError ]
    let ofVector (e: Estimate<Tensor>) = ofTensor e.Value @ ofTensor e.StandardError

    let labels = Tensor.ofIndices [ 12 ] (Array.init 12 (fun row -> row % 3))
    let inputs = normal 1 [ 12; 4 ]
    let mlp = Network.mlp Layer.tanh [ 4; 5; 3 ]
    let images = normal 2 [ 6; 8; 8; 3 ]

    let convolutional =
        Network.sequential [
            ImageLayer.conv2d 3 4 (3, 3) (Sliding.Default.WithPadding 1)
            Normalization.batch 4
            Layer.relu
            ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
            Normalization.group 2 4
            ImageLayer.averagePool2d (2, 2) Sliding.Default
            ImageLayer.globalAveragePool
            Layer.dense 4 3
        ]

    let gpt = Transformer.gpt 7 6 1 2 8
    let words = Tensor.ofIndices [ 2; 6 ] (Array.init 12 (fun i -> i * 5 % 7))

    let start (on: Tensor -> Tensor) network = Network.initialize (key 3) DType.Float64 network |> on

    let crossEntropy (on: Tensor -> Tensor) network inputs theta =
        Network.forward network theta (on inputs) |> Loss.softmaxCrossEntropy Reduction.Mean (on labels)

    let lossOf on theta = crossEntropy on mlp inputs theta
    let theta on = start on mlp
    let hessian on = Hessian.at (lossOf on) (theta on)
    let model (on: Tensor -> Tensor) theta = Network.forward mlp theta (on inputs)
    let criterion (on: Tensor -> Tensor) outputs = Loss.softmaxCrossEntropy Reduction.Mean (on labels) outputs

    let direction (on: Tensor -> Tensor) (a: LinearOperator) = on (normal 4 [ a.Columns ])

    let product on (a: LinearOperator) = ofTensor (a.Apply(direction on a)) @ ofTensor (a.QuadraticForm(direction on a))

    let positive (on: Tensor -> Tensor) =
        on (normal 5 [ 9; 9 ]) |> LinearOperator.ofMatrix |> LinearOperator.gram |> LinearOperator.damped 1.0

    let stop = StoppingRule.matvecs 24
    let batches = Batches.split 5 inputs labels

    let risk = mlp |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) batches
