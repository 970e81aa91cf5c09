/// How K-FAC finds the layers of a model.
module Curvature.Tests.Unit.KfacLayerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private product = KroneckerBlockKind.Product

/// A model of named tensors, with squared loss.
let private ofTensors shapes (inputs: Tensor) (targets: Tensor) (model: Parameters -> Tensor -> Tensor) =
    let layout = ParameterLayout.ofShapes shapes
    let batches = Batches.split 4 inputs targets

    let risk =
        Risk.ofModel
            Reduction.Mean
            (fun x theta -> model (ParameterLayout.split theta layout) x)
            (squared Reduction.Mean)
            batches

    layout, risk, 0.7 * normal 90L [ layout.Size ]

let private blocksAreExact (k: KroneckerOperator) (names: string list) (matrix: Tensor) =
    for name in names do
        let block = k[name]
        Expect.tensorsClose 1e-10 (at block.Positions matrix) (block.ToMatrix())

[<Tests>]
let tests =
    testList "Unit.KfacLayerTests" [
        for sharing in [ WeightSharing.Expand; WeightSharing.Reduce ] do
            for name, sliding, groups in
                [
                    "plain", Sliding.Default, 1
                    "steps and zeros", Sliding.Default.WithStride(2, 1).WithPadding(1, 0, 2, 1), 1
                    "dilated, in groups", Sliding.Default.WithDilation(2, 1).WithPadding 1, 2
                ] do
                test $"a convolution is a dense layer on its patches ({name}, {sharing})" {
                    let images, targets = normal 91L [ 5; 5; 4; 2 ], normal 92L [ 5; 4 ]
                    let shapes = [ "weight", [ 4; 2 / groups; 2; 3 ]; "bias", [ 4 ] ]
                    let filters (p: Parameters) = Nchw.filtersToNhwc p["weight"]

                    let convolve (p: Parameters) x =
                        Nhwc.groupedConv2d groups sliding (filters p) x + p["bias"]
                        |> Tensor.tanh
                        |> Tensor.meanAxes [ 1; 2 ]

                    /// The patches under the filters, by filters that are unit vectors.
                    let patches (x: Tensor) =
                        let eye = Tensor.eye DType.Float64 (12 / groups)
                        let unit = Tensor.reshape [ 2; 3; 2 / groups; 12 / groups ] eye

                        List.init groups (fun group ->
                            Nhwc.conv2d sliding unit (Tensor.slice 3 (group * (2 / groups)) (2 / groups) x))
                        |> Tensor.stack 3

                    let multiply (p: Parameters) (x: Tensor) =
                        let weights = Tensor.reshape [ 12 / groups; groups; 4 / groups ] (filters p)
                        let y = Tensor.einsum "nhwgi,igo->nhwgo" (patches x) weights
                        let y = Tensor.reshape [ y.Shape[0]; y.Shape[1]; y.Shape[2]; 4 ] y
                        y + p["bias"] |> Tensor.tanh |> Tensor.meanAxes [ 1; 2 ]

                    let layout, risk, theta = ofTensors shapes images targets convolve
                    let _, unfolded, _ = ofTensors shapes images targets multiply
                    let options = KfacOptions.Default.WithSharing sharing
                    let k = Kfac.estimateWith options layout risk theta
                    let k' = Kfac.estimateWith options layout unfolded theta
                    Expect.equal "blocks" (List.replicate groups ("weight, bias", product)) (kinds k)
                    Expect.isEmpty "warnings" (List.ofSeq k.Warnings)
                    Expect.tensorsClose 1e-11 (dense k') (dense k)
                }

        test "PyTorch's order of axes makes no difference" {
            let images = normal 93L [ 4; 2; 5; 4 ]
            let layer = ImageLayer.conv2d 2 3 (2, 2) Sliding.Default

            let network = Network.sequential [ ImageLayer.onImages layer; Layer.tanh; Layer.flatten; Layer.dense 36 2 ]

            let risk = risk Reduction.Mean squared 4 images (normal 94L [ 4; 2 ]) network
            let k = Kfac.estimate network.Layout risk (point network)
            Expect.equal "blocks" [ "0.weight, 0.bias", product; "3.weight, 3.bias", product ] (kinds k)
        }

        test "a bias that is added after the axes were exchanged is part of its layer" {
            let x, y = normal 95L [ 6; 3; 4 ], normal 96L [ 6; 2; 3 ]

            let model (p: Parameters) (x: Tensor) =
                Tensor.permute [ 0; 2; 1 ] (Tensor.einsum "nti,io->nto" x p["w"]) + Tensor.unsqueeze -1 p["b"]

            let layout, risk, theta = ofTensors [ "w", [ 4; 2 ]; "b", [ 2 ] ] x y model
            let k = Kfac.estimate layout risk theta
            Expect.equal "blocks" [ "w, b", product ] (kinds k)
            isExact "one layer" k (gaussNewton risk theta)
        }

        test "a bias that two layers share is a block of its own, which is exact" {
            let x, y = normal 97L [ 6; 3 ], normal 98L [ 6; 3 ]

            let model (p: Parameters) (x: Tensor) =
                Tensor.tanh (Tensor.matmul (Tensor.tanh (Tensor.matmul x p["v"] + p["b"])) p["w"] + p["b"])

            let layout, risk, theta = ofTensors [ "v", [ 3; 3 ]; "w", [ 3; 3 ]; "b", [ 3 ] ] x y model
            let k = Kfac.estimate layout risk theta
            Expect.equal "blocks" [ "v", product; "w", product; "b", KroneckerBlockKind.Exact ] (kinds k)
            Expect.isEmpty "warnings" (List.ofSeq k.Warnings)
            blocksAreExact k [ "b" ] (gaussNewton risk theta)
        }

        test "weights with a numeric factor are a layer" {
            let x, y = normal 99L [ 6; 3 ], normal 100L [ 6; 2 ]
            let model (p: Parameters) (x: Tensor) = Tensor.matmul x (0.5 * p["w"] / sqrt 3.0)
            let layout, risk, theta = ofTensors [ "w", [ 3; 2 ] ] x y model
            let k = Kfac.estimate layout risk theta
            Expect.equal "blocks" [ "w", product ] (kinds k)
            isExact "one layer" k (gaussNewton risk theta)
        }

        test "an embedding is a dense layer on unit vectors" {
            let tokens = Tensor.ofIndices [ 5; 3 ] [| 0; 1; 2; 2; 2; 3; 0; 3; 1; 1; 1; 1; 3; 0; 2 |]
            let y = normal 101L [ 5; 3; 2 ]
            let table = Network.sequential [ Attention.embedding 4 3; Layer.tanh; Layer.dense 3 2 ]
            let multiplied = Network.sequential [ Layer.denseWithoutBias 4 3; Layer.tanh; Layer.dense 3 2 ]
            let theta = point table
            let k = Kfac.estimate table.Layout (risk Reduction.Mean squared 2 tokens y table) theta

            // A dense layer has its weights as [outputs; inputs].
            let transposed =
                let weight = Tensor.slice 0 0 12 theta |> Tensor.reshape [ 4; 3 ] |> Tensor.transpose |> Tensor.flatten
                Tensor.concat 0 [ weight; Tensor.slice 0 12 8 theta ]

            let units = Tensor.oneHot DType.Float64 4 tokens

            for options in [ KfacOptions.Default; KfacOptions.Default.WithCorrectedEigenvalues true ] do
                let k = Kfac.estimateWith options table.Layout (risk Reduction.Mean squared 2 tokens y table) theta
                let risk = risk Reduction.Mean squared 2 units y multiplied
                let k' = Kfac.estimateWith options multiplied.Layout risk transposed
                Expect.tensorsClose 1e-10 (k'["0.weight"].ToMatrix()) (k["0.weight"].ToMatrix())

            Expect.equal "inputs" 4 k["0.weight"].Inputs
        }

        test "scales and shifts of normalisation have their exact blocks" {
            let layer =
                Network.sequential [
                    Layer.dense 3 4
                    Normalization.layer 4
                    Layer.tanh
                    Normalization.rms 4
                    Layer.dense 4 2
                ]

            let risk = risk Reduction.Mean squared 3 (normal 102L [ 8; 3 ]) (normal 103L [ 8; 2 ]) layer
            let theta = point layer
            let names = [ "1.weight"; "1.bias"; "3.weight" ]
            let g = gaussNewton risk theta
            let k = Kfac.estimate layer.Layout risk theta
            blocksAreExact k names g
            let diagonal = Kfac.estimateWith (KfacOptions.Default.WithLargestExactBlock 3) layer.Layout risk theta

            for name in names do
                let block = diagonal[name]
                Expect.equal name KroneckerBlockKind.ExactDiagonal block.Kind
                Expect.tensorsClose 1e-10 (Tensor.diag (Tensor.diagonal (at block.Positions g))) (block.ToMatrix())
        }

        test "batch normalisation in evaluation has exact blocks" {
            let network =
                Network.sequential [
                    ImageLayer.conv2dWithoutBias 1 3 (2, 2) Sliding.Default
                    Normalization.batch 3
                    Layer.relu
                    ImageLayer.globalAveragePool
                    Layer.dense 3 2
                ]

            let risk = risk Reduction.Mean squared 3 (normal 104L [ 7; 4; 4; 1 ]) (normal 105L [ 7; 2 ]) network
            let theta = point network
            let k = Kfac.estimate network.Layout risk theta
            Expect.isEmpty "warnings" (List.ofSeq k.Warnings)
            blocksAreExact k [ "1.weight"; "1.bias" ] (gaussNewton risk theta)
        }

        test "weights that are used twice say so, and a transformer has no block that is unknown" {
            let network = Transformer.gpt 5 3 1 2 4
            let tokens = Tensor.ofIndices [ 4; 3 ] [| 0; 1; 2; 3; 4; 0; 1; 1; 2; 4; 3; 0 |]
            let targets = Tensor.ofIndices [ 4; 3 ] [| 1; 2; 3; 4; 0; 1; 1; 2; 0; 3; 0; 2 |]
            let risk = risk Reduction.Mean crossEntropy 3 tokens targets network

            for options in [ KfacOptions.Default; KfacOptions.Default.WithCorrectedEigenvalues true ] do
                let k = Kfac.estimateWith options network.Layout risk (point network)

                Expect.equal
                    "warnings"
                    [ "Kfac: transformer.wte.weight are used 2 times, and the factors of the uses are added up" ]
                    (List.ofSeq k.Warnings)

                let attention = k["transformer.h.0.attn.c_attn.weight"]
                Expect.equal "inputs with a bias" (5, 12) (attention.Inputs, attention.Outputs)
                Expect.equal "positions" KroneckerBlockKind.Exact k["transformer.wpe.weight"].Kind

                blocksAreExact
                    k
                    [ "transformer.wpe.weight"; "transformer.ln_f.weight"; "transformer.ln_f.bias" ]
                    (gaussNewton risk (point network))

                if options.CorrectsEigenvalues then
                    // The gradients of both uses are added before they are squared.
                    Expect.within "trace" 1e-9 (Matrices.trace (gaussNewton risk (point network))) k.Trace
        }

        test "what is no layer has its exact diagonal, and is named" {
            let x, y = normal 106L [ 6; 3 ], normal 107L [ 6; 2 ]
            let mask = Tensor.ofArray [ 3; 2 ] [| 1.0; 0.5; 2.0; 1.0; -1.0; 0.25 |]

            let model (p: Parameters) (x: Tensor) = Tensor.matmul (Tensor.tanh (Tensor.matmul x p["v"])) (mask * p["w"])

            let layout, risk, theta = ofTensors [ "v", [ 3; 3 ]; "w", [ 3; 2 ]; "unused", [ 2 ] ] x y model
            let g = gaussNewton risk theta

            for limit, kind in [ 128, KroneckerBlockKind.Exact; 5, KroneckerBlockKind.ExactDiagonal ] do
                let k = Kfac.estimateWith (KfacOptions.Default.WithLargestExactBlock limit) layout risk theta
                let block = k["w"]
                let truth = at block.Positions g
                let expected = if limit = 5 then Tensor.diag (Tensor.diagonal truth) else truth
                Expect.equal "kind" kind block.Kind
                Expect.tensorsClose 1e-10 expected (block.ToMatrix())
                Expect.equal "a layer beside it" product k["v"].Kind
                Expect.equal "unused" KroneckerBlockKind.Unused k["unused"].Kind
                Expect.stringContains "warning" "w enter in a way" k.Warnings[0]
                Expect.stringContains "warning" "unused" k.Warnings[1]
        }

        test "samples that act on each other are no layers" {
            let network =
                Network.sequential [ Layer.dense 3 4; Normalization.batch 4; Layer.tanh; Layer.dense 4 2 ]
                |> Network.forTraining

            let risk = risk Reduction.Mean squared 8 (normal 108L [ 8; 3 ]) (normal 109L [ 8; 2 ]) network
            let theta = point network
            let k = Kfac.estimate network.Layout risk theta
            Expect.equal "the layer behind" product k["3.weight"].Kind
            Expect.equal "the layer before" KroneckerBlockKind.Exact k["0.weight"].Kind
            Expect.isTrue "warnings" (k.Warnings |> Seq.exists _.Contains("coupled"))
            // One gradient a sample of the outputs makes the block of the whole.
            blocksAreExact k [ "0.weight"; "1.weight" ] (gaussNewton risk theta)
        }

        test "some parameters by name, with the others held" {
            let network = Network.mlp Layer.tanh [ 3; 4; 2 ]
            let whole = risk Reduction.Mean squared 4 (normal 110L [ 9; 3 ]) (normal 111L [ 9; 2 ]) network
            let theta = point network
            let names = [ "2.weight"; "2.bias" ]
            let part = Risk.restrictTo names network.Layout theta whole
            let layout = ParameterLayout.restrict names network.Layout
            let k = Kfac.estimate layout part (Tensor.slice 0 16 10 theta)
            let ofWhole = Kfac.estimate network.Layout whole theta
            Expect.tensorsClose 1e-12 (ofWhole["2.weight"].ToMatrix()) (k["2.weight"].ToMatrix())
        }

        test "wrong use is refused" {
            let network = Network.mlp Layer.tanh [ 3; 4; 2 ]
            let x, y = normal 112L [ 6; 3 ], normal 113L [ 6; 2 ]
            let risk = risk Reduction.Mean squared 6 x y network
            let estimate layout risk theta () = Kfac.estimate layout risk theta |> ignore
            let layout = network.Layout
            Expect.error<ShapeException> [ "Kfac"; "[26]" ] (estimate layout risk (Tensor.ones DType.Float64 [ 5 ]))

            Expect.error<OperatorException>
                [ "a model and a criterion" ]
                (estimate layout (Risk.ofFunction Tensor.sum) (point network))

            Expect.error<DTypeException> [ "Int32" ] (estimate layout risk (Tensor.ofIndices [ 26 ] [| 0..25 |]))

            let concave (_: Tensor) (outputs: Tensor) = Tensor.mean -(Tensor.square outputs)
            let coupled (_: Tensor) (outputs: Tensor) = Tensor.square (Tensor.sum outputs)

            let of' criterion =
                Risk.ofModel Reduction.Mean (fun x theta -> network.Forward(theta, x)) criterion (Batches.split 6 x y)

            Expect.error<OperatorException> [ "not convex" ] (estimate layout (of' concave) (point network))
            Expect.error<OperatorException> [ "between samples" ] (estimate layout (of' coupled) (point network))

            let constant =
                Risk.ofModel Reduction.Mean (fun x _ -> x) (fun _ outputs -> Tensor.mean outputs) (Batches.split 6 x y)

            Expect.error<DifferentiationException> [ "does not depend" ] (estimate layout constant (point network))

            let reduced =
                Risk.ofModel
                    Reduction.Mean
                    (fun x theta -> Tensor.sumAxes [ 0 ] (network.Forward(theta, x)))
                    (fun _ outputs -> Tensor.mean (Tensor.square outputs))
                    (Batches.split 6 x y)

            Expect.error<ShapeException> [ "6 samples" ] (estimate layout reduced (point network))

            Expect.error<ArgumentRangeException> [ "0" ] (fun () ->
                KfacOptions.Default.WithLargestExactBlock -1 |> ignore)
        }

        test "a term without data is left out, and named" {
            let network = Network.mlp Layer.tanh [ 3; 4; 2 ]
            let data = risk Reduction.Mean squared 6 (normal 114L [ 6; 3 ]) (normal 115L [ 6; 2 ]) network
            let both = Risk.withTerm (fun theta -> Tensor.dot theta theta) data

            let k, k' =
                Kfac.estimate network.Layout both (point network), Kfac.estimate network.Layout data (point network)

            Expect.sameBits (dense k') (dense k)
            Expect.stringContains "warning" "term" (Seq.exactlyOne k.Warnings)
        }
    ]
