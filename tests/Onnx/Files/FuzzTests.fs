/// Ten thousand damaged models: each is read and computed, or refused by a typed error, in little memory.
module Curvature.Tests.Onnx.FuzzTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Properties

let private limits = ReadLimits.Default.WithBytes(1L <<< 22).WithEntries 2000

/// A small network whose shapes depend on shapes, with the operators that make memory of a number.
let private convolutional: Lazy<byte[]> =
    lazy
        (let node op inputs outputs attributes = ModelWriter.node DType.Float32 op inputs outputs attributes

         let nodes =
             [
                 node "Conv" [ "x"; "filters"; "bias" ] [ "c" ] [
                     "pads", Ints [ 1; 1; 1; 1 ]
                     "strides", Ints [ 2; 2 ]
                 ]
                 node "Relu" [ "c" ] [ "r" ] []
                 node "Resize" [ "r"; ""; "scales" ] [ "s" ] [ "mode", Text "nearest" ]
                 node "Pad" [ "s"; "pads" ] [ "p" ] [ "mode", Text "reflect" ]
                 node "AveragePool" [ "p" ] [ "a" ] [ "kernel_shape", Ints [ 2; 2 ]; "strides", Ints [ 2; 2 ] ]
                 node "Shape" [ "a" ] [ "shape" ] []
                 node "Gather" [ "shape"; "zero" ] [ "batch" ] []
                 node "Concat" [ "batch"; "rest" ] [ "flat" ] [ "axis", Int 0L ]
                 node "Reshape" [ "a"; "flat" ] [ "f" ] []
                 node "ConstantOfShape" [ "flat" ] [ "zeros" ] []
                 node "Tile" [ "one"; "repeats" ] [ "t" ] []
                 node "Softmax" [ "f" ] [ "y" ] [ "axis", Int 1L ]
             ]

         let tensors =
             [
                 ModelWriter.reals DType.Float32 "filters" [ 2; 1; 3; 3 ] [| 0.1..0.1..1.8 |]
                 ModelWriter.reals DType.Float32 "bias" [ 2 ] [| 0.1; -0.1 |]
                 ModelWriter.reals DType.Float32 "scales" [ 4 ] [| 1.0; 1.0; 2.0; 2.0 |]
                 ModelWriter.wholes "pads" [ 8 ] [| 0L; 0L; 1L; 1L; 0L; 0L; 1L; 1L |]
                 ModelWriter.wholes "zero" [ 1 ] [| 0L |]
                 ModelWriter.wholes "rest" [ 1 ] [| -1L |]
                 ModelWriter.reals DType.Float32 "one" [ 1 ] [| 1.0 |]
                 ModelWriter.wholes "repeats" [ 1 ] [| 3L |]
             ]

         ModelWriter.model
             13
             nodes
             [ ModelWriter.value "x" OnnxElementType.Float32 (ValueSome [ -1; 1; 5; 5 ]) ]
             [ ModelWriter.value "y" OnnxElementType.Float32 (ValueSome [ -1; -1 ]) ]
             tensors
         |> ModelWriter.bytes)

/// Attention over a few tokens: products, masks, positions.
let private attention: Lazy<byte[]> =
    lazy
        (let node op inputs outputs attributes = ModelWriter.node DType.Float32 op inputs outputs attributes

         let nodes =
             [
                 node "Gather" [ "table"; "ids" ] [ "x" ] []
                 node "LayerNormalization" [ "x"; "gain" ] [ "n" ] []
                 node "MatMul" [ "n"; "w" ] [ "q" ] []
                 node "Transpose" [ "n" ] [ "k" ] [ "perm", Ints [ 0; 2; 1 ] ]
                 node "MatMul" [ "q"; "k" ] [ "scores" ] []
                 node "Shape" [ "scores" ] [ "shape" ] []
                 node "Slice" [ "shape"; "one"; "three" ] [ "square" ] []
                 node "ConstantOfShape" [ "square" ] [ "ones" ] [ "value", Reals([ 1 ], [| 1.0 |]) ]
                 node "Trilu" [ "ones" ] [ "mask" ] [ "upper", Int 0L ]
                 node "Mul" [ "scores"; "mask" ] [ "masked" ] []
                 node "Softmax" [ "masked" ] [ "p" ] []
                 node "Split" [ "p"; "halves" ] [ "left"; "right" ] [ "axis", Int -1L ]
                 node "Einsum" [ "left"; "right" ] [ "y" ] [ "equation", Text "bij,bij->bi" ]
             ]

         let numbers shape = Draw.numbers (Random 5) shape

         let tensors =
             [
                 ModelWriter.reals DType.Float32 "table" [ 6; 3 ] (numbers [ 6; 3 ])
                 ModelWriter.reals DType.Float32 "gain" [ 3 ] (numbers [ 3 ])
                 ModelWriter.reals DType.Float32 "w" [ 3; 3 ] (numbers [ 3; 3 ])
                 ModelWriter.wholes "one" [ 1 ] [| 1L |]
                 ModelWriter.wholes "three" [ 1 ] [| 3L |]
                 ModelWriter.wholes "halves" [ 2 ] [| 2L; 2L |]
             ]

         ModelWriter.model
             17
             nodes
             [ ModelWriter.value "ids" OnnxElementType.Int64 (ValueSome [ -1; 4 ]) ]
             [ ModelWriter.value "y" OnnxElementType.Float32 ValueNone ]
             tensors
         |> ModelWriter.bytes)

/// A tensor that fits what the model says of an input, of few elements whatever it says.
let private feed (input: OnnxValue) : Tensor =
    let shape = [ for axis in input.Axes -> if axis.IsKnown then min axis.Length 8 else 2 ]
    let shape = if Draw.size shape > 4096 then [ for _ in shape -> 1 ] else shape

    match input.ElementType with
    | OnnxElementType.Float64 -> Tensor.ones DType.Float64 shape
    | OnnxElementType.Float32
    | OnnxElementType.Float16
    | OnnxElementType.BFloat16 -> Tensor.ones DType.Float32 shape
    | _ -> Tensor.ofIndices shape (Array.init (Draw.size shape) (fun i -> i % 4))

let private readAndRun (stream: Stream) : unit =
    let model = OnnxModel.Read(stream, "damaged", OnnxOptions.Default.WithLimits limits)
    string model |> ignore
    let feeds = [ for input in model.Inputs -> KeyValuePair(input.Name, feed input) ]
    model.Forward(model.Theta, feeds) |> ignore

[<Tests>]
let tests =
    testList "Onnx.FuzzTests" [
        test "the models that are damaged are whole before" {
            for file in [ convolutional.Value; attention.Value ] do
                use stream = new MemoryStream(file)
                readAndRun stream
        }

        test "ten thousand damaged models are computed or refused" {
            Mutation.survivesWithin (1L <<< 25) 10_000 4000 [ convolutional.Value; attention.Value ] readAndRun
        }
    ]
