/// Where K-FAC is the block of the Gauss–Newton or Fisher matrix itself.
module Curvature.Tests.Unit.KfacExactnessTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private options = KfacOptions.Default
let private deep = Network.sequential [ Layer.dense 4 5; Layer.denseWithoutBias 5 3; Layer.dense 3 2 ]
let private curved = Network.mlp Layer.tanh [ 4; 5; 3 ]

/// Sequences of three places.
let private sequences = normal 1L [ 7; 3; 4 ]

/// Mean over the places.
let private averaged (network: Network) (x: Tensor) (theta: Tensor) = Tensor.meanAxes [ 1 ] (network.Forward(theta, x))

[<Tests>]
let tests =
    testList "Unit.KfacExactnessTests" [
        for reduction in [ Reduction.Mean; Reduction.Sum ] do
            test $"one linear layer with squared loss is its Gauss-Newton matrix, in uneven batches ({reduction})" {
                let network = Network.ofLayer (Layer.dense 4 3)
                let risk = risk reduction squared 4 (normal 2L [ 10; 4 ]) (normal 3L [ 10; 3 ]) network
                let k = Kfac.estimate network.Layout risk (point network)
                Expect.equal "blocks" [ "weight, bias", KroneckerBlockKind.Product ] (kinds k)
                Expect.isLessThan "distance" (distance (gaussNewton risk (point network)) (dense k), 1e-10)
            }

        test "a function without data has the Gauss-Newton matrix of its criterion" {
            let x, y = normal 4L [ 6; 4 ], normal 5L [ 6; 2 ]
            let layout = ParameterLayout.ofShapes [ "w", [ 4; 2 ] ]
            let model theta = Tensor.matmul x (Tensor.reshape [ 4; 2 ] theta)
            let theta = normal 6L [ 8 ]

            for criterion in [ Loss.meanSquaredError Reduction.Sum y; Loss.meanSquaredError Reduction.Mean y ] do
                let risk = Risk.ofOutputs model criterion
                let k = Kfac.estimate layout risk theta
                Expect.isLessThan "distance" (distance (gaussNewton risk theta) (dense k), 1e-10)
        }

        test "deep linear networks with squared loss have the blocks of the Gauss-Newton matrix" {
            let risk = risk Reduction.Mean squared 4 (normal 7L [ 9; 4 ]) (normal 8L [ 9; 2 ]) deep
            let k = Kfac.estimate deep.Layout risk (point deep)
            Expect.equal "blocks" [ "0.weight, 0.bias"; "1.weight"; "2.weight, 2.bias" ] (kinds k |> List.map fst)
            isExact "deep" k (gaussNewton risk (point deep))
        }

        test "of one sample every block of a network is exact" {
            let risk = risk Reduction.Mean crossEntropy 1 (normal 9L [ 1; 4 ]) (labels 1 3 1) curved
            let theta = point curved
            isExact "Gauss-Newton" (Kfac.estimate curved.Layout risk theta) (gaussNewton risk theta)

            for kind in
                [
                    FisherKind.exact Likelihood.categorical
                    FisherKind.exact Likelihood.bernoulli
                    FisherKind.exact (Likelihood.gaussian 0.3)
                    FisherKind.empirical (fun targets outputs ->
                        Tensor.softmaxCrossEntropy outputs (Tensor.oneHot DType.Float64 3 targets))
                    FisherKind.monteCarlo Likelihood.categorical 1 (Key.OfSeed 3L)
                ] do
                let k = Kfac.estimateWith (options.WithKind(KfacKind.fisher kind)) curved.Layout risk theta
                isExact (string kind) k (fisher kind risk theta)
        }

        test "positions that have outputs of their own are exact by expanding, and not by reducing" {
            let network = Network.sequential [ Layer.dense 4 5; Layer.dense 5 2 ]
            let risk = risk Reduction.Mean squared 3 sequences (normal 10L [ 7; 3; 2 ]) network
            let theta = point network
            isExact "expand" (Kfac.estimate network.Layout risk theta) (gaussNewton risk theta)
            let reduced = Kfac.estimateWith (options.WithSharing WeightSharing.Reduce) network.Layout risk theta

            Expect.isGreaterThan
                "reduce"
                (distance (withinBlocks reduced (gaussNewton risk theta)) (dense reduced), 1e-3)
        }

        test "outputs that are means over positions are exact by reducing, and not by expanding" {
            let network = Network.sequential [ Layer.dense 4 5; Layer.dense 5 2 ]

            let risk =
                Risk.ofModel
                    Reduction.Mean
                    (averaged network)
                    (squared Reduction.Mean)
                    (Batches.split 3 sequences (normal 11L [ 7; 2 ]))

            let theta = point network
            let reduced = Kfac.estimateWith (options.WithSharing WeightSharing.Reduce) network.Layout risk theta
            isExact "reduce" reduced (gaussNewton risk theta)
            let expanded = Kfac.estimate network.Layout risk theta

            Expect.isGreaterThan
                "expand"
                (distance (withinBlocks expanded (gaussNewton risk theta)) (dense expanded), 1e-3)
        }

        test "the factors of a layer are the second moments of inputs and of gradients" {
            let network = Network.ofLayer (Layer.dense 4 3)
            let x = normal 12L [ 10; 4 ]
            let risk = risk Reduction.Mean crossEntropy 10 x (labels 2 3 10) network
            let theta = point network
            let kind = KfacKind.fisher (FisherKind.exact Likelihood.categorical)
            let block = (Kfac.estimateWith (options.WithKind kind) network.Layout risk theta)["weight"]
            let a = Tensor.concat 1 [ x; Tensor.ones DType.Float64 [ 10; 1 ] ]
            let p = Tensor.softmax (network.Forward(theta, x))
            let g = Tensor.diag (Tensor.meanAxes [ 0 ] p) - Tensor.matmul (Tensor.transpose p) p / 10.0
            Expect.tensorsClose 1e-12 (Tensor.matmul (Tensor.transpose a) a / 10.0) block.InputFactor
            Expect.tensorsClose 1e-12 g block.OutputFactor
        }

        test "of inputs alone, G is the identity" {
            let risk = risk Reduction.Mean crossEntropy 4 (normal 13L [ 10; 4 ]) (labels 3 3 10) curved
            let ofInputs = options.WithKind KfacKind.inputsOnly
            let k = Kfac.estimateWith ofInputs curved.Layout risk (point curved)
            let whole = Kfac.estimate curved.Layout risk (point curved)
            Expect.tensorsClose 1e-14 (Tensor.eye DType.Float64 5) k["0.weight"].OutputFactor
            Expect.tensorsClose 1e-12 whole["0.weight"].InputFactor k["0.weight"].InputFactor
            Expect.tensorsClose 1e-12 whole["2.bias"].InputFactor k["2.bias"].InputFactor

            Expect.error<ArgumentRangeException> [ "inputs only" ] (fun () ->
                Kfac.estimateWith (ofInputs.WithCorrectedEigenvalues true) curved.Layout risk (point curved) |> ignore)
        }

        test "factors do not depend on how the data are cut, and are sums for a sum" {
            let x, y = normal 14L [ 11; 4 ], labels 4 3 11

            let of' reduction size =
                Kfac.estimate curved.Layout (risk reduction crossEntropy size x y curved) (point curved)

            let whole = of' Reduction.Mean 11
            Expect.tensorsClose 1e-12 (dense whole) (dense (of' Reduction.Mean 3))
            Expect.tensorsClose 1e-11 (11.0 * dense whole) (dense (of' Reduction.Sum 4))
        }

        test "Float32 comes close to Float64" {
            let x, y = normal 15L [ 10; 4 ], labels 5 3 10
            let wide = Kfac.estimate curved.Layout (risk Reduction.Mean crossEntropy 5 x y curved) (point curved)
            let x = Tensor.convert DType.Float32 x
            let theta = Tensor.convert DType.Float32 (point curved)
            let narrow = Kfac.estimate curved.Layout (risk Reduction.Mean crossEntropy 5 x y curved) theta
            Expect.equal "element type" DType.Float32 narrow.Operator.DType
            Expect.isLessThan "distance" (distance (dense wide) (Tensor.convert DType.Float64 (dense narrow)), 1e-5)
        }

        test "factors of drawn targets are unbiased" {
            let risk = risk Reduction.Mean crossEntropy 5 (normal 16L [ 5; 4 ]) (labels 6 3 5) curved
            let theta = point curved

            let factor kind =
                let k = Kfac.estimateWith (options.WithKind(KfacKind.fisher kind)) curved.Layout risk theta
                k["0.weight"].OutputFactor

            let key = Key.OfSeed 17L
            let truth = (factor (FisherKind.exact Likelihood.categorical)).ToArray()

            let draws =
                [|
                    for i in 0..99 ->
                        (factor (FisherKind.monteCarlo Likelihood.categorical 4 (key.FoldIn(uint32 i)))).ToArray()
                |]

            for entry in 0 .. truth.Length - 1 do
                let values = draws |> Array.map (Array.item entry)
                let mean = Array.average values
                let error = sqrt ((values |> Array.averageBy (fun v -> (v - mean) ** 2.0)) / 99.0)
                Expect.within $"entry {entry} with {key}" (5.5 * error + 1e-12) truth[entry] mean
        }
    ]
