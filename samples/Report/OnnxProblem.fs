namespace Curvature.Samples.Report

open System
open System.IO
open Curvature
open Curvature.FSharp

/// A network with its parameters, from a file.
type LoadedNetwork =
    {
        Name: string
        Layout: ParameterLayout
        /// Logits [rows; classes] of inputs for parameters θ.
        Model: Tensor -> Tensor -> Tensor
        Theta: Tensor
    }

/// A classifier in an ONNX file, and the data that it is shown.
[<RequireQualifiedAccess>]
module OnnxProblem =

    let private refuse (message: string) = raise (DataException message)

    /// The first output is taken for logits, one for each class. Axes of length 1 behind the classes, which poolings
    /// leave, are dropped.
    let private logits (file: string) (y: Tensor) : Tensor =
        let shape = y.Shape

        if shape.Length < 2 || Array.exists ((<>) 1) shape[2..] then
            let text = String.Join("; ", shape)
            refuse $"{file}: a classifier gives logits [rows; classes], and the first output has shape [{text}]"

        Tensor.reshape [ shape[0]; shape[1] ] y

    /// The classifier of a file, in an element type, for any number of rows.
    let network (dtype: DType) (file: string) : LoadedNetwork =
        let model = ((Onnx.read file).WithDType dtype).WithFreeBatch()

        if model.Layout.Size = 0 then
            refuse $"{file}: the model has no parameters of floating point"

        {
            Name = Path.GetFileName file
            Layout = model.Layout
            Model = fun inputs theta -> Onnx.apply model inputs theta |> logits file
            Theta = model.Theta
        }

    let private hasExtension (extensions: string list) (path: string) =
        let name = if path.EndsWith ".gz" then path[.. path.Length - 4] else path
        extensions |> List.exists (fun extension -> name.EndsWith(extension, StringComparison.OrdinalIgnoreCase))

    /// Floating point in the element type; whole numbers, such as tokens, as they are.
    let private inPrecision (dtype: DType) (inputs: Tensor) : Tensor =
        if inputs.DType = DType.Int32 then inputs else Tensor.convert dtype inputs

    let private labelsOf (path: string) (rows: int) : Tensor =
        let labels = if hasExtension [ ".npy" ] path then Numpy.read path else Idx.read path

        if labels.DType <> DType.Int32 || labels.Shape <> [| rows |] then
            let text = String.Join("; ", labels.Shape)
            refuse $"{path}: {rows} labels of whole numbers are needed, and it holds {labels.DType} of shape [{text}]"

        labels

    /// Inputs and their classes: an .npy file or IDX images with a file of labels, images of CIFAR-10, or a table whose
    /// last column is the class. Pixels are from 0 to 1; what else a network needs is done beforehand, in an .npy file.
    let data (dtype: DType) (path: string) (labels: string option) : Tensor * Tensor =
        match labels with
        | None when hasExtension [ ".npy" ] path -> refuse $"{path}: the classes of its rows are needed as --labels"
        | None when hasExtension [ ".bin" ] path -> Cifar.read10 dtype path
        | None ->
            let table = Csv.read path
            Tensor.convert dtype table.Inputs, table.Labels
        | Some labels when hasExtension [ ".npy" ] path ->
            let inputs = Numpy.read path

            if inputs.Rank = 0 then
                refuse $"{path}: it holds one number, and rows are needed"

            inPrecision dtype inputs, labelsOf labels inputs.Shape[0]
        | Some labels ->
            let images = Idx.images path labels
            images.ToTensor dtype, images.Labels
