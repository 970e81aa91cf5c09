namespace Curvature.Samples.Report

open System
open Argu
open Curvature

/// The element types that arithmetic can be done in, as they are written on the command line.
type Precision =
    | Float32
    | Float64

/// The networks that come with weights in a file.
type Architecture = | ResNet20

/// What can be written on the command line.
type Argument =
    | [<Unique>] Model of Architecture
    | [<Unique>] Weights of path: string
    | [<Unique>] Onnx of path: string
    | [<Unique>] Labels of path: string
    | [<Unique>] Data of path: string
    | [<Unique>] Batch of rows: int
    | [<Unique>] Dataset_Size of rows: int
    | [<Unique>] Held_Out of share: float
    | [<Unique>] Out of folder: string
    | [<Unique>] Seed of number: int64
    | [<Unique>] DType of Precision
    | [<Unique>] Eigenvalues of count: int
    | [<Unique>] Density_Steps of count: int
    | [<Unique>] Probes of count: int
    | [<Unique>] Landscape_Points of count: int
    | [<Unique>] Relative_Error of share: float
    | [<Unique>] Max_Products of count: int
    | [<Unique>] Threads of count: int

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Model _ ->
                "a network that was trained elsewhere, with --weights and --data; by default one is trained here"
            | Weights _ -> "the parameters of the --model, a safetensors file with PyTorch's names"
            | Onnx _ -> "a classifier in an ONNX file, with --data that it takes"
            | Labels _ ->
                ("the classes of the rows of --data for an --onnx model, where the file of these has none: an "
                 + ".npy file of whole numbers, or the labels of an IDX file of images")
            | Data _ ->
                ("for a --model, images in a binary file of CIFAR-10; for an --onnx model, these, or inputs "
                 + "in an .npy file, IDX images or a table; otherwise a table of "
                 + "comma-separated numbers, plain or gzip, with the class of each row (0, 1, …) in the "
                 + "last column; by default two spirals, made here")
            | Batch _ -> "how many images of a model are in memory at a time (default 50)"
            | Dataset_Size _ ->
                ("how many images of a model, from the beginning of the file, the loss is the mean over "
                 + "(default: one batch)")
            | Held_Out _ ->
                ("the share of the rows of a table that the network is not shown, to check its probabilities "
                 + "by (default 0: of spirals, as many points again are made; of a model, the images that follow)")
            | Out _ -> "the folder to write report.html, with pictures, and report.json, with all numbers, to"
            | Seed _ -> "decides everything random: the same seed gives the same bits (default 0)"
            | DType _ -> "the element type of all arithmetic (default float64)"
            | Eigenvalues _ -> "how many of the largest eigenvalues to find (default 5)"
            | Density_Steps _ -> "how many Lanczos steps each random vector of the density takes (default 80)"
            | Probes _ ->
                ("how many random vectors show the density and, for a model, the trace (default 8); "
                 + "more narrow the error bars")
            | Landscape_Points _ ->
                ("how many points the plane of the landscape has along each side; lines have about twice "
                 + "as many (default 25)")
            | Relative_Error _ ->
                ("go on until the trace is known to this share of itself, with 95 % confidence (default "
                 + "0.05; for a model, the --probes decide)")
            | Max_Products _ -> "but stop after this many products with the Hessian (default 200000)"
            | Threads _ -> "how many threads share a product (default: all processors); it does not change the result"

/// A network that was trained elsewhere.
type TrainedNetwork =
    /// A network of this program with weights from a file.
    | OfWeights of Architecture * weights: string
    /// A network in an ONNX file, and the file of the classes of its inputs, where these are apart.
    | OfOnnx of model: string * labels: string option

/// A network that was trained elsewhere, and its inputs.
type TrainedModel = { Network: TrainedNetwork; Data: string; Batch: int; DatasetSize: int }

/// Where the loss comes from.
type Source =
    | Spirals
    | Table of path: string
    | Trained of TrainedModel

/// What the program is asked to do.
type Options =
    {
        /// The command line, to be said at the foot of the report.
        Command: string
        Source: Source
        /// The share of the rows of a table that are held out.
        HeldOutShare: float
        Out: string option
        Seed: int64
        DType: Curvature.DType
        Eigenvalues: int
        DensitySteps: int
        Probes: int
        LandscapePoints: int
        /// Nothing where the number of probes decides when to stop.
        RelativeError: float option
        MaxProducts: int
        Threads: int option
    }

/// What a command line turned out to be.
type CommandLine =
    | Run of Options
    | Help of text: string
    | Mistake of message: string

[<RequireQualifiedAccess>]
module CommandLine =

    let private defaultBatch = 50
    let private defaultProducts = 200_000

    /// The source of the loss, or what is wrong with its options.
    let private source (results: ParseResults<Argument>) : Result<Source, string> =
        let weights, data = results.TryGetResult Argument.Weights, results.TryGetResult Argument.Data
        let batch, size = results.TryGetResult Argument.Batch, results.TryGetResult Argument.Dataset_Size
        let labels = results.TryGetResult Argument.Labels

        let alone =
            [ "--weights", weights.IsSome; "--batch", batch.IsSome; "--dataset-size", size.IsSome ]
            |> List.tryPick (fun (name, isGiven) -> if isGiven then Some name else None)

        let trained network data =
            let batch = defaultArg batch defaultBatch

            Ok(
                Trained
                    {
                        Network = network
                        Data = data
                        Batch = batch
                        DatasetSize = defaultArg size batch
                    }
            )

        match results.TryGetResult Argument.Model, results.TryGetResult Argument.Onnx, data with
        | Some _, Some _, _ -> Error "--onnx: there is a --model already, and one of the two is needed"
        | model, onnx, data when results.Contains Argument.Held_Out && (model.IsSome || onnx.IsSome || data.IsNone) ->
            Error "--held-out: this belongs to a table in --data, and none is given"
        | None, None, _ when alone.IsSome -> Error $"{alone.Value}: this belongs to a --model, and none is given"
        | _, None, _ when labels.IsSome -> Error "--labels: this belongs to an --onnx model, and none is given"
        | None, None, None -> Ok Spirals
        | None, None, Some path -> Ok(Table path)
        | Some _, None, _ when weights.IsNone ->
            Error "--model: its --weights are needed, a safetensors file, and none is given"
        | Some _, None, None -> Error "--model: its images are needed as --data, a CIFAR-10 file, and none is given"
        | Some architecture, None, Some images -> trained (OfWeights(architecture, weights.Value)) images
        | None, Some _, _ when weights.IsSome -> Error "--weights: an --onnx model has its own"
        | None, Some _, None -> Error "--onnx: inputs are needed as --data, and none are given"
        | None, Some model, Some inputs -> trained (OfOnnx(model, labels)) inputs

    /// What is wrong with numbers that are out of range.
    let private complaint (options: Options) : string option =
        let atLeast least name reason number =
            if number < least then
                Some $"{name}: {reason}, and the number is {number}"
            else
                None

        let modelled name pick =
            match options.Source with
            | Trained model -> atLeast 1 name "at least one image is needed" (pick model)
            | _ -> None

        let isShare share = Double.IsFinite share && share > 0.0

        [
            modelled "--batch" _.Batch
            modelled "--dataset-size" _.DatasetSize
            if not (options.HeldOutShare >= 0.0 && options.HeldOutShare < 1.0) then
                Some $"--held-out: a share from 0 to below 1 is needed, and it is {options.HeldOutShare}"
            else
                None
            atLeast 1 "--eigenvalues" "at least one is needed" options.Eigenvalues
            atLeast 2 "--density-steps" "a density needs at least 2 steps" options.DensitySteps
            atLeast 2 "--probes" "an error bar needs at least 2 random vectors" options.Probes
            atLeast 2 "--landscape-points" "a landscape has at least 2 points a side" options.LandscapePoints
            atLeast 2 "--max-products" "an error bar needs at least 2 products" options.MaxProducts
            options.RelativeError
            |> Option.filter (isShare >> not)
            |> Option.map (fun share -> $"--relative-error: a number above 0 is needed, and it is {share}")
            options.Threads
            |> Option.filter (fun threads -> threads < 1 || threads > 1024)
            |> Option.map (fun threads -> $"--threads: a number from 1 to 1024 is needed, and it is {threads}")
        ]
        |> List.tryPick id

    /// With a trained model, a product is dear: the probes are as many as asked for, unless an error or a limit is.
    let private stopping (results: ParseResults<Argument>) (source: Source) probes =
        let error, products = results.TryGetResult Argument.Relative_Error, results.TryGetResult Argument.Max_Products

        match source, error, products with
        | Trained _, None, _ -> None, defaultArg products probes
        | _ -> Some(defaultArg error 0.05), defaultArg products defaultProducts

    /// The command line as one types it.
    let private command (arguments: string[]) =
        let quoted (argument: string) = if argument.Contains ' ' then $"\"{argument}\"" else argument
        String.Join(" ", Array.append [| "Report" |] (Array.map quoted arguments))

    let private toOptions (arguments: string[]) (results: ParseResults<Argument>) : CommandLine =
        match source results with
        | Error message -> Mistake message
        | Ok source ->
            let probes = results.GetResult(Argument.Probes, 8)
            let relativeError, maxProducts = stopping results source probes

            let options =
                {
                    Command = command arguments
                    Source = source
                    HeldOutShare = results.GetResult(Argument.Held_Out, 0.0)
                    Out = results.TryGetResult Argument.Out
                    Seed = results.GetResult(Argument.Seed, 0L)
                    DType =
                        match results.GetResult(Argument.DType, Precision.Float64) with
                        | Precision.Float32 -> Curvature.DType.Float32
                        | Precision.Float64 -> Curvature.DType.Float64
                    Eigenvalues = results.GetResult(Argument.Eigenvalues, 5)
                    DensitySteps = results.GetResult(Argument.Density_Steps, 80)
                    Probes = probes
                    LandscapePoints = results.GetResult(Argument.Landscape_Points, 25)
                    RelativeError = relativeError
                    MaxProducts = maxProducts
                    Threads = results.TryGetResult Argument.Threads
                }

            match complaint options with
            | Some message -> Mistake message
            | None -> Run options

    /// Reads a command line.
    let parse (arguments: string[]) : CommandLine =
        let parser = ArgumentParser.Create<Argument>(programName = "Report")

        try
            let results = parser.ParseCommandLine(arguments, raiseOnUsage = false)

            if results.IsUsageRequested then
                Help(parser.PrintUsage())
            else
                toOptions arguments results
        with :? ArguParseException as error ->
            // Its first line says what is wrong; the others repeat the usage.
            let first = error.Message.Split '\n' |> Array.head
            Mistake(first.Replace("ERROR: ", "").Trim())
