namespace Curvature.Tests.Onnx

open System
open System.IO
open Curvature
open Curvature.Tests

/// A small classifier of images of 8×8 pixels, with ten classes.
[<RequireQualifiedAccess>]
module Classifier =

    /// The path of the file, which is written once.
    let path: Lazy<string> =
        lazy
            (let node op inputs outputs attributes = ModelWriter.node DType.Float32 op inputs outputs attributes

             let nodes =
                 [
                     node "Conv" [ "image"; "conv.weight"; "conv.bias" ] [ "c" ] [ "strides", Ints [ 2; 2 ] ]
                     node "BatchNormalization" [ "c"; "bn.weight"; "bn.bias"; "bn.running_mean"; "bn.running_var" ] [
                         "n"
                     ] []
                     node "Relu" [ "n" ] [ "r" ] []
                     node "GlobalAveragePool" [ "r" ] [ "p" ] []
                     node "Flatten" [ "p" ] [ "features" ] []
                     node "Gemm" [ "features"; "fc.weight"; "fc.bias" ] [ "logits" ] [ "transB", Int 1L ]
                 ]

             let random = Random 3
             let reals name shape = ModelWriter.reals DType.Float32 name shape (Draw.numbers random shape)

             let tensors =
                 [
                     reals "conv.weight" [ 4; 1; 3; 3 ]
                     reals "conv.bias" [ 4 ]
                     reals "bn.weight" [ 4 ]
                     reals "bn.bias" [ 4 ]
                     reals "bn.running_mean" [ 4 ]
                     ModelWriter.reals DType.Float32 "bn.running_var" [ 4 ] (Draw.positive random [ 4 ])
                     reals "fc.weight" [ 10; 4 ]
                     reals "fc.bias" [ 10 ]
                 ]

             let model =
                 ModelWriter.model
                     17
                     nodes
                     [ ModelWriter.value "image" OnnxElementType.Float32 (ValueSome [ -1; 1; 8; 8 ]) ]
                     [ ModelWriter.value "logits" OnnxElementType.Float32 (ValueSome [ -1; 10 ]) ]
                     tensors

             let path = Path.Combine(TemporaryFolder.create "curvature-doc-", "classifier.onnx")
             File.WriteAllBytes(path, ModelWriter.bytes model)
             path)
