/// Operators of partly constant networks, at one θ and the next, against what primitives compute.
module Curvature.Tests.Properties.FrozenLaws

open System
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A layer with constant columns beside its input; −1 for none, else their place: 0 first, 1 in the middle, 2 last.
type FrozenLayer =
    {
        Inputs: int
        Columns: int
        Place: int
        Outputs: int
        TrainsWeight: bool
        TrainsBias: bool
    }

/// A network of tanh layers that is partly constant: some parameters are frozen, a class token stands beside the rows,
/// constants stand beside hidden values, and logits are fixed.
type FrozenNetwork =
    {
        Seed: int
        DType: DType
        Rows: int
        Padding: int
        /// The place of the class token among the rows, or −1, and whether it is trained.
        Token: int
        TrainsToken: bool
        Layers: FrozenLayer list
        /// The place of a fixed column of logits, or −1.
        FixedLogit: int
        /// Whether parameters are joined into one vector of all of them, and cut again.
        Joins: bool
    }

    member this.Numbers(i: int, shape: int list) =
        Tensor.normal (Key.OfSeed(int64 this.Seed + 1000L * int64 i)) this.DType shape

    /// Name, shape and whether it is trained, of all parameters.
    member this.Parameters =
        [
            yield "token", [ 1; this.Layers.Head.Inputs ], this.TrainsToken

            for i, layer in List.indexed this.Layers do
                yield $"weight{i}", [ layer.Inputs + layer.Columns; layer.Outputs ], layer.TrainsWeight
                yield $"bias{i}", [ layer.Outputs ], layer.TrainsBias

            yield "scale", [ 1 ], true
        ]

    member this.Layout isTrainedOnly =
        ParameterLayout.ofShapes [
            for name, shape, isTrained in this.Parameters do
                if isTrained || not isTrainedOnly then name, shape
        ]

    member this.Theta(i: int) = 0.7 * this.Numbers(100 + i, [ (this.Layout true).Size ])

    member this.Inputs = this.Numbers(1, [ this.Rows; this.Layers.Head.Inputs - 2 * this.Padding ])

    member private this.All(theta: Tensor) : string -> Tensor =
        let trained = this.Layout true |> ParameterLayout.split theta

        let parts =
            this.Parameters
            |> List.mapi (fun i (name, shape, isTrained) ->
                name, (if isTrained then trained[name] else this.Numbers(10 + i, shape)))

        if this.Joins then
            let layout = this.Layout false
            let all = layout |> ParameterLayout.split (ParameterLayout.join parts layout)
            fun name -> all[name]
        else
            let all = Map.ofList parts
            fun name -> all[name]

    /// θ ↦ logits.
    member this.Model (inputs: Tensor) (theta: Tensor) : Tensor =
        let parameter = this.All theta

        let beside axis place (constant: Tensor) (x: Tensor) =
            match place with
            | 0 -> Tensor.concat axis [ constant; x ]
            | 1 ->
                let length = x.Shape[axis]

                Tensor.concat axis [
                    Tensor.slice axis 0 (length / 2) x
                    constant
                    Tensor.slice axis (length / 2) (length - length / 2) x
                ]
            | _ -> Tensor.concat axis [ x; constant ]

        let padded = inputs |> Tensor.pad 1 this.Padding this.Padding

        let rows =
            if this.Token < 0 then
                padded
            else
                beside 0 this.Token (parameter "token") padded

        let apply x (i, layer) =
            let x =
                if layer.Columns = 0 then
                    x
                else
                    beside 1 layer.Place (this.Numbers(50 + i, [ x.Shape[0]; layer.Columns ])) x

            tanh (Tensor.matmul x (parameter $"weight{i}") + parameter $"bias{i}")

        let logits = parameter "scale" * (this.Layers |> List.indexed |> List.fold apply rows)

        if this.FixedLogit < 0 then
            logits
        else
            beside 1 this.FixedLogit (Tensor.zeros this.DType [ logits.Shape[0]; 1 ]) logits

    member this.Labels rows =
        let classes = (List.last this.Layers).Outputs + (if this.FixedLogit < 0 then 0 else 1)
        Tensor.ofIndices [ rows ] (Array.init rows (fun i -> (this.Seed / (i + 1)) % classes))

type FrozenArbitraries =
    static member FrozenNetwork() : Arbitrary<FrozenNetwork> =
        let coin = Gen.elements [ true; false ]

        gen {
            let! seed = Generators.seed
            let! dtype = Gen.elements [ DType.Float64; DType.Float64; DType.Float32 ]
            let! rows = Gen.choose (1, 4)
            let! padding = Gen.choose (0, 1)
            let! token = Gen.choose (-1, 2)
            let! trainsToken = coin
            let! depth = Gen.choose (1, 3)
            let! first = Gen.choose (1, 3)
            let! sizes = Gen.listOfLength depth (Gen.choose (1, 3))

            let layer (inputs, outputs) =
                gen {
                    let! columns = Gen.choose (0, 2)
                    let! place = Gen.choose (0, 2)
                    let! trainsWeight = coin
                    let! trainsBias = coin

                    return
                        {
                            Inputs = inputs
                            Columns = columns
                            Place = place
                            Outputs = outputs
                            TrainsWeight = trainsWeight
                            TrainsBias = trainsBias
                        }
                }

            let! layers = first + 2 * padding :: sizes |> List.pairwise |> List.map layer |> Gen.sequenceToList
            let! fixedLogit = Gen.choose (-1, 2)
            let! joins = coin

            return
                {
                    Seed = seed
                    DType = dtype
                    Rows = rows
                    Padding = padding
                    Token = token
                    TrainsToken = trainsToken
                    Layers = layers
                    FixedLogit = fixedLogit
                    Joins = joins
                }
        }
        |> Arb.fromGen

let private same (network: FrozenNetwork) = Expect.tensorsClose (if network.DType = DType.Float32 then 2e-4 else 1e-10)

let private checkOperator (network: FrozenNetwork) (operator: LinearOperator) (expected: Tensor -> Tensor) =
    let directions = List.init 3 (fun i -> network.Numbers(200 + i, [ operator.Columns ]))
    let images = directions |> List.map operator.Apply
    List.iter2 (same network) (directions |> List.map expected) images
    Expect.sameBits (Tensor.stack 0 images) (operator.Definition.Product.Matmat(Tensor.stack 0 directions))

    if operator.HasQuadraticForms then
        for v in directions do
            same network (Tensor.dot v (expected v)) (operator.QuadraticForm v)

let private criterion (network: FrozenNetwork) (outputs: Tensor) =
    Loss.softmaxCrossEntropy Reduction.Mean (network.Labels outputs.Shape[0]) outputs

let private law name property = lawOver [ typeof<FrozenArbitraries> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.FrozenLaws" [
        law "Hessians of partly constant networks" (fun (network: FrozenNetwork) ->
            let loss theta = criterion network (network.Model network.Inputs theta)
            let family = Hessian.family (Risk.ofFunction loss)

            for theta in [ network.Theta 0; network.Theta 1; network.Theta 0 ] do
                let point = family theta
                same network (loss theta) (Tensor.scalar network.DType point.Loss)
                same network (grad loss theta) point.Gradient
                checkOperator network point.Hessian (hessianv loss theta))

        law "Jacobians and Gauss-Newton matrices of partly constant networks" (fun (network: FrozenNetwork) ->
            let model = network.Model network.Inputs
            let family = GaussNewton.family (Risk.ofOutputs model (criterion network))

            for theta in [ network.Theta 0; network.Theta 1 ] do
                let product v =
                    jacobianTv model theta (hessianv (criterion network) (model theta) (jacobianv model theta v))

                checkOperator network (family theta) product
                let jacobian = Jacobian.at model theta
                let shape = List.ofArray (model theta).Shape
                checkOperator network jacobian (jacobianv model theta >> Tensor.flatten)
                checkOperator network jacobian.Transposed (Tensor.reshape shape >> jacobianTv model theta))

        law "Hessians of partly constant networks over batches" (fun (network: FrozenNetwork) ->
            let network = { network with Token = -1; Rows = network.Rows + 2 }

            let loss (inputs: Tensor) labels theta =
                Loss.softmaxCrossEntropy Reduction.Mean labels (network.Model inputs theta)

            let inputs, labels = network.Inputs, network.Labels network.Rows

            // Constants beside hidden values differ from batch to batch, so that sums are over what each batch sees.
            let batches = Batches.split 2 inputs labels

            let total (theta: Tensor) =
                batches
                |> List.map (fun b -> float b.Size / float network.Rows * loss b.Inputs b.Targets theta)
                |> List.reduce (+)

            let risk = Risk.ofBatches Reduction.Mean (fun batch theta -> loss batch.Inputs batch.Targets theta) batches

            for theta in [ network.Theta 0; network.Theta 1 ] do
                checkOperator network (Hessian.ofRisk risk theta) (hessianv total theta))
    ]
