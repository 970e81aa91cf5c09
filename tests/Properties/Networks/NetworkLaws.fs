module Curvature.Tests.Properties.NetworkLaws

open System
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A multilayer perceptron of random sizes and activation, parameters for it and inputs.
type RandomNetwork =
    {
        Sizes: int list
        Activation: Layer
        Rows: int
        Seed: int
    }

    member this.Network = Network.mlp this.Activation this.Sizes
    member this.Theta = this.Network.Initialize(Key.OfSeed(int64 this.Seed), DType.Float64)
    member this.Outputs = List.last this.Sizes

    member this.Inputs = Tensor.normal (Key.OfSeed(int64 this.Seed + 1L)) DType.Float64 [ this.Rows; this.Sizes.Head ]

type NetworkArbitraries =
    static member RandomNetwork() : Arbitrary<RandomNetwork> =
        gen {
            let! depth = Gen.choose (2, 4)
            let! sizes = Gen.listOfLength depth (Gen.choose (1, 5))
            let! activation = Gen.elements [ Layer.tanh; Layer.sigmoid; Layer.gelu; Layer.silu; Layer.softplus ]
            let! rows = Gen.choose (1, 6)
            let! seed = Gen.choose (0, Int32.MaxValue - 1)

            return { Sizes = sizes; Activation = activation; Rows = rows; Seed = seed }
        }
        |> Arb.fromGen

let private labels (random: RandomNetwork) =
    let numbers = Random random.Seed
    Tensor.ofIndices [ random.Rows ] (Array.init random.Rows (fun _ -> numbers.Next random.Outputs))

let private probabilities (random: RandomNetwork) =
    Tensor.uniform (Key.OfSeed(int64 random.Seed + 2L)) DType.Float64 [ random.Rows; random.Outputs ]

/// The derivative along v by central differences, whose error is of the order of the cube root of rounding,
/// squared.
let private slope (f: Tensor -> Tensor) (theta: Tensor) (v: Tensor) =
    let step = 1e-5
    (f (theta + step * v) - f (theta - step * v)) / (2.0 * step)

let private law name property = lawOver [ typeof<NetworkArbitraries> ] 50 name property

[<Tests>]
let tests =
    testList "Properties.NetworkLaws" [
        law "the output of a row does not depend on the rows beside it" (fun (random: RandomNetwork) ->
            let forward = Network.forward random.Network random.Theta
            let rows = [ for row in 0 .. random.Rows - 1 -> forward (Tensor.slice 0 row 1 random.Inputs) ]
            Expect.tensorsClose 1e-13 (Tensor.concat 0 rows) (forward random.Inputs))

        law "a network of stacked parameters is the stack of its outputs" (fun (random: RandomNetwork) ->
            let forward theta = Network.forward random.Network theta random.Inputs
            let other = random.Network.Initialize(Key.OfSeed 99L, DType.Float64)
            let stacked = vmap forward (Tensor.stack 0 [ random.Theta; other ])
            Expect.tensorsClose 1e-13 (Tensor.stack 0 [ forward random.Theta; forward other ]) stacked)

        law "cutting parameters and joining them gives the same bits" (fun (random: RandomNetwork) ->
            let layout = random.Network.Layout
            let parts = layout.Split random.Theta
            let named = [ for tensor in layout.Tensors -> tensor.Name, parts[tensor.Name] ]
            Expect.sameBits random.Theta (ParameterLayout.join named layout))

        law "the gradient of each loss is the limit of differences" (fun (random: RandomNetwork) ->
            let v = Tensor.normal (Key.OfSeed(int64 random.Seed + 3L)) DType.Float64 [ random.Network.ParameterCount ]

            for loss in
                [
                    Loss.softmaxCrossEntropy Reduction.Mean (labels random)
                    Loss.binaryCrossEntropy Reduction.Mean (probabilities random)
                    Loss.meanSquaredError Reduction.Mean (probabilities random)
                ] do
                let f theta = Network.forward random.Network theta random.Inputs |> loss
                Expect.tensorsClose 1e-7 (slope f random.Theta v) (gradv f random.Theta v)
                Expect.tensorsClose 1e-13 (gradv f random.Theta v) (Tensor.dot (grad f random.Theta) v))

        law "Hessian products are the limit of differences of gradients" (fun (random: RandomNetwork) ->
            let f theta =
                Network.forward random.Network theta random.Inputs
                |> Loss.softmaxCrossEntropy Reduction.Mean (labels random)

            let v = Tensor.normal (Key.OfSeed(int64 random.Seed + 3L)) DType.Float64 [ random.Network.ParameterCount ]
            Expect.tensorsClose 1e-7 (slope (grad f) random.Theta v) (hessianv f random.Theta v))

        law "sums of losses are their means times their number" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs
            let rows, all = float random.Rows, float (random.Rows * random.Outputs)

            let check count (loss: Reduction -> Tensor -> Tensor) =
                Expect.tensorsClose 1e-13 (loss Reduction.Sum outputs) (count * loss Reduction.Mean outputs)

            check rows (fun reduction -> Loss.softmaxCrossEntropy reduction (labels random))
            check all (fun reduction -> Loss.binaryCrossEntropy reduction (probabilities random))
            check all (fun reduction -> Loss.meanSquaredError reduction (probabilities random)))

        law "softmax cross-entropy does not see what is added to a whole row" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs
            let shifted = outputs + Tensor.normal (Key.OfSeed 5L) DType.Float64 [ random.Rows; 1 ]
            let loss = Loss.softmaxCrossEntropy Reduction.Mean (labels random)
            Expect.tensorsClose 1e-12 (loss outputs) (loss shifted))

        law "binary cross-entropy treats yes and no alike" (fun (random: RandomNetwork) ->
            let outputs = Network.forward random.Network random.Theta random.Inputs
            let targets = probabilities random

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
            (fun (case: RandomNetwork) ->
                let network, theta, x = case.Network, case.Theta, case.Inputs
                let loss (outputs: Tensor) = Tensor.sum (Tensor.logSumExp outputs) + Tensor.sum (Tensor.square outputs)
                let names = ActivationHessian.taps network theta x |> List.map _.Name

                let traces (inputs: Tensor) =
                    let risk = network |> Network.risk Reduction.Sum (fun _ -> loss) [ Batch(inputs, inputs) ]
                    ActivationHessian.exactTraces network risk names theta

                let alone = [ for row in 0 .. case.Rows - 1 -> traces (Tensor.slice 0 row 1 x) ]

                traces x
                |> List.iteri (fun i whole ->
                    let single = [| for own in alone -> own[i].Trace.Value |]
                    Expect.close 1e-11 single (whole.PerSample.Value.ToArray())
                    Expect.close 1e-11 [| Array.sum single |] [| whole.Trace.Value |]))
    ]
