/// Networks of which some parameters are constants, and networks that see constants beside hidden values.
module Curvature.Tests.Unit.Networks.FrozenLayerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private relative (expected: Tensor) (actual: Tensor) =
    (Tensor.norm (actual - expected)).ToScalar() / (Tensor.norm expected).ToScalar()

let private agrees what (expected: Tensor) (actual: Tensor) =
    Expect.isTrue $"{what}: off by {relative expected actual}" (relative expected actual < 1e-13)

let private number what (expected: float) (actual: float) =
    Expect.isTrue $"{what}: {actual} against {expected}" (abs (actual - expected) < 1e-12 * (1.0 + abs expected))

/// Everything that is compiled from a model and a loss, against what primitives compute.
let private check (model: Tensor -> Tensor) (criterion: Tensor -> Tensor) (theta: Tensor) =
    let loss = model >> criterion
    let point = Hessian.evaluate (Risk.ofFunction loss) theta
    let v = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ theta.Size ]
    let outputs = model >> Tensor.flatten
    let shape = List.ofArray (model theta).Shape
    let jacobian = Jacobian.at outputs theta
    let u = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ jacobian.Rows ]
    agrees "gradient" (grad loss theta) point.Gradient
    agrees "Hessian product" (hessianv loss theta v) (point.Hessian.Apply v)
    number "form" ((quadraticForm loss theta v).ToScalar()) ((point.Hessian.QuadraticForm v).ToScalar())
    number "trace" ((laplacian loss theta).ToScalar()) (Exact.trace point.Hessian).Value
    agrees "Jacobian product" (jacobianv outputs theta v) (jacobian.Apply v)
    agrees "transposed Jacobian product" (jacobianTv outputs theta u) (jacobian.Transposed.Apply u)
    let curve = hessianv (Tensor.reshape shape >> criterion) (outputs theta) (jacobianv outputs theta v)
    agrees "Gauss-Newton product" (jacobianTv outputs theta curve) ((GaussNewton.at model criterion theta).Apply v)
    let line = Landscape.line (Risk.ofFunction loss) theta (Direction.ofVector "v" v) [ -1.0; 0.0; 0.5 ]

    Seq.iter2
        (fun t (actual: float) -> number "landscape" ((loss (theta + t * v)).ToScalar()) actual)
        line.Positions
        line.Losses

    let diagnosis = Diagnose.againstRisk DiagnoseOptions.Default (Risk.ofFunction loss) theta point.Hessian
    Expect.isTrue (string diagnosis) (string diagnosis |> fun text -> text.Contains "nothing found")

let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 40; 3 ]
let private labels = Tensor.ofIndices [ 40 ] (Array.init 40 (fun i -> i % 2))
let private criterion = Loss.softmaxCrossEntropy Reduction.Mean labels
let private network = Network.mlp Layer.tanh [ 3; 5; 4; 2 ]
let private all = Network.initialize (Key.OfSeed 2L) DType.Float64 network
let private parts = network.Layout |> ParameterLayout.split all

/// The layout of the parameters that are trained, and all parameters as a function of them.
let private freeze (trained: string list) =
    let layout =
        ParameterLayout.ofShapes [
            for tensor in network.Layout.Tensors do
                if List.contains tensor.Name trained then tensor.Name, List.ofArray tensor.Shape
        ]

    let full (theta: Tensor) =
        let own = layout |> ParameterLayout.split theta

        network.Layout
        |> ParameterLayout.join [
            for tensor in network.Layout.Tensors ->
                tensor.Name, (if List.contains tensor.Name trained then own else parts)[tensor.Name]
        ]

    ParameterLayout.join [ for name in trained -> name, parts[name] ] layout, full

let private trained = [ "0.weight"; "2.weight"; "4.weight 4.bias"; "0.bias 4.weight"; "2.bias" ]

[<Tests>]
let tests =
    testList "Unit.Networks.FrozenLayerTests" [
        for names in trained do
            test $"curvature in the parameters that are not frozen ({names})" {
                let theta, full = freeze (names.Split ' ' |> List.ofArray)
                check (fun theta -> Network.forward network (full theta) inputs) criterion theta
            }

        for names in trained do
            test $"training the parameters that are not frozen lowers the loss ({names})" {
                let theta, full = freeze (names.Split ' ' |> List.ofArray)
                let model theta x = Network.forward network (full theta) x
                let loss theta = criterion (model theta inputs)

                let options = TrainingOptions.Default.WithEpochs(100).WithOptimizer(Optimizer.adam 0.05)
                let mean = Loss.softmaxCrossEntropy Reduction.Mean
                let risk = Risk.ofModel Reduction.Mean (fun x theta -> model theta x) mean [ Batch(inputs, labels) ]
                let trained = Training.minimize options risk theta

                let before, after = (loss theta).ToScalar(), (loss trained.Theta).ToScalar()
                Expect.isTrue $"{before} before, {after} after" (after < before - 0.03)
            }

        for inputsFirst in [ true; false ] do
            test $"a network that sees its inputs beside the hidden layer ({inputsFirst})" {
                let skip =
                    Layer.composed "skip" [ "hidden", Layer.dense 3 4; "out", Layer.dense 7 2 ] (fun run x ->
                        let hidden = tanh (run "hidden" x)
                        run "out" (Tensor.concat 1 (if inputsFirst then [ x; hidden ] else [ hidden; x ])))
                    |> Network.ofLayer

                let theta = Network.initialize (Key.OfSeed 2L) DType.Float64 skip
                check (fun theta -> Network.forward skip theta inputs) criterion theta

                let overBatches =
                    Hessian.ofRisk
                        (Risk.ofBatches
                            Reduction.Mean
                            (fun batch theta ->
                                Network.forward skip theta batch.Inputs
                                |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets)
                            (Batches.split 10 inputs labels))
                        theta

                let v = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ theta.Size ]
                let loss theta = Network.forward skip theta inputs |> criterion
                agrees "over batches" (hessianv loss theta v) (overBatches.Apply v)
            }
    ]
