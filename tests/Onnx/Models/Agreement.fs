namespace Curvature.Tests.Onnx

open System
open System.Collections.Generic
open System.IO
open Expecto
open Microsoft.ML.OnnxRuntime
open Onnx
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// How a sample ended.
type Outcome =
    | Agrees
    /// OnnxRuntime does not have the operator for this element type or version.
    | NotThere of string

/// Compares an operator with OnnxRuntime.
[<RequireQualifiedAccess>]
module Agreement =

    let private nameOf (i: int) = $"input{i}"

    let private floating (dtype: DType) =
        if dtype = DType.Float64 then
            OnnxElementType.Float64
        else
            OnnxElementType.Float32

    /// The model of one operator.
    let modelOf (opset: int) (dtype: DType) (op: string) (sample: Sample) : ModelProto =
        let inputs = List.indexed sample.Inputs
        let outputs = List.init sample.Outputs (fun i -> $"output{i}")

        let names =
            inputs
            |> List.map (fun (i, data) ->
                match data with
                | Absent -> ""
                | _ -> nameOf i)

        let values =
            [
                for i, data in inputs do
                    match data with
                    | Fed(shape, _) -> ModelWriter.value (nameOf i) (floating dtype) (ValueSome shape)
                    | FedWhole(shape, _) -> ModelWriter.value (nameOf i) OnnxElementType.Int64 (ValueSome shape)
                    | FedTruth(shape, _) -> ModelWriter.value (nameOf i) OnnxElementType.Bool (ValueSome shape)
                    | _ -> ()
            ]

        let tensors =
            [
                for i, data in inputs do
                    match data with
                    | Weight(shape, values) -> ModelWriter.reals dtype (nameOf i) shape values
                    | Whole(shape, values) -> ModelWriter.wholes (nameOf i) shape values
                    | Truth(shape, values) -> ModelWriter.truths (nameOf i) shape values
                    | _ -> ()
            ]

        // Types of outputs are inferred.
        let results = outputs |> List.map (fun name -> ValueInfoProto(Name = name))
        let node = ModelWriter.node dtype op names outputs sample.Attributes
        ModelWriter.model opset [ node ] values results tensors

    let private reference (dtype: DType) (sample: Sample) (model: ModelProto) =
        let feeds =
            [
                for i, data in List.indexed sample.Inputs do
                    match data with
                    | Fed(shape, values) when dtype = DType.Float64 -> Reference.feed (nameOf i) shape values
                    | Fed(shape, values) -> Reference.feed (nameOf i) shape (values |> Array.map float32)
                    | FedWhole(shape, values) -> Reference.feed (nameOf i) shape values
                    | FedTruth(shape, values) -> Reference.feed (nameOf i) shape values
                    | _ -> ()
            ]

        Reference.run (ModelWriter.bytes model) feeds

    let feedsOf (dtype: DType) (sample: Sample) : (string * Tensor) list =
        [
            for i, data in List.indexed sample.Inputs do
                match data with
                | Fed(shape, values) -> nameOf i, Tensor.ofArray shape values |> Tensor.convert dtype
                | FedWhole(shape, values) -> nameOf i, Tensor.ofIndices shape (values |> Array.map int)
                | FedTruth(shape, values) ->
                    nameOf i, Tensor.ofIndices shape (values |> Array.map (fun value -> if value then 1 else 0))
                | _ -> ()
        ]

    /// The outputs with inputs that are known, and with inputs that are traced.
    let private evaluate (model: OnnxModel) (feeds: (string * Tensor) list) : Tensor list list =
        let names, tensors = List.unzip feeds
        let outputs = model.Outputs |> Seq.map _.Name |> List.ofSeq

        let run (theta: Tensor) (tensors: Tensor list) =
            let results = model.Forward(theta, List.map2 (fun name t -> KeyValuePair(name, t)) names tensors)
            outputs |> List.map (fun name -> results[name])

        let known = run model.Theta tensors

        let traced =
            try
                [ Compile.funcs (fun inputs -> run inputs.Head inputs.Tail) (model.Theta :: tensors) ]
            with :? AbstractValueException ->
                // A setting was fed, whose value decides the shape.
                []

        known :: traced

    let private tolerance (dtype: DType) = if dtype = DType.Float64 then 1e-9 else 2e-6

    /// Compares the outputs of a sample with those of OnnxRuntime.
    let check (opset: int) (dtype: DType) (case: Case) (sample: Sample) : Outcome =
        let proto = modelOf opset dtype case.Op sample
        let allowed = case.Slack * tolerance (if case.IsSingle then DType.Float32 else dtype)

        match reference dtype sample proto with
        | Error message -> NotThere message
        | Ok expected ->
            let model = ModelWriter.read proto

            for found in evaluate model (feedsOf dtype sample) do
                for result, tensor in List.zip expected found do
                    if tensor.Shape <> result.Shape then
                        failtest $"expected shape %A{result.Shape}, got %A{tensor.Shape}"

                    Expect.close allowed result.Values (tensor.ToArray())

            Agrees
