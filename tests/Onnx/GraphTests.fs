/// Several operators after one another, against OnnxRuntime: what one leaves in another order, or on the host.
module Curvature.Tests.Onnx.GraphTests

open System
open System.Collections.Generic
open Expecto
open Expecto.Flip
open Onnx
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private node op inputs outputs attributes = ModelWriter.node DType.Float32 op inputs outputs attributes
let private random = lazy (Random 21)
let private reals name shape = ModelWriter.reals DType.Float32 name shape (Draw.numbers random.Value shape)

/// A model of one input x, all of whose values are outputs.
let private agrees (shape: int list) (nodes: NodeProto list) (tensors: TensorProto list) =
    nodes |> List.iteri (fun i node -> node.Name <- $"{node.OpType} {i}")
    let outputs = nodes |> List.map (fun node -> ValueInfoProto(Name = node.Output[0]))
    let x = ModelWriter.value "x" OnnxElementType.Float32 (ValueSome shape)
    let proto = ModelWriter.model 17 nodes [ x ] outputs tensors
    let values = Draw.numbers (Random 22) shape
    let feed = Reference.feed "x" shape (values |> Array.map float32)

    match Reference.run (ModelWriter.bytes proto) [ feed ] with
    | Error message -> failtest message
    | Ok expected ->
        let model = ModelWriter.read proto
        let input = Tensor.ofArray shape values |> Tensor.convert DType.Float32
        let found = model.Forward(model.Theta, [ KeyValuePair("x", input) ])

        for result in expected do
            Expect.equal result.Name result.Shape found[result.Name].Shape
            Expect.close 1e-5 result.Values (found[result.Name].ToArray())

[<Tests>]
let tests =
    testList "Onnx.GraphTests" [
        test "images keep their meaning whatever follows a convolution" {
            // Height, width and channels are equal, so that no shape tells a mistake.
            agrees [ 2; 3; 3; 3 ] [
                node "Conv" [ "x"; "w" ] [ "c" ] [ "pads", Ints [ 1; 1; 1; 1 ] ]
                node "Add" [ "c"; "channel" ] [ "shifted" ] []
                node "Mul" [ "row"; "c" ] [ "byRow" ] []
                node "Mul" [ "c"; "column" ] [ "byColumn" ] []
                node "Sub" [ "one"; "shifted" ] [ "less" ] []
                node "Relu" [ "less" ] [ "r" ] []
                node "PRelu" [ "less"; "channel" ] [ "p" ] []
                node "Add" [ "r"; "x" ] [ "residual" ] []
                node "Add" [ "r"; "c" ] [ "both" ] []
                node "Div" [ "c"; "four" ] [ "scaled" ] []
                node "Clip" [ "c"; "low"; "high" ] [ "clipped" ] []
                node "MaxPool" [ "both" ] [ "pooled" ] [ "kernel_shape", Ints [ 2; 2 ] ]
                node "Concat" [ "r"; "c" ] [ "joined" ] [ "axis", Int 1L ]
                node "Flatten" [ "r" ] [ "flat" ] []
                node "Transpose" [ "c" ] [ "turned" ] [ "perm", Ints [ 3; 2; 1; 0 ] ]
                node "ReduceMean" [ "c" ] [ "means" ] [ "axes", Ints [ 1 ] ]
                node "GlobalMaxPool" [ "r" ] [ "whole" ] []
                node "Softmax" [ "c" ] [ "probabilities" ] [ "axis", Int 1L ]
                node "InstanceNormalization" [ "c"; "gain"; "gain" ] [ "normal" ] []
                node "Max" [ "c"; "x"; "channel" ] [ "largest" ] []
                node "Shape" [ "c" ] [ "shape" ] []
            ] [
                reals "w" [ 3; 3; 3; 3 ]
                reals "channel" [ 3; 1; 1 ]
                reals "row" [ 3; 1 ]
                reals "column" [ 1; 1; 3 ]
                reals "gain" [ 3 ]
                reals "one" [ 1 ]
                reals "four" [ 1; 3; 1; 1 ]
                ModelWriter.reals DType.Float32 "low" [] [| -0.5 |]
                ModelWriter.reals DType.Float32 "high" [] [| 0.5 |]
            ]
        }

        test "shapes that depend on shapes are computed" {
            agrees [ 2; 3; 4 ] [
                node "Shape" [ "x" ] [ "shape" ] []
                node "Gather" [ "shape"; "last" ] [ "width" ] []
                node "Div" [ "width"; "two" ] [ "half" ] []
                node "Cast" [ "half" ] [ "real" ] [ "to", Int 1L ]
                node "Floor" [ "real" ] [ "floor" ] []
                node "Cast" [ "floor" ] [ "heads" ] [ "to", Int 7L ]
                node "Slice" [ "shape"; "zero"; "two" ] [ "leading" ] []
                node "Concat" [ "leading"; "heads"; "rest" ] [ "target" ] [ "axis", Int 0L ]
                node "Reshape" [ "x"; "target" ] [ "split" ] []
                node "Equal" [ "target"; "rest" ] [ "isRest" ] []
                node "ConstantOfShape" [ "leading" ] [ "ones" ] [ "value", Reals([ 1 ], [| 1.0 |]) ]
                node "Unsqueeze" [ "ones"; "two" ] [ "column" ] []
                node "Mul" [ "x"; "column" ] [ "same" ] []
            ] [
                ModelWriter.wholes "last" [ 1 ] [| -1L |]
                ModelWriter.wholes "two" [ 1 ] [| 2L |]
                ModelWriter.wholes "zero" [ 1 ] [| 0L |]
                ModelWriter.wholes "rest" [ 1 ] [| -1L |]
            ]
        }

        test "axes of one name have one length" {
            let value name = ModelWriter.value name OnnxElementType.Float32 (ValueSome [ -1; 2 ])
            let add = node "Add" [ "x"; "y" ] [ "z" ] []
            let model = ModelWriter.model 17 [ add ] [ value "x"; value "y" ] [ value "z" ] [] |> ModelWriter.read
            let ones rows = Tensor.ones DType.Float32 [ rows; 2 ]
            let forward rows = Onnx.forward [ "x", ones 3; "y", ones rows ] model.Theta model
            let found = forward 3
            Expect.equal "rows" [| 3; 2 |] found["z"].Shape
            Expect.error<ShapeException> [ "\"y\""; "n0 = 3"; "[1; 2]" ] (fun () -> forward 1 |> ignore)
        }
    ]
