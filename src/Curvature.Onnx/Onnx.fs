namespace Curvature.FSharp

open System.Collections.Generic
open System.IO
open Curvature

/// Models of ONNX files as functions of their parameters.
[<RequireQualifiedAccess>]
module Onnx =

    /// The model of a file, with the default options. Errors are those of `readWith`.
    let read (path: string) : OnnxModel = OnnxModel.Read path

    /// The model of a file. Raises DataException, which names the file, where it is missing, damaged, larger than the
    /// limits, or not one that can be computed: then every node that cannot is named. Raises ParameterException for a
    /// pattern of the options that no tensor has. External data are read from the folder of the file alone.
    let readWith (options: OnnxOptions) (path: string) : OnnxModel = OnnxModel.Read(path, options)

    /// The model of a stream that can seek; the name is for messages. Weights must be in the stream.
    let readStream (options: OnnxOptions) (name: string) (stream: Stream) : OnnxModel =
        OnnxModel.Read(stream, name, options)

    /// The first output of a model of one input, as a function of θ and the input: what `Risk.ofModel` takes, with its
    /// arguments in the order inputs, θ. Raises DataException where the model has several inputs.
    let apply (model: OnnxModel) (input: Tensor) (theta: Tensor) : Tensor = model.Forward(theta, input)

    /// All outputs by name, for θ and a tensor for each input; see `OnnxModel.Forward`.
    let forward (feeds: (string * Tensor) list) (theta: Tensor) (model: OnnxModel) : Map<string, Tensor> =
        model.Forward(theta, feeds |> List.map KeyValuePair)
        |> Seq.map (fun each -> each.Key, each.Value)
        |> Map.ofSeq

    /// The same model computed in another precision; see `OnnxModel.WithDType`.
    let withDType (dtype: DType) (model: OnnxModel) : OnnxModel = model.WithDType dtype

    /// The same model with other values of the graph as its outputs; see `OnnxModel.WithOutputs`.
    let withOutputs (names: string seq) (model: OnnxModel) : OnnxModel = model.WithOutputs names

    /// The same model for any number of samples; see `OnnxModel.WithFreeBatch`.
    let withFreeBatch (model: OnnxModel) : OnnxModel = model.WithFreeBatch()
