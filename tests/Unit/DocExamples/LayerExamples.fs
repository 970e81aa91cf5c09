namespace DocExamples

open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The F# of docs/layers.md.
module LayerExamples =

    let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 30; 8 ]
    let private labels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun row -> row % 3))

    [<Test>]
    let ``tensor by tensor`` () =
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

        Expect.equal [| 6; 8 |] weights.Value.Shape

    [<Test>]
    let activations () =
        let squares =
            Layer.create "squares" [ Layer.parameter "scale" [ 6 ] (Initial.constant 1.0) ] (fun parameters x ->
                parameters.Tap("scaled", x * parameters["scale"]) |> Tensor.square)

        let network =
            Layer.named [ "enter", Layer.dense 8 6; "middle", squares; "leave", Layer.dense 6 3 ] |> Network.ofLayer

        let theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network

        for tap in ActivationHessian.taps network theta inputs do
            printfn $"{tap.Name} {tap.Size}" // enter, middle.scaled, middle, leave

        let criterion = Loss.softmaxCrossEntropy Reduction.Sum labels // a function of the outputs
        let taps, stop = [ "enter"; "middle.scaled" ], StoppingRule.matvecs 100

        for found in ActivationHessian.traces network criterion taps stop (Key.OfSeed 3L) theta inputs do
            printfn $"{found.Tap.Name}: {found.Trace}; of each sample {found.PerSample}"

        let whole = ActivationHessian.at network criterion "enter" theta inputs // an operator like any other

        Expect.equal 180 whole.Rows

        let found =
            ActivationHessian.tracesOverBatches
                RunOptions.Default
                Probe.rademacher
                network
                Reduction.Mean
                (Loss.softmaxCrossEntropy Reduction.Mean)
                taps
                stop
                (Key.OfSeed 3L)
                (Batches.split 8 inputs labels)
                theta

        Expect.equal 30 found.Head.PerSample.Value.Size
