/// Derivatives of models: whatever a graph computes, the library differentiates.
module Curvature.Tests.Onnx.DerivativeTests

open System
open System.Collections.Generic
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private node op inputs outputs attributes = ModelWriter.node DType.Float64 op inputs outputs attributes

/// Convolution, normalisation, pool and two layers: smooth everywhere but in the pool.
let private network: Lazy<OnnxModel> =
    lazy
        (let nodes =
            [
                node "Conv" [ "x"; "filters"; "bias" ] [ "c" ] [ "pads", Ints [ 1; 1; 1; 1 ] ]
                node "BatchNormalization" [ "c"; "gain"; "shift"; "mean"; "variance" ] [ "n" ] []
                node "Gelu" [ "n" ] [ "g" ] []
                node "AveragePool" [ "g" ] [ "p" ] [ "kernel_shape", Ints [ 2; 2 ]; "strides", Ints [ 2; 2 ] ]
                node "Shape" [ "p" ] [ "s" ] [ "end", Int 1L ]
                node "Concat" [ "s"; "rest" ] [ "flat" ] [ "axis", Int 0L ]
                node "Reshape" [ "p"; "flat" ] [ "f" ] []
                node "Gemm" [ "f"; "w1"; "b1" ] [ "h" ] [ "transB", Int 1L ]
                node "Softplus" [ "h" ] [ "a" ] []
                node "LayerNormalization" [ "a"; "gain1" ] [ "l" ] []
                node "MatMul" [ "l"; "w2" ] [ "y" ] []
            ]

         let random = Random 11

         let reals name shape =
             ModelWriter.reals DType.Float64 name shape (Draw.numbers random shape |> Array.map ((*) 0.5))

         let positive name shape = ModelWriter.reals DType.Float64 name shape (Draw.positive random shape)

         let tensors =
             [
                 reals "filters" [ 3; 2; 3; 3 ]
                 reals "bias" [ 3 ]
                 reals "gain" [ 3 ]
                 reals "shift" [ 3 ]
                 reals "mean" [ 3 ]
                 positive "variance" [ 3 ]
                 reals "w1" [ 5; 12 ]
                 reals "b1" [ 5 ]
                 positive "gain1" [ 5 ]
                 reals "w2" [ 5; 4 ]
                 ModelWriter.wholes "rest" [ 1 ] [| -1L |]
             ]

         ModelWriter.model
             20
             nodes
             [ ModelWriter.value "x" OnnxElementType.Float64 (ValueSome [ -1; 2; 4; 4 ]) ]
             [ ModelWriter.value "y" OnnxElementType.Float64 (ValueSome [ -1; 4 ]) ]
             tensors
         |> ModelWriter.read)

let private images = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 6; 2; 4; 4 ]
let private labels = Tensor.ofIndices [ 6 ] [| 0; 3; 1; 2; 2; 0 |]
let private criterion = Loss.softmaxCrossEntropy Reduction.Mean

let private risk (model: OnnxModel) (batch: int) : EmpiricalRisk =
    Risk.ofModel Reduction.Mean (Onnx.apply model) criterion (Batches.split batch images labels)

let private relative (expected: Tensor) (actual: Tensor) : float =
    (Tensor.norm (actual - expected)).ToScalar() / (Tensor.norm expected).ToScalar()

[<Tests>]
let tests =
    testList "Onnx.DerivativeTests" [
        test "statistics of batch normalisation are no parameters" {
            let model = network.Value
            let names = model.Layout.Tensors |> Seq.map _.Name |> List.ofSeq
            let expected = [ "filters"; "bias"; "gain"; "shift"; "w1"; "b1"; "gain1"; "w2" ]
            Expect.equal "names" expected names
            Expect.equal "constants" [ "mean"; "variance" ] (List.ofSeq model.Constants.Keys)
        }

        test "products with the Hessian are differences of gradients" {
            let model = network.Value
            let loss theta = criterion labels (Onnx.apply model images theta)
            let hessian = Hessian.ofRisk (risk model 6) model.Theta
            let differences = FiniteDifference.hessian loss model.Theta
            let v = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ model.Theta.Size ]
            Expect.isLessThan "Hv" (relative (hessian.Apply v) (differences.Apply v), 1e-6)
        }

        test "a model over batches is that of one batch" {
            let model = network.Value
            let v = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ model.Theta.Size ]
            let whole = (Hessian.ofRisk (risk model 6) model.Theta).Apply v
            let parts = (Hessian.ofRisk (risk model 4) model.Theta).Apply v
            Expect.isLessThan "Hv" (relative whole parts, 1e-12)
        }

        test "a Gauss–Newton form is that of the outputs' differences" {
            let model = network.Value
            let operator = GaussNewton.ofRisk (risk model 6) model.Theta
            let v = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ model.Theta.Size ]
            let outputs step = Onnx.apply model images (model.Theta + step * v)
            let jv = (outputs 1e-5 - outputs -1e-5) / 2e-5

            let outer =
                Hessian.at (fun y -> criterion labels (Tensor.reshape [ 6; 4 ] y)) (Tensor.flatten (outputs 0.0))

            let expected = (outer.QuadraticForm(Tensor.flatten jv)).ToScalar()
            Expect.withinPercent "vᵀGv" 1e-4 expected ((operator.QuadraticForm v).ToScalar())
        }

        test "a model is differentiated with respect to its inputs" {
            let model = network.Value
            let loss (x: Tensor) = Tensor.sum (Tensor.square (model.Forward(model.Theta, x)))
            let gradient = Differentiation.grad loss images
            let step = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 6; 2; 4; 4 ]
            let along h = (loss (images + h * step)).ToScalar()
            let expected = (along 1e-6 - along -1e-6) / 2e-6
            Expect.withinPercent "slope" 1e-4 expected ((Tensor.sum (gradient * step)).ToScalar())
        }

        test "a model in Float32 is computed in Float64 too" {
            let model = network.Value
            let single = model.WithDType DType.Float32
            let y = single.Forward(single.Theta, Tensor.convert DType.Float32 images)
            Expect.isTrue "Float32" (y.DType = DType.Float32 && single.Theta.DType = DType.Float32)
            let expected = model.Forward(model.Theta, images)
            Expect.isLessThan "values" (relative expected (Tensor.convert DType.Float64 y), 1e-5)
        }

        test "an inner value can be an output" {
            let inner = network.Value.WithOutputs [ "h" ]
            let found = Onnx.forward [ "x", images ] inner.Theta inner
            Expect.equal "shape" [| 6; 5 |] found["h"].Shape
            let steps = inner.Operators |> Seq.sumBy _.Value
            Expect.isLessThan "nodes" (steps, network.Value.Operators |> Seq.sumBy _.Value)

            Expect.error<DataException> [ "\"nothing\"" ] (fun () -> network.Value.WithOutputs [ "nothing" ] |> ignore)
        }
    ]
