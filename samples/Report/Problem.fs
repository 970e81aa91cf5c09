namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// How a network is trained, and from where on.
type Schedule = { BatchSize: int; Epochs: int; LearningRate: float; Initialize: Key -> Tensor }

/// Where the parameters come from.
type Start =
    | Train of Schedule
    | Load of theta: Tensor

/// What a network is for, and which.
type Problem =
    {
        /// What the data are.
        Title: string
        /// What the network is.
        Architecture: string
        /// The names and shapes of the parameters.
        Layout: ParameterLayout
        /// Logits of inputs for parameters θ.
        Model: Tensor -> Tensor -> Tensor
        /// Features [rows; features], or images [rows; channels; height; width], and the distribution of the class of
        /// each row [rows; classes].
        Inputs: Tensor
        Targets: Tensor
        Labels: Tensor
        /// Inputs that the network is not shown, and their classes.
        HeldOut: (Tensor * Tensor) option
        Start: Start
        /// How many rows go through the network at a time when its curvature is measured.
        BatchSize: int
        /// How many vectors are multiplied at a time.
        BlockSize: int
    }

    member problem.Rows = problem.Inputs.Shape[0]

    /// All rows, a batch at a time.
    member problem.Batches: Batch[] =
        [|
            for first in 0 .. problem.BatchSize .. problem.Rows - 1 do
                let some (t: Tensor) = Tensor.slice 0 first (min problem.BatchSize (problem.Rows - first)) t
                Batch(some problem.Inputs, some problem.Targets)
        |]

    /// The mean loss over all rows.
    member problem.Risk: EmpiricalRisk =
        Risk.ofModel Reduction.Mean problem.Model (Loss.softmaxCrossEntropy Reduction.Mean) problem.Batches

    /// The share of rows whose class the network finds.
    member problem.Accuracy(theta: Tensor) : float =
        let logits = problem.Batches |> Array.map (fun batch -> problem.Model batch.Inputs theta)
        Loss.accuracy problem.Labels (Tensor.concat 0 (List.ofArray logits))

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

    let private modelOf (network: Network) (inputs: Tensor) (theta: Tensor) : Tensor =
        Network.forward network theta inputs

    /// As many vectors at a time as keep the activations of all rows within about a quarter of a gibibyte.
    let private blockSize (network: Network) rows =
        let width = network.Layout.Tensors |> Seq.sumBy (fun tensor -> tensor.Shape[0])
        Math.Clamp((1 <<< 25) / max 1 (rows * width), 1, 16)

    let private create
        (device: Device)
        (options: Options)
        title
        (sizes: int list)
        schedule
        (data: LabelledData, inputs)
        (heldOut: (Tensor * Tensor) option)
        =
        let here (t: Tensor) = Tensor.toDevice device t
        let sizesText = String.Join("-", sizes)
        let network = Network.mlp Layer.tanh sizes

        {
            Title = title
            Architecture = $"{sizesText}, tanh"
            Layout = network.Layout
            Model = modelOf network
            Inputs = inputs |> Tensor.convert options.DType |> here
            Targets = Tensor.oneHot options.DType (List.last sizes) data.Labels |> here
            Labels = data.Labels |> here
            HeldOut =
                heldOut |> Option.map (fun (inputs, labels) -> inputs |> Tensor.convert options.DType |> here, labels)
            Start = Train(schedule (fun key -> Network.initialize key options.DType network))
            BatchSize = data.Rows
            BlockSize = blockSize network data.Rows
        }

    let private ofSpirals device options key =
        let data, others = spirals key 100, spirals (key.FoldIn 1u) 100

        let schedule initialize =
            {
                BatchSize = data.Rows
                Epochs = 1000
                LearningRate = 0.01
                Initialize = initialize
            }

        create
            device
            options
            "two spirals"
            [ 2; 16; 16; 2 ]
            schedule
            (data, data.Inputs)
            (Some(others.Inputs, others.Labels))

    let private ofTable device options (path: string) key =
        let data = Csv.read path

        let classes = data.Classes

        if data.Classes < 2 then
            raise (DataException $"{path} has one class only, {data.Classes - 1}, and at least two are needed")

        if data.Classes > data.Rows then
            raise (
                DataException(
                    $"{path} has the label {data.Classes - 1} in {data.Rows} rows; labels are expected to "
                    + "number the classes from 0 on"
                )
            )

        // Both parts are scaled by all rows, as their features are known beforehand.
        let inputs = Scaling.toUnitRange data.Inputs
        let take (rows: int[]) (t: Tensor) = Tensor.take 0 (Tensor.ofIndices [ rows.Length ] rows) t

        let shown, heldOut =
            if options.HeldOutShare = 0.0 then
                (data, inputs), None
            else
                let kept, left = Split.trainTest options.HeldOutShare key data.Rows
                (LabelledData.rows kept data, take kept inputs), Some(take left inputs, take left data.Labels)

        let data = fst shown
        let batch = min 128 data.Rows
        let steps = (data.Rows + batch - 1) / batch

        let schedule initialize =
            {
                BatchSize = batch
                Epochs = max 5 (600 / steps)
                LearningRate = 0.01
                Initialize = initialize
            }

        create device options path [ data.Features; 32; classes ] schedule shown heldOut

    /// The images that a CIFAR network was trained on had these means and deviations in their channels.
    let private normalized = Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]

    /// The first rows of what was trained elsewhere.
    let private ofTrained
        (device: Device)
        (options: Options)
        (model: TrainedModel)
        (network: LoadedNetwork)
        (inputs: Tensor, labels: Tensor)
        =
        let here (t: Tensor) = Tensor.toDevice device t
        let rows = model.DatasetSize
        let what = if inputs.Rank = 4 then "images" else "rows"

        if rows > labels.Size then
            raise (DataException $"--dataset-size {rows}: {model.Data} has {labels.Size} {what}")

        let first (t: Tensor) = Tensor.slice 0 0 rows t
        let others = min rows (labels.Size - rows)
        let next (t: Tensor) = Tensor.slice 0 rows others t
        let heldOut = if others > 0 then Some(here (next inputs), next labels) else None
        let labels, inputs = first labels, first inputs
        let apply inputs theta = network.Model (here inputs) theta
        let classes = (apply (Tensor.slice 0 0 1 inputs) (here network.Theta)).Shape[1]

        {
            Title = $"{model.Data}, first {rows} {what}"
            Architecture = network.Name
            Layout = network.Layout
            Model = network.Model
            Inputs = here inputs
            Targets = Tensor.oneHot options.DType classes labels |> here
            Labels = labels |> here
            HeldOut = heldOut
            Start = Load(here network.Theta)
            BatchSize = min model.Batch rows
            // One at a time within one batch, so that the trace is seen to converge; a few where every block reads all
            // batches.
            BlockSize = if model.Batch >= rows then 1 else 4
        }

    let private ofModel device (options: Options) (model: TrainedModel) =
        match model.Network with
        | OfWeights(ResNet20, weights) ->
            let theta, network = ResNet.resNet20 |> Network.load options.DType (Safetensors.read weights)
            let images, labels = Cifar.read10 options.DType model.Data

            let loaded =
                {
                    Name = "ResNet-20"
                    Layout = network.Layout
                    Model = modelOf network
                    Theta = theta
                }

            ofTrained device options model loaded (normalized images, labels)
        | OfOnnx(file, labels) ->
            let loaded = OnnxProblem.network options.DType file
            ofTrained device options model loaded (OnnxProblem.data options.DType model.Data labels)

    /// The data that the options ask for, on a device, and a network for them.
    /// Raises DataException, ParameterException or ShapeException where a file is not what it should be.
    let load (device: Device) (key: Key) (options: Options) : Problem =
        match options.Source with
        | Table path -> ofTable device options path key
        | Spirals -> ofSpirals device options key
        | Trained model -> ofModel device options model
