/// The F# of docs/layers.md.
module DocExamples.LayerExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 30; 8 ]
let private labels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun row -> row % 3))

[<Tests>]
let tests =
    testList "DocExamples.LayerExamples" [
        test "tensor by tensor" {
            let network = Network.mlp Layer.tanh [ 8; 6; 3 ]
            let theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network
            let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels

            let hessian = Hessian.at loss theta
            let table = CurvatureByTensor.estimate network.Layout (StoppingRule.matvecs 100) (Key.OfSeed 3L) hessian

            for row in table.Tensors do
                let interval = row.Trace.Interval 0.95
                printfn $"{row.Name} ({row.Size}): trace {row.Trace}, from {interval.Low:g3} to {interval.High:g3}"
                printfn $"  on the diagonal {row.MeanDiagonal} on average"

            let weights = table["0.weight"].Diagonal // in the shape of the tensor, with an error for each entry

            Expect.equal "weights.Value.Shape" [| 6; 8 |] weights.Value.Shape
        }

        test "activations" {
            let squares =
                Layer.create "squares" [ Layer.parameter "scale" [ 6 ] (Initial.constant 1.0) ] (fun parameters x ->
                    parameters.Tap("scaled", x * parameters["scale"]) |> Tensor.square)

            let network =
                Layer.named [ "enter", Layer.dense 8 6; "middle", squares; "leave", Layer.dense 6 3 ] |> Network.ofLayer

            let theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network

            for tap in ActivationHessian.taps network theta inputs do
                printfn $"{tap.Name} {tap.Size}" // enter, middle.scaled, middle, leave

            let sum = Loss.softmaxCrossEntropy Reduction.Sum
            let risk = network |> Network.risk Reduction.Sum sum [ Batch(inputs, labels) ]
            let taps, stop = [ "enter"; "middle.scaled" ], StoppingRule.matvecs 100

            for found in ActivationHessian.traces network risk taps stop (Key.OfSeed 3L) theta do
                printfn $"{found.Tap.Name}: {found.Trace}; of each sample {found.PerSample}"

            let whole = ActivationHessian.at network (sum labels) "enter" theta inputs // an operator like any other

            Expect.equal "whole.Rows" 180 whole.Rows

            let mean = Loss.softmaxCrossEntropy Reduction.Mean
            let parts = network |> Network.risk Reduction.Mean mean (Batches.split 8 inputs labels)
            let found = ActivationHessian.traces network parts taps stop (Key.OfSeed 3L) theta

            Expect.equal "found.Head.PerSample.Value.Size" 30 found.Head.PerSample.Value.Size
        }
    ]
