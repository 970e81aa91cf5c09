namespace Curvature

open System.Diagnostics
open System.Collections.Generic
open Curvature.FSharp

/// A function of parameters θ, which are one flat vector, and of a batch of inputs. Immutable. Some layers, such as
/// batch normalisation, also use statistics of the data, which belong to the network; in training they use those of the
/// batch instead.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Network private (layer: Layer, statistics: IReadOnlyDictionary<string, Tensor>, inTraining: bool) =
    let layoutOf isStatistic =
        ParameterLayout
            [
                for part in layer.Declarations do
                    if part.IsStatistic = isStatistic then part.Name, List.toArray part.Shape
            ]

    let layout = layoutOf false
    let statisticsLayout = layoutOf true

    let run (pass: ForwardPass) (tap: Tap) (theta: Tensor) (inputs: Tensor) : Tensor =
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)
        System.ArgumentNullException.ThrowIfNull(inputs, nameof inputs)

        if inputs.DType <> DType.Int32 && inputs.DType <> theta.DType then
            Fail.dtype $"the inputs are {inputs.DType} and the parameters {theta.DType}; convert one of them"

        let tensors = layout.Pieces theta

        for statistic in statistics do
            tensors.Add(statistic.Key, statistic.Value |> Tensor.convert theta.DType |> Tensor.toDevice theta.Device)

        layer.Forward(Parameters(tensors, pass, tap, ""), inputs)

    /// The network that a layer is, with the layer's names, in evaluation.
    internal new(layer: Layer) =
        let statistics = Dictionary<string, Tensor>()

        for part in layer.Declarations do
            if part.IsStatistic then statistics[part.Name] <- part.Initial(Key.OfSeed 0L)

        Network(layer, statistics, false)

    /// The names, shapes and places of the parameter tensors in θ.
    member _.Layout = layout

    /// The number n of parameters.
    member _.ParameterCount = layout.Size

    /// The statistics of the data that layers use, by name.
    member _.Statistics = statistics

    /// Whether layers use statistics of the batch instead of those that the network has, and dropout acts.
    member _.InTraining = inTraining

    /// Whether the output for one input depends on the other inputs of the batch. Derivatives then differ from one way
    /// of cutting data into batches to another. Dropout in training does not count: its masks depend on the place in
    /// the batch, not on other inputs.
    member _.CouplesSamples = inTraining && statistics.Count > 0

    /// The same network with other statistics, by name. Raises ParameterException for a name that is missing or
    /// unknown, and ShapeException for a tensor of the wrong shape.
    member _.WithStatistics(named: seq<KeyValuePair<string, Tensor>>) =
        Network(layer, statisticsLayout.Check named, inTraining)

    /// The same network in training: layers use statistics of the batch, and dropout acts.
    member _.ForTraining() = Network(layer, statistics, true)

    /// The same network in evaluation: layers use the statistics that the network has, and dropout lets all pass.
    member _.ForEvaluation() = Network(layer, statistics, false)

    /// The outputs for parameters of shape [n] and a batch of inputs, whose leading axis is the batch.
    /// Raises ShapeException and DTypeException where the three do not fit together.
    member network.Forward(theta: Tensor, inputs: Tensor) : Tensor =
        network.ForwardTapped(Parameters.Untapped, theta, inputs)

    /// The outputs, where a function sees every named value on the way, and may put another one in its place.
    member internal _.ForwardTapped(tap: Tap, theta: Tensor, inputs: Tensor) : Tensor =
        run (if inTraining then Training else Evaluation) tap theta inputs

    /// The statistics of one batch, by name.
    member internal _.Observe(theta: Tensor, inputs: Tensor) : Dictionary<string, Tensor> =
        let observed = Dictionary<string, Tensor>()
        let pass = Observing(fun name value -> observed[name] <- value)
        run pass Parameters.Untapped theta inputs |> ignore
        observed

    /// Parameters to begin training with, of shape [n]. Tensor number i is drawn from the key's fold with i, in
    /// Float64, and rounded: all element types begin at the same point.
    member _.Initialize(key: Key, dtype: DType) : Tensor =
        layer.Declarations
        |> List.filter (fun part -> not part.IsStatistic)
        |> List.mapi (fun i part -> part.Initial(key.FoldIn(uint32 i)) |> Tensor.flatten)
        |> function
            | [] -> Tensor.zeros dtype [ 0 ]
            | parts -> parts |> Tensor.concat 0 |> Tensor.convert dtype

    override _.ToString() = $"{layer.Name}\n{layout}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Functions of parameters in one flat vector and of a batch of inputs.
[<RequireQualifiedAccess>]
module Network =

    /// The network that a layer is, with the layer's names. Raises ParameterException where two parameters have the
    /// same name.
    let ofLayer (layer: Layer) : Network = Network layer

    /// Layers one after the other, with torch.nn.Sequential's names: `0.weight`, `0.bias`, `2.weight`, ….
    let sequential (layers: Layer list) : Network = ofLayer (Layer.sequential layers)

    /// Dense layers of the given sizes with a function between them, as in `mlp Layer.tanh [ 64; 32; 10 ]`.
    /// Raises ArgumentRangeException for fewer than two sizes.
    let mlp (activation: Layer) (sizes: int list) : Network =
        if sizes.Length < 2 then
            Fail.range $"mlp: the sizes of inputs and outputs are needed, and there are {sizes.Length} sizes"

        List.pairwise sizes
        |> List.collect (fun (inputs, outputs) -> [ activation; Layer.dense inputs outputs ])
        |> List.tail
        |> sequential

    /// Parameters to begin training with, of shape [n].
    let initialize (key: Key) (dtype: DType) (network: Network) : Tensor = network.Initialize(key, dtype)

    /// The outputs for parameters θ and a batch of inputs, as in `fun theta -> Network.forward network theta x`.
    let forward (network: Network) (theta: Tensor) (inputs: Tensor) : Tensor = network.Forward(theta, inputs)

    /// The risk of a network over batches, for a criterion targets ↦ outputs ↦ scalar such as `Loss.softmaxCrossEntropy
    /// reduction`; see `Risk.ofModel`.
    let risk
        (reduction: Reduction)
        (criterion: Tensor -> Tensor -> Tensor)
        (batches: Batch seq)
        (network: Network)
        : EmpiricalRisk =
        Risk.ofModel reduction (fun inputs theta -> network.Forward(theta, inputs)) criterion batches

    /// The same network in training: batch normalisation uses the statistics of each batch, and dropout acts.
    let forTraining (network: Network) : Network = network.ForTraining()

    /// The same network in evaluation: batch normalisation uses the statistics that the network has, and dropout lets
    /// all pass.
    let forEvaluation (network: Network) : Network = network.ForEvaluation()

    /// Parameters θ in an element type, and the network with its statistics, from named tensors such as those of a file
    /// that PyTorch wrote. Counters `…num_batches_tracked` are passed over. Raises ParameterException, naming them,
    /// where tensors are missing or unknown, ShapeException for one of the wrong shape, and DTypeException for one of
    /// whole numbers.
    let load (dtype: DType) (tensors: (string * Tensor) seq) (network: Network) : Tensor * Network =
        let counts (name: string) = name = "num_batches_tracked" || name.EndsWith ".num_batches_tracked"
        let isStatistic (name: string, _) = network.Statistics.ContainsKey name
        let given = tensors |> Seq.filter (fun (name, _) -> not (counts name)) |> List.ofSeq

        match given |> List.countBy fst |> List.tryFind (fun (_, uses) -> uses > 1) with
        | Some(name, uses) -> Fail.parameter $"the tensor \"{name}\" is given {uses} times"
        | None -> ()

        match given |> List.tryFind (fun (_, tensor) -> tensor.DType = DType.Int32) with
        | Some(name, _) -> Fail.dtype $"the tensor \"{name}\" has whole numbers, and parameters are Float32 or Float64"
        | None -> ()

        let statistics, parameters = given |> List.partition isStatistic
        // A file may hold tensors of different precision.
        let converted = parameters |> Seq.map (fun (name, tensor) -> KeyValuePair(name, Tensor.convert dtype tensor))
        network.Layout.Join converted, network.WithStatistics(statistics |> Seq.map KeyValuePair)

    /// The parameters in θ and the statistics, by PyTorch's names: the inverse of `load`.
    let save (theta: Tensor) (network: Network) : (string * Tensor) list =
        let pieces = network.Layout.Pieces theta

        [
            for tensor in network.Layout.Tensors -> tensor.Name, pieces[tensor.Name]
            for statistic in network.Statistics -> statistic.Key, statistic.Value
        ]

    /// The network with the mean statistics of some batches of inputs at θ, every batch with the same weight: what to
    /// do after training and before evaluation. Costs one forward pass a batch. Raises DataException where there is no
    /// batch.
    let measureStatistics (theta: Tensor) (batches: Tensor seq) (network: Network) : Network =
        let observed =
            batches |> Seq.map (fun inputs -> network.Observe(theta, Tensor.toDevice theta.Device inputs)) |> List.ofSeq

        if observed.IsEmpty then
            Fail.data "measureStatistics: there is no batch to measure statistics of"

        let mean (name: string) =
            observed
            |> List.map (fun batch -> Tensor.convert DType.Float64 batch[name])
            |> List.reduce (+)
            |> fun sum -> sum / float observed.Length

        network.WithStatistics(network.Statistics.Keys |> Seq.map (fun name -> KeyValuePair(name, mean name)))
