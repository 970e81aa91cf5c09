/// The F# of docs/onnx.md.
module DocExamples.OnnxExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Onnx

let private classifier = Classifier.path

let private images = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 12; 1; 8; 8 ]
let private labels = Tensor.ofIndices [ 12 ] (Array.init 12 (fun i -> i % 10))

[<Tests>]
let tests =
    testList "DocExamples.OnnxExamples" [
        test "a model is read, and its curvature measured" {
            let path = classifier.Value

            let model = Onnx.read path
            printfn $"{model}"

            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = Risk.ofModel Reduction.Mean (Onnx.apply model) criterion (Batches.split 4 images labels)
            let hessian = Hessian.ofRisk risk model.Theta
            let table = CurvatureByTensor.estimate model.Layout (StoppingRule.matvecs 20) (Key.OfSeed 2L) hessian

            for row in table.Tensors do
                printfn $"{row.Name}: {row.Trace}"

            Expect.equal "tensors" model.Layout.Tensors.Count table.Tensors.Count
        }

        test "several inputs are fed by name" {
            let model = Onnx.read classifier.Value

            let outputs = Onnx.forward [ "image", images ] model.Theta model
            let logits = outputs["logits"]

            Expect.equal "shape" [| 12; 10 |] logits.Shape
        }

        test "parameters are chosen" {
            let path = classifier.Value

            let head = OnnxOptions.Default.WithParameters [ "fc.*" ]
            let model = Onnx.readWith head path
            let frozen = OnnxOptions.Default.WithConstants [ "*.bias" ]
            let weights = Onnx.readWith frozen path

            Expect.equal "fc" [ "fc.weight"; "fc.bias" ] (model.Layout.Tensors |> Seq.map _.Name |> List.ofSeq)
            Expect.equal "weights" 3 weights.Layout.Tensors.Count
        }

        test "precision, batch and outputs are changed" {
            let model = Onnx.read classifier.Value

            let wide = model |> Onnx.withDType DType.Float64
            let anyBatch = model |> Onnx.withFreeBatch
            let features = model |> Onnx.withOutputs [ "features" ]

            Expect.isTrue "Float64" (wide.Theta.DType = DType.Float64)
            Expect.equal "batch" "batch" anyBatch.Inputs[0].Axes[0].Name
            Expect.equal "features" [| 12; 4 |] (features.Forward(features.Theta, images)).Shape
        }
    ]
