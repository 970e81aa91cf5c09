namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// What a network is trained on, and which.
type Problem =
    {
        /// What the data are.
        Title: string
        /// What the network is.
        Architecture: string
        Network: Network
        /// Features [rows; features] and the distribution of the class of each row [rows; classes].
        Inputs: Tensor
        Targets: Tensor
        Labels: Tensor
        BatchSize: int
        Epochs: int
        LearningRate: float
    }

    member problem.Rows = problem.Inputs.Shape[0]

    /// The mean loss over given rows.
    member problem.Loss (theta: Tensor) (inputs: Tensor) (targets: Tensor) =
        Network.forward problem.Network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean targets

[<RequireQualifiedAccess>]
module Problem =

    /// Two spirals of points around each other, which turn one and a quarter times, each with a class of its own.
    let private spirals (key: Key) (pointsPerClass: int) : LabelledData =
        let noise = (Tensor.normal key DType.Float64 [ 2 * pointsPerClass; 2 ]).ToArray()

        let point row =
            let label, along = row % 2, (float (row / 2) + 0.5) / float pointsPerClass
            let angle = Math.PI * (float label + 2.5 * along)
            let place i direction = along * direction + 0.03 * noise[2 * row + i]
            [| place 0 (cos angle); place 1 (sin angle) |]

        let inputs = Array.init (2 * pointsPerClass) point |> Array.concat
        let labels = Array.init (2 * pointsPerClass) (fun row -> row % 2)

        LabelledData.create
            (Tensor.ofArray [ 2 * pointsPerClass; 2 ] inputs)
            (Tensor.ofIndices [ 2 * pointsPerClass ] labels)

    let private create (device: Device) (options: Options) title (sizes: int list) (data: LabelledData) inputs =
        let here (t: Tensor) = Tensor.toDevice device t
        let sizesText = String.Join("-", sizes)

        {
            Title = title
            Architecture = $"{sizesText}, tanh"
            Network = Network.mlp Layer.tanh sizes
            Inputs = inputs |> Tensor.convert options.DType |> here
            Targets = Tensor.oneHot options.DType data.Classes data.Labels |> here
            Labels = data.Labels |> here
            BatchSize = data.Rows
            Epochs = 1000
            LearningRate = 0.01
        }

    let private ofFile device options (path: string) =
        let data = Csv.read path

        if data.Classes < 2 then
            raise (DataException $"{path} has one class only, {data.Classes - 1}, and at least two are needed")

        if data.Classes > data.Rows then
            raise (
                DataException
                    $"{path} has the label {data.Classes - 1} in {data.Rows} rows; labels are expected to number the classes from 0 on"
            )

        let sizes = [ data.Features; 32; data.Classes ]
        let problem = create device options path sizes data (Scaling.toUnitRange data.Inputs)
        let batch = min 128 data.Rows
        let steps = (data.Rows + batch - 1) / batch

        { problem with BatchSize = batch; Epochs = max 5 (600 / steps) }

    /// The data that the options ask for, on a device, and a network for them.
    /// Raises DataException where a file is not what it should be.
    let load (device: Device) (key: Key) (options: Options) : Problem =
        match options.Data with
        | Some path -> ofFile device options path
        | None ->
            let data = spirals key 100
            create device options "two spirals" [ 2; 16; 16; 2 ] data data.Inputs
