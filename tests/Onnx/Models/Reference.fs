namespace Curvature.Tests.Onnx

open System
open Expecto
open Microsoft.ML.OnnxRuntime
open Microsoft.ML.OnnxRuntime.Tensors

/// A result of OnnxRuntime.
type ReferenceResult = { Name: string; Shape: int[]; Values: float[] }

/// What OnnxRuntime computes.
[<RequireQualifiedAccess>]
module Reference =

    let private options =
        lazy
            (let options = new SessionOptions()
             // Fused operators round in another way than the graph says.
             options.GraphOptimizationLevel <- GraphOptimizationLevel.ORT_DISABLE_ALL
             options.LogSeverityLevel <- OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL
             options)

    /// Skips the test where the native library cannot be loaded on this machine.
    let private requireLibrary (action: unit -> 'T) : 'T =
        try
            action ()
        with
        | :? TypeInitializationException
        | :? DllNotFoundException as error -> skiptest $"OnnxRuntime does not run on this machine: {error.Message}"

    let private ofTensor (value: NamedOnnxValue) : ReferenceResult =
        let result (tensor: Tensor<'T>) (convert: 'T -> float) =
            {
                Name = value.Name
                Shape = tensor.Dimensions.ToArray()
                Values = tensor |> Seq.map convert |> Seq.toArray
            }

        match value.Value with
        | :? Tensor<float32> as tensor -> result tensor float
        | :? Tensor<float> as tensor -> result tensor id
        | :? Tensor<int64> as tensor -> result tensor float
        | :? Tensor<int> as tensor -> result tensor float
        | :? Tensor<bool> as tensor -> result tensor (fun truth -> if truth then 1.0 else 0.0)
        | :? Tensor<uint8> as tensor -> result tensor float
        | other -> failtest $"the test does not know results of type {other.GetType().Name}"

    let feed (name: string) (shape: int list) (values: 'T[]) : NamedOnnxValue =
        NamedOnnxValue.CreateFromTensor(name, DenseTensor<'T>(Memory values, ReadOnlySpan(Array.ofList shape)))

    /// The outputs of a model. An error says what OnnxRuntime said.
    let run (model: byte[]) (feeds: NamedOnnxValue seq) : Result<ReferenceResult list, string> =
        requireLibrary (fun () ->
            try
                use session = new InferenceSession(model, options.Value)
                use results = session.Run(Seq.toArray feeds)
                Ok [ for result in results -> ofTensor result ]
            with :? OnnxRuntimeException as error ->
                Error error.Message)
