module Curvature.Tests.Properties.NetworkLaws

open System
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The derivative along v by central differences, whose error is of the order of the cube root of rounding,
/// squared.
let private slope (f: Tensor -> Tensor) (theta: Tensor) (v: Tensor) =
    let step = 1e-5
    (f (theta + step * v) - f (theta - step * v)) / (2.0 * step)

let private close name tolerance expected actual =
    try
        Expect.tensorsClose tolerance expected actual
    with error ->
        failtest $"{name}: {error.Message}"

let private law name property = lawOver [ typeof<NetworkArbitraries> ] 50 name property

[<Tests>]
let tests =
    testList "Properties.NetworkLaws" [
        law "the output of a row does not depend on the rows beside it" (fun (random: RandomNetwork) ->
            let forward = Network.forward (Network.forEvaluation random.Network) random.Theta
            let rows = [ for row in 0 .. random.Rows - 1 -> forward (Tensor.slice 0 row 1 random.Inputs) ]
            Expect.tensorsClose 1e-11 (Tensor.concat 0 rows) (forward random.Inputs))

        law "a network of stacked parameters is the stack of its outputs" (fun (random: RandomNetwork) ->
            let forward theta = Network.forward random.Network theta random.Inputs
            let other = random.Network.Initialize(Key.OfSeed 99L, DType.Float64)
            let stacked = vmap forward (Tensor.stack 0 [ random.Theta; other ])
            Expect.tensorsClose 1e-11 (Tensor.stack 0 [ forward random.Theta; forward other ]) stacked)

        law "cutting parameters and joining them gives the same bits" (fun (random: RandomNetwork) ->
            let layout = random.Network.Layout
            let parts = layout.Split random.Theta
            let named = [ for tensor in layout.Tensors -> tensor.Name, parts[tensor.Name] ]
            Expect.sameBits random.Theta (ParameterLayout.join named layout))

        law "the gradient of each loss is the limit of differences" (fun (case: SmoothNetwork) ->
            let random = case.Smooth
            let v, theta = random.Direction 1L, random.Theta
            let forward theta = Network.forward random.Network theta random.Inputs

            for name, _, loss in RandomNetworks.losses random (forward theta) do
                let f = forward >> loss Reduction.Mean
                close name 1e-7 (slope f theta v) (gradv f theta v)
                close name 1e-12 (gradv f theta v) (Tensor.dot (grad f theta) v))

        law "Hessian products of each loss are the limit of differences of gradients" (fun (case: SmoothNetwork) ->
            let random = case.Smooth
            let v, theta = random.Direction 2L, random.Theta
            let forward theta = Network.forward random.Network theta random.Inputs

            for name, _, loss in RandomNetworks.losses random (forward theta) do
                let f = forward >> loss Reduction.Mean
                close name 1e-7 (slope (grad f) theta v) (hessianv f theta v))

        law "first and second derivatives agree in every mode" (fun (random: RandomNetwork) ->
            let theta, v, u = random.Theta, random.Direction 3L, random.Direction 4L
            let forward theta = Network.forward random.Network theta random.Inputs

            for name, _, loss in RandomNetworks.losses random (forward theta) do
                let f = forward >> loss Reduction.Mean
                close name 1e-10 (gradv f theta v) (Tensor.dot (grad f theta) v)
                let product = hessianv f theta v
                let size = 1.0 + float (Tensor.norm product)
                close name (1e-9 * size) (Tensor.dot v product) (quadraticForm f theta v)
                close name (1e-9 * size) (Tensor.dot u product) (Tensor.dot v (hessianv f theta u)))

        law "sums of losses are their means times their number" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs

            for name, count, loss in RandomNetworks.losses random outputs do
                close name 1e-13 (loss Reduction.Sum outputs) (count * loss Reduction.Mean outputs))

        law "softmax cross-entropy does not see what is added to a whole row" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs
            let shifted = outputs + Tensor.normal (Key.OfSeed 5L) DType.Float64 [ random.Rows; 1 ]
            let loss = Loss.softmaxCrossEntropy Reduction.Mean random.Labels
            Expect.tensorsClose 1e-12 (loss outputs) (loss shifted))

        law "binary cross-entropy treats yes and no alike" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs
            let targets = random.Probabilities

            Expect.tensorsClose
                1e-14
                (Loss.binaryCrossEntropy Reduction.Mean targets outputs)
                (Loss.binaryCrossEntropy Reduction.Mean (1.0 - targets) -outputs))

        law "Adam's first step is at most the learning rate, against the gradient" (fun (seed: int) ->
            let key = Key.OfSeed(int64 seed)
            let theta = Tensor.normal key DType.Float64 [ 20 ]
            let gradient = Tensor.normal (key.FoldIn 1u) DType.Float64 [ 20 ] ** 3.0
            let next, _ = Optimizer.step (Optimizer.adam 0.01) theta gradient
            let moved = (next - theta).ToArray()

            Array.forall2 (fun step g -> abs step <= 0.01 * (1.0 + 1e-9) && step * g <= 0.0) moved (gradient.ToArray())
            |> Expect.isTrue $"seed {seed}: %A{moved}")

        law
            "a shuffled order has every row once, and its parts are the order"
            (fun (seed: int) (NonNegativeInt rows) (PositiveInt size) ->
                let order = Batches.shuffled (Key.OfSeed(int64 seed)) rows
                Expect.isTrue $"%A{order}" (Array.sort order = [| 0 .. rows - 1 |])
                let parts = Batches.cut size order
                Expect.isTrue "parts" (Array.concat parts = order)
                Expect.isTrue "sizes" (parts |> List.forall (fun part -> part.Length <= size && part.Length > 0)))

        law
            "the trace with respect to a sample's activations does not depend on the samples beside it"
            (fun (random: RandomNetwork) ->
                let network, theta, x = Network.forEvaluation random.Network, random.Theta, random.Inputs
                let loss (outputs: Tensor) = Tensor.sum (Tensor.logSumExp outputs) + Tensor.sum (Tensor.square outputs)
                let all = ActivationHessian.taps network theta x |> List.map _.Name
                // Two of them, of which the last one is near the outputs.
                let names = List.distinct [ all[random.Seed % all.Length]; List.last all ]

                let traces (inputs: Tensor) =
                    let risk = network |> Network.risk Reduction.Sum (fun _ -> loss) [ Batch(inputs, inputs) ]
                    ActivationHessian.exactTraces network risk names theta

                let alone = [ for row in 0 .. random.Rows - 1 -> traces (Tensor.slice 0 row 1 x) ]

                traces x
                |> List.iteri (fun i whole ->
                    let single = [| for traces in alone -> traces[i].Trace.Value |]
                    Expect.close 1e-9 single (whole.PerSample.Value.ToArray())
                    Expect.close 1e-9 [| Array.sum single |] [| whole.Trace.Value |]))
    ]
