/// The F# of docs/images.md.
module DocExamples.ImageExamples

open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network =
    let network =
        Layer.sequential [
            ImageLayer.conv2d 3 16 (3, 3) (Sliding.Default.WithPadding 1)
            Normalization.batch 16
            Layer.relu
            ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
            ImageLayer.globalAveragePool
            Layer.dense 16 10
        ]
        |> ImageLayer.onImages
        |> Network.ofLayer

    network

let private folder = TemporaryFolder.create "curvature-"
let private file name = Path.Combine(folder, name)

[<Tests>]
let tests =
    testList "DocExamples.ImageExamples" [
        test "a network for images is trained, and has statistics of its own" {
            let images = Tensor.normal (Key.OfSeed 3L) DType.Float32 [ 24; 3; 6; 6 ]
            let labels = Tensor.ofIndices [ 24 ] (Array.init 24 (fun image -> image % 10))

            let training = Network.forTraining network
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean

            let risk =
                training
                |> Network.risk Reduction.Mean criterion [ Batch(images, labels) ]
                |> Risk.withPasses (Batches.shuffledEachPass 8 (Key.OfSeed 2L) images labels)

            let options = TrainingOptions.Default.WithEpochs(3).WithOptimizer(Optimizer.momentum 0.05 0.9)
            let start = Network.initialize (Key.OfSeed 1L) DType.Float32 network
            let theta = (Training.minimize options risk start).Theta
            let trained = network |> Network.measureStatistics theta [ images ]
            let accuracy = Network.forward trained theta images |> Loss.accuracy labels

            Expect.isGreaterThan "accuracy" (accuracy, 0.1)
            Expect.isTrue "training.CouplesSamples && not…" (training.CouplesSamples && not trained.CouplesSamples)
        }

        test "a trained network from a file" {
            let weights, path = file "resnet20.safetensors", file "test_batch.bin"
            let random = Network.initialize (Key.OfSeed 1L) DType.Float32 ResNet.resNet20
            Safetensors.write weights (Network.save random ResNet.resNet20)

            // Of each image, a byte for its class and 3 × 32 × 32 bytes for its pixels.
            let image label = Array.append [| label |] (Array.init 3072 byte)
            File.WriteAllBytes(path, Array.append (image 3uy) (image 8uy))

            let theta, network = Network.load DType.Float32 (Safetensors.read weights) ResNet.resNet20
            let images, labels = Cifar.read10 DType.Float32 path
            let inputs = images |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]

            let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels
            let hessian = Hessian.at loss theta
            let perLayer = Measurement.blockTraces (ParameterLayout.blocks network.Layout)

            let traces = Hutchinson.estimate Probe.rademacher perLayer (StoppingRule.matvecs 8) (Key.OfSeed 1L) hessian

            for layer in traces do
                printfn $"{layer.Block.Name}: {layer.Trace}"

            Safetensors.write (file "copy.safetensors") (Network.save theta network)

            Expect.hasLength "the tensors of the copy" 97 (Safetensors.read (file "copy.safetensors"))
        }

        test "signals, and functions that normalise" {
            let network =
                Layer.sequential [
                    ImageLayer.conv1d 2 8 5 (Sliding.Default.WithPadding 2)
                    Normalization.instance 8
                    Layer.prelu 8
                    ImageLayer.maxPool1d 2 (Sliding.Default.WithStride 2)
                ]
                |> ImageLayer.onSignals // [batch; channels; length], as in PyTorch
                |> Network.ofLayer

            let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network
            let x = Network.forward network theta (Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 3; 2; 10 ])

            let standard = Normalization.overAxes 1e-5 [ -2; -1 ] x // layer norm over the last two axes
            let groups = Normalization.overGroups 1e-5 4 1 x // 4 groups of the channels at axis 1

            Expect.equal "standard.Shape" [| 3; 8; 5 |] standard.Shape
            Expect.equal "groups.Shape" [| 3; 8; 5 |] groups.Shape
        }

        test "a small language model" {
            let tokens = Tensor.ofIndices [ 2; 8 ] (Array.init 16 (fun place -> 7 * place % 65))
            let next = Tensor.ofIndices [ 2; 8 ] (Array.init 16 (fun place -> 7 * (place + 1) % 65))

            let network = Transformer.gpt 65 32 2 4 16 // 65 tokens, 32 places, 2 layers, 4 heads, width 16
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network
            let loss theta = Network.forward network theta tokens |> Loss.softmaxCrossEntropy Reduction.Mean next
            let trace = Hessian.at loss theta |> Hutchinson.trace (StoppingRule.matvecs 10) (Key.OfSeed 2L)

            Expect.equal "trace.Samples" 10 trace.Samples
        }

        test "layers for sequences" {
            let block =
                Layer.composed
                    "block"
                    [ "norm", Normalization.layer 8; "attention", Attention.multiHead 8 2 true ]
                    (fun run x -> x + (x |> run "norm" |> run "attention"))

            let network = Network.ofLayer (Layer.named [ "embedding", Attention.embedding 65 8; "block", block ])

            Expect.equal
                "network.Layout[\"block.attention…"
                [| 24; 8 |]
                network.Layout["block.attention.in_proj_weight"].Shape

            let queries = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 2; 5; 8 ]
            let keys, values = 2.0 * queries, -queries

            let attended = Attention.scaledDotProduct 2 false queries keys values // in 2 heads

            Expect.equal "attended.Shape" [| 2; 5; 8 |] attended.Shape
        }

        test "a block of the Llama kind" {
            let block =
                Layer.composed
                    "llama block"
                    [
                        "input_layernorm", Normalization.rms 16
                        "self_attn", Attention.rotaryGroupedQuery 10000.0 16 4 2 true // 4 heads in 2 groups
                        "post_attention_layernorm", Normalization.rms 16
                        "mlp", Layer.swiGlu 16 44
                    ]
                    (fun run x ->
                        let attended = x + (x |> run "input_layernorm" |> run "self_attn")
                        attended + (attended |> run "post_attention_layernorm" |> run "mlp"))

            let network = Network.ofLayer block
            Expect.equal "keys" [| 8; 16 |] network.Layout["self_attn.k_proj.weight"].Shape
        }
    ]
